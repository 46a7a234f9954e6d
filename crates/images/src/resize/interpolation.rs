//! How pixels between pixels are made up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The filter of a resize, with Pillow's definition: a function of the distance in input pixels, drawn out by the scale
/// where an image shrinks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// A triangle of 1 pixel to both sides: torchvision's default.
    #[default]
    Bilinear,
    /// Cubic pieces of 2 pixels to both sides with a = -0.5 (Keys 1981, "Cubic convolution interpolation for digital
    /// image processing"): what most of timm's weights and torchvision's EfficientNets were trained with.
    Bicubic,
}

impl Interpolation {
    /// The names of the values, as `Display` writes them.
    pub const NAMES: &'static [&'static str] = &["bilinear", "bicubic"];

    /// How far it reaches to both sides, in pixels.
    pub(super) const fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    /// Its weight at this distance.
    pub(super) fn weight(self, distance: f64) -> f64 {
        const A: f64 = -0.5;
        let x = distance.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bicubic => 0.0,
        }
    }
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
        })
    }
}

impl FromStr for Interpolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "bilinear" => Ok(Self::Bilinear),
            "bicubic" => Ok(Self::Bicubic),
            _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        for (name, kind) in Interpolation::NAMES.iter().zip([Interpolation::Bilinear, Interpolation::Bicubic])
        {
            assert_eq!((kind.to_string().as_str(), name.parse()), (*name, Ok(kind)));
        }
        assert!(
            "lanczos".parse::<Interpolation>().is_err_and(|problem| problem.contains("bilinear, bicubic"))
        );
    }
}
