//! The small pictures that a run keeps for its page, so that the page can be made without the data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The name of their file in the run's directory.
pub const PICTURES: &str = "pictures.json";

/// Pictures of images, as JPEG.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pictures {
    /// Validation images that were answered wrongly, the most confident answer first.
    #[serde(default)]
    pub mistakes: Vec<Shot>,
    /// Training images as the network saw them first, augmented.
    #[serde(default)]
    pub seen: Vec<Shot>,
    /// What was done to these at random, such as `horizontal flip`.
    #[serde(default)]
    pub augmentations: Vec<String>,
}

/// An image, with what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Its file, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The name of its class.
    pub label: String,
    /// What it was taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<String>,
    /// The probability of that, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// The picture: JPEG in Base64.
    pub jpeg: String,
    /// The same with what spoke for the answer (Grad-CAM) over it, where the network has convolutions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<String>,
}

/// Bytes as text that an address may hold (RFC 4648).
#[must_use]
pub fn in_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

impl Shot {
    /// Whether its pictures are text of Base64's alphabet: a file may come from anywhere, and what stands in it gets into an
    /// address on the page.
    pub(crate) fn is_sound(&self) -> bool {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        [Some(&self.jpeg), self.heat.as_ref()].into_iter().flatten().all(|text| text.bytes().all(letter))
    }
}
