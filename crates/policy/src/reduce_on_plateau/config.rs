//! The options of the plateau scheduler.

use serde::{Deserialize, Serialize};

use crate::error::{require, require_non_negative};
use crate::options::{self, Key, OptionValue, keys};
use crate::{Mode, PolicyError, Semantics};

/// Keras' name of `threshold`.
const KERAS_THRESHOLD: &str = "min_delta";

/// How `threshold` is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdMode {
    /// Better than best·(1 − threshold) in mode min, best·(1 + threshold) in mode max. With a negative
    /// best this also accepts slightly worse values: torch's rule, kept.
    #[default]
    Rel,
    /// Better than the best by more than the threshold.
    Abs,
}

impl OptionValue for ThresholdMode {
    const EXPECTED: &'static str = "rel or abs";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "rel" => Some(Self::Rel),
            "abs" => Some(Self::Abs),
            _ => None,
        }
    }
}

/// When and how far to lower the rate. The names are torch's; Keras calls `threshold` `min_delta`.
///
/// torch (`Torch`, `Lightning`, `Book`) acts at `patience` + 1 epochs without improvement, Keras at
/// `patience`. torch enters the cooldown even when the rate could not be lowered, Keras only when it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateauConfig {
    /// Whose rules apply.
    pub semantics: Semantics,
    /// Whether the metric should fall or rise.
    pub mode: Mode,
    /// What the rate is multiplied by, between 0 and 1.
    pub factor: f64,
    /// Epochs without improvement to wait.
    pub patience: u32,
    /// The least change that counts as an improvement.
    pub threshold: f64,
    /// How `threshold` is meant; Keras knows only [`ThresholdMode::Abs`].
    pub threshold_mode: ThresholdMode,
    /// Epochs after a reduction that are not counted.
    pub cooldown: u32,
    /// The rate is not lowered below this.
    pub min_lr: f64,
    /// A reduction not larger than this is not made; Keras has none, so 0 there.
    pub eps: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self::defaults(Semantics::Torch)
    }
}

impl PlateauConfig {
    /// The defaults of the package itself.
    #[must_use]
    pub fn defaults(semantics: Semantics) -> Self {
        let keras = semantics == Semantics::Keras;
        Self {
            semantics,
            mode: Mode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: if keras { ThresholdMode::Abs } else { ThresholdMode::Rel },
            cooldown: 0,
            min_lr: 0.0,
            eps: if keras { 0.0 } else { 1e-8 },
        }
    }

    /// The textbook's settings under the rules of `semantics`: patience 5, factor 0.5, not below 1e-6.
    #[must_use]
    pub fn textbook(semantics: Semantics) -> Self {
        Self { patience: 5, factor: 0.5, min_lr: 1e-6, ..Self::defaults(semantics) }
    }

    const KEYS: &[Key<Self>] =
        keys!(mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps);

    /// Reads options such as `mode=min,factor=0.5,patience=5` over the defaults of `semantics`.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn parse(semantics: Semantics, text: &str) -> Result<Self, PolicyError> {
        Self::defaults(semantics).with(text)
    }

    /// Reads options such as `mode=min,factor=0.5,patience=5` over these. Keras' `min_delta` is `threshold`
    /// under its rules.
    ///
    /// # Errors
    /// Names the option that is unknown, given twice or out of range.
    pub fn with(mut self, text: &str) -> Result<Self, PolicyError> {
        let keras = self.semantics == Semantics::Keras;
        let aliases: &[_] = if keras { &[(KERAS_THRESHOLD, "threshold")] } else { &[] };
        options::read(&mut self, text, Self::KEYS, aliases)?;
        self.validate()?;
        Ok(self)
    }

    /// Checks every option.
    ///
    /// # Errors
    /// Names the first option that is NaN, infinite, out of range, or without meaning in Keras.
    pub fn validate(&self) -> Result<(), PolicyError> {
        require(
            self.factor > 0.0 && self.factor < 1.0,
            "factor",
            self.factor,
            "a number above 0 and below 1",
        )?;
        let keras = self.semantics == Semantics::Keras;
        require_non_negative(self.threshold, if keras { KERAS_THRESHOLD } else { "threshold" })?;
        require_non_negative(self.min_lr, "min_lr")?;
        require_non_negative(self.eps, "eps")?;
        if keras {
            let absolute = self.threshold_mode == ThresholdMode::Abs;
            require(absolute, "threshold_mode", "rel", "abs, since Keras' threshold is absolute")?;
            require(self.eps == 0.0, "eps", self.eps, "0, since Keras has no such option")?;
        }
        Ok(())
    }
}
