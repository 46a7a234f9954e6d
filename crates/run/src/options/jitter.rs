//! How much colours vary.

use super::setting::{Kind, Setting, unicode, worded};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use wellfit_data::augment::ColorJitter;

/// The strength of a colour jitter: one number for brightness, contrast and saturation, or these and the hue.
///
/// ```
/// use wellfit_run::JitterSetting;
/// let jitter: JitterSetting = "0.4,0.4,0.2,0.1".parse()?;
/// assert_eq!(jitter.0.hue, 0.1);
/// assert_eq!("0.3".parse::<JitterSetting>()?.to_string(), "0.3");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "Value")]
pub struct JitterSetting(pub ColorJitter);

/// In a file: a number, or text as on a command line.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
}

impl Default for JitterSetting {
    /// None.
    fn default() -> Self {
        Self(ColorJitter::uniform(0.0))
    }
}

impl JitterSetting {
    /// Whether colours vary at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self != Self::default()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let ColorJitter { brightness, contrast, saturation, hue } = self.0;
        let fits = [brightness, contrast, saturation].iter().all(|strength| (0.0..=10.0).contains(strength));
        if fits && (0.0..=0.5).contains(&hue) {
            return Ok(());
        }
        Err(format!("`color_jitter` must be from 0 to 10, the hue from 0 to 0.5, not {self}"))
    }
}

impl std::str::FromStr for JitterSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[strength]) => Ok(Self(ColorJitter::uniform(strength))),
            Ok(&[brightness, contrast, saturation, hue]) => {
                Ok(Self(ColorJitter { brightness, contrast, saturation, hue }))
            }
            _ => Err("give one number, such as 0.4, or four for brightness, contrast, saturation and hue, such as \
                      0.4,0.4,0.4,0.1"
                .to_owned()),
        }
    }
}

impl fmt::Display for JitterSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ColorJitter { brightness, contrast, saturation, hue } = self.0;
        if self.0 == ColorJitter::uniform(brightness) {
            write!(f, "{brightness}")
        } else {
            write!(f, "{brightness},{contrast},{saturation},{hue}")
        }
    }
}

impl From<JitterSetting> for String {
    fn from(jitter: JitterSetting) -> Self {
        jitter.to_string()
    }
}

impl TryFrom<Value> for JitterSetting {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Number(strength) => Ok(Self(ColorJitter::uniform(strength))),
            Value::Text(text) => text.parse(),
        }
    }
}

worded!(JitterSetting: Kind::Text);
