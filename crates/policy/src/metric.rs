//! Which way a metric should go, and whose rules say that it went there.

use serde::{Deserialize, Serialize};

/// The direction in which a metric gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Smaller is better, as for a loss.
    #[default]
    Min,
    /// Larger is better, as for an accuracy.
    Max,
}

impl Mode {
    /// Whether `a` is strictly better than `b`. NaN is neither better nor worse than anything.
    #[must_use]
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Min => a < b,
            Self::Max => a > b,
        }
    }

    /// The value no other is worse than: +∞ for [`Mode::Min`], −∞ for [`Mode::Max`].
    #[must_use]
    pub fn worst(self) -> f64 {
        match self {
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }

    /// `value`, better by `margin`.
    pub(crate) fn improve(self, value: f64, margin: f64) -> f64 {
        match self {
            Self::Min => value - margin,
            Self::Max => value + margin,
        }
    }

    /// `value`, worse by `margin`.
    pub(crate) fn worsen(self, value: f64, margin: f64) -> f64 {
        self.improve(value, -margin)
    }
}

/// Whose rules a policy follows, where the packages differ.
///
/// | | early stopping | reduce on plateau |
/// |---|---|---|
/// | `Torch` | as `Book`: torch has none of its own | torch |
/// | `Keras` | Keras 3 | Keras 3 |
/// | `Lightning` | Lightning 2 | as `Torch`: Lightning uses torch's |
/// | `Book` | a PyTorch textbook's recipe | as `Torch`: the recipe uses torch's |
///
/// Keras compares in `f32` and keeps the learning rate in `f32`; Lightning sees the metric itself in
/// `f32`. So do these rules, since a tie there is not a tie in `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Semantics {
    /// `torch.optim.lr_scheduler`.
    #[default]
    Torch,
    /// `keras.callbacks`.
    Keras,
    /// `lightning.pytorch.callbacks`.
    Lightning,
    /// A PyTorch textbook's recipe.
    Book,
}

/// The nearest `f32`, as an `f64`.
pub(crate) fn to_f32(value: f64) -> f64 {
    f64::from(value as f32)
}

/// The test all of Keras' monitoring callbacks share: better than `reference` by more than `margin`, the
/// margin applied in `f64`, the comparison made in `f32`. Whatever comes first improves, even NaN.
pub(crate) fn keras_improves(mode: Mode, metric: f64, margin: f64, reference: Option<f64>) -> bool {
    reference.is_none_or(|reference| mode.is_better(to_f32(mode.worsen(metric, margin)), to_f32(reference)))
}
