//! The options of early stopping.

use serde::{Deserialize, Serialize};

use crate::error::{require_finite, require_non_negative};
use crate::options::{self, Key, keys};
use crate::{Mode, PolicyError, Semantics};

/// When to stop. Every option works under every [`Semantics`]; left at its default, it changes nothing.
///
/// With the metric `m`, the best so far `b` and the margin `d` = `min_delta`, in mode min:
///
/// | semantics | improvement | first value |
/// |---|---|---|
/// | `Book`, `Torch` | `m ≤ b − d`, so a tie improves when d = 0 | improves unless NaN |
/// | `Keras` | `m + d < b`, compared in `f32` | always improves, even NaN, which nothing beats later |
/// | `Lightning` | `m + d < b`, all in `f32` | improves on +∞ |
///
/// Deviation from the textbook: there NaN counts as an improvement, and is saved as the best model. Here it
/// counts as an epoch without one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStoppingConfig {
    /// Whose rules apply.
    pub semantics: Semantics,
    /// Stop after this many epochs in a row without improvement (0 acts as 1).
    pub patience: u32,
    /// The least change that counts as an improvement.
    pub min_delta: f64,
    /// Take `min_delta` as a share of the best value's magnitude rather than in the metric's unit.
    pub relative: bool,
    /// Whether the metric should fall or rise.
    pub mode: Mode,
    /// Epochs count as without improvement until the metric has also beaten this (Keras).
    pub baseline: Option<f64>,
    /// Ignore all epochs before this one, counted from 0 (Keras).
    pub start_from_epoch: u32,
    /// Stop as soon as the metric is better than this (Lightning).
    pub stopping_threshold: Option<f64>,
    /// Stop as soon as the metric is worse than this (Lightning).
    pub divergence_threshold: Option<f64>,
    /// Stop as soon as the metric is NaN or infinite (Lightning).
    pub check_finite: bool,
    /// Whether the trainer should go back to the best epoch's weights at the end (Keras).
    pub restore_best: bool,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        Self::defaults(Semantics::Book)
    }
}

impl EarlyStoppingConfig {
    /// The defaults of the package itself: patience 5 (textbook), 0 (Keras) or 3 (Lightning, which also checks
    /// for finite values).
    #[must_use]
    pub fn defaults(semantics: Semantics) -> Self {
        Self {
            semantics,
            patience: match semantics {
                Semantics::Torch | Semantics::Book => 5,
                Semantics::Keras => 0,
                Semantics::Lightning => 3,
            },
            min_delta: 0.0,
            relative: false,
            mode: Mode::Min,
            baseline: None,
            start_from_epoch: 0,
            stopping_threshold: None,
            divergence_threshold: None,
            check_finite: semantics == Semantics::Lightning,
            restore_best: false,
        }
    }

    /// The textbook's settings under the rules of `semantics`: patience 5, any change counts.
    #[must_use]
    pub fn textbook(semantics: Semantics) -> Self {
        Self { patience: 5, ..Self::defaults(semantics) }
    }

    const KEYS: &[Key<Self>] = keys!(
        patience,
        min_delta,
        relative,
        mode,
        baseline,
        start_from_epoch,
        stopping_threshold,
        divergence_threshold,
        check_finite,
        restore_best,
    );

    /// Reads options such as `patience=5,min_delta=0,mode=max` over the defaults of `semantics`.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn parse(semantics: Semantics, text: &str) -> Result<Self, PolicyError> {
        Self::defaults(semantics).with(text)
    }

    /// Reads options such as `patience=5,min_delta=0,mode=max` over these. Keras' `restore_best_weights` is
    /// `restore_best` under its rules.
    ///
    /// # Errors
    /// Names the option that is unknown, given twice or out of range.
    pub fn with(mut self, text: &str) -> Result<Self, PolicyError> {
        let keras = self.semantics == Semantics::Keras;
        let aliases: &[_] = if keras { &[("restore_best_weights", "restore_best")] } else { &[] };
        options::read(&mut self, text, Self::KEYS, aliases)?;
        self.validate()?;
        Ok(self)
    }

    /// Checks every option.
    ///
    /// # Errors
    /// Names the first option that is NaN, infinite or out of range. A negative `min_delta` is refused:
    /// Keras would drop its sign, the others would let worse values count as improvements.
    pub fn validate(&self) -> Result<(), PolicyError> {
        require_non_negative(self.min_delta, "min_delta")?;
        require_finite(self.baseline, "baseline")?;
        require_finite(self.stopping_threshold, "stopping_threshold")?;
        require_finite(self.divergence_threshold, "divergence_threshold")
    }
}
