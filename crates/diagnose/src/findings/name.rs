//! The names of findings, which are a contract.

use serde::{Serialize, Serializer};
use std::fmt;

/// One line a finding: its variant and its name.
macro_rules! names {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)*) => {
        /// The name of a finding. They stand in the order of their weight, the weightiest first: what makes a training
        /// useless, then what spoils it, then what it could gain.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Name {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Name {
            /// All of them, the weightiest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, such as `overfitting`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

names! {
    /// The loss became NaN, infinite, or lost what it had gained.
    Diverged = "diverged",
    /// The training loss stays that of an answer without looking.
    NotLearning = "not-learning",
    /// The loss is computed from probabilities as if they were logits.
    DoubleSoftmax = "double-softmax",
    /// The first layers' gradients are too large.
    ExplodingGradients = "exploding-gradients",
    /// The first layers' gradients are too small.
    VanishingGradients = "vanishing-gradients",
    /// Units answer 0 to every image.
    DeadUnits = "dead-units",
    /// The learning rate is too high.
    LrTooHigh = "lr-too-high",
    /// Validation knows images that training saw.
    Duplicates = "duplicates",
    /// BatchNorm's running statistics do not fit.
    BatchNormStatistics = "batchnorm-statistics",
    /// The training set is learnt by heart.
    Overfitting = "overfitting",
    /// The answers hold, but their probabilities become too extreme.
    Overconfident = "overconfident",
    /// The network is too small or too constrained for the data.
    Underfitting = "underfitting",
    /// The learning rate is too low.
    LrTooLow = "lr-too-low",
    /// Single losses far above the others.
    LossSpikes = "loss-spikes",
    /// Early stopping ended what would have gone on.
    StoppedTooEarly = "stopped-too-early",
    /// More epochs would help.
    StillImproving = "still-improving",
    /// Validation stands still at one rate.
    Plateau = "plateau",
    /// Training answers are much better than validation answers.
    GeneralizationGap = "generalization-gap",
    /// Validation is better than training.
    ValidationAboveTrain = "validation-above-train",
    /// Labels that are probably wrong.
    LabelErrors = "label-errors",
    /// Rare classes are answered badly.
    ClassImbalance = "class-imbalance",
    /// The validation part cannot tell what is claimed.
    ValidationTooSmall = "validation-too-small",
    /// Training waits for images.
    WaitingForData = "waiting-for-data",
    /// Nothing else was found.
    Healthy = "healthy",
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
