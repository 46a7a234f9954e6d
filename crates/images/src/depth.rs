//! What becomes of grey numbers that do not fit a byte.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How grey of more than 8 bits becomes a level from 0 to 255. (Colours of 16 bits always keep their high byte.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Cut off at 255, as Pillow and so torchvision do: a picture that uses all 16 bits turns white.
    #[default]
    Clip,
    /// Divided, so that the largest number of the file's type becomes 255 (for floating-point numbers: 1).
    Scale,
}

impl Depth {
    /// The names of the values, as `Display` writes them.
    pub const NAMES: &'static [&'static str] = &["clip", "scale"];

    /// The level of `value`, a number of a type whose largest is `most`. NaN is 0.
    #[must_use]
    pub fn level(self, value: f64, most: f64) -> u8 {
        match self {
            // The cast cuts off at both ends.
            Self::Clip => value as u8,
            Self::Scale => (value * 255.0 / most).round() as u8,
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Clip => "clip",
            Self::Scale => "scale",
        })
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "clip" => Ok(Self::Clip),
            "scale" => Ok(Self::Scale),
            _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_cut_off_or_scaled() {
        let both = |value, most| [Depth::Clip, Depth::Scale].map(|depth| depth.level(value, most));
        assert_eq!(both(65535.0, 65535.0), [255, 255]);
        assert_eq!(both(300.0, 65535.0), [255, 1]);
        assert_eq!(both(200.0, 65535.0), [200, 1]);
        assert_eq!(both(-3.0, 32767.0), [0, 0]);
        assert_eq!(both(0.5, 1.0), [0, 128]);
        assert_eq!(both(f64::NAN, 1.0), [0, 0]);
    }

    #[test]
    fn names_are_read_as_written() {
        for (name, depth) in Depth::NAMES.iter().zip([Depth::Clip, Depth::Scale]) {
            assert_eq!((depth.to_string().as_str(), name.parse()), (*name, Ok(depth)));
        }
        assert!("deep".parse::<Depth>().is_err_and(|problem| problem.contains("clip, scale")));
    }
}
