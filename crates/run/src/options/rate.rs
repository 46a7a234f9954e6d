//! The learning rate: a number, or one that is still to be found.

use super::setting::{Kind, Setting, unicode};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;

/// What stands for a rate that is to be found.
const AUTO: &str = "auto";
/// What is checked before the rate is known is checked with this one.
const USUAL: f64 = 1e-3;

/// A learning rate.
///
/// ```
/// use wellfit_run::LrSetting;
/// assert_eq!(LrSetting::from(0.1).number(), 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub enum LrSetting {
    /// To be found before the first step.
    Auto,
    /// This one.
    Rate(f64),
}

/// In a file: a number, or text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl LrSetting {
    /// The number; a usual one while it is to be found.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::Auto => USUAL,
            Self::Rate(rate) => rate,
        }
    }
}

impl From<f64> for LrSetting {
    fn from(rate: f64) -> Self {
        Self::Rate(rate)
    }
}

impl From<LrSetting> for Written {
    fn from(lr: LrSetting) -> Self {
        match lr {
            LrSetting::Auto => Self::Text(AUTO.to_owned()),
            LrSetting::Rate(rate) => Self::Number(rate),
        }
    }
}

impl TryFrom<Written> for LrSetting {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(rate) => Ok(Self::Rate(rate)),
            Written::Text(text) => Self::parse(OsStr::new(&text)),
        }
    }
}

impl Setting for LrSetting {
    const KIND: Kind = Kind::Number;

    fn parse(text: &OsStr) -> Result<Self, String> {
        if unicode(text)?.eq_ignore_ascii_case(AUTO) {
            return Ok(Self::Auto);
        }
        f64::parse(text).map(Self::Rate).map_err(|problem| format!("{problem}; or auto"))
    }

    fn show(&self) -> Option<String> {
        match self {
            Self::Auto => Some(AUTO.to_owned()),
            Self::Rate(rate) => rate.show(),
        }
    }
}
