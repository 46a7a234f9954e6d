//! The pretrained network in the program: EfficientNet-Lite0 with ImageNet's weights in 16 bits (docs/pretrained.md).

use crate::error::RunError;
use std::path::Path;
use wellfit_weights::{WeightFile, from_bytes};

/// What stands for the embedded weights wherever a file of weights is named. A file of that name is `./embedded`.
pub const EMBEDDED: &str = "embedded";
/// The architecture that they are for.
pub const EMBEDDED_MODEL: &str = "efficientnet_lite0";

/// The embedded weights as a safetensors file with its description, if this build has them (feature `embedded`).
#[must_use]
pub fn embedded() -> Option<&'static [u8]> {
    #[cfg(feature = "embedded")]
    return Some(include_bytes!("../assets/embedded/efficientnet_lite0.safetensors"));
    #[cfg(not(feature = "embedded"))]
    None
}

/// Whether a path stands for the embedded weights.
#[must_use]
pub fn is_embedded(path: &Path) -> bool {
    path == Path::new(EMBEDDED)
}

/// The embedded weights in f32, under the network's names, ImageNet's head included.
///
/// # Errors
/// [`RunError::Model`] if this build has none.
pub fn embedded_weights() -> Result<WeightFile, RunError> {
    let bytes = embedded().ok_or_else(|| {
        RunError::Model(
            "this program was built without the embedded network (feature `embedded`): give a file of weights, or \
             a program built with default features"
                .to_owned(),
        )
    })?;
    from_bytes(bytes).map_err(|fault| RunError::Model(format!("{EMBEDDED}: {fault}")))
}
