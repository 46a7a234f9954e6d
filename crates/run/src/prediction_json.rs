//! An image's answer for programs.

use serde_json::{Value, json};
use std::path::Path;

/// The most likely classes of an image as `{"image", "top": [{"class", "probability"}]}`, or why it has none as `{"image",
/// "error"}`. What is no Unicode in the name, which JSON lacks, becomes `\u{fffd}`.
#[must_use]
pub fn prediction_json(image: &Path, outcome: Result<&[(&str, f32)], &str>) -> Value {
    let image = image.to_string_lossy();
    match outcome {
        Ok(top) => {
            let class =
                |(class, probability): &(&str, f32)| json!({ "class": class, "probability": probability });
            json!({ "image": image, "top": top.iter().map(class).collect::<Vec<_>>() })
        }
        Err(reason) => json!({ "image": image, "error": reason }),
    }
}
