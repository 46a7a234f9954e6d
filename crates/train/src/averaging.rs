//! Which weights are averaged. The average is what is validated, what the best epoch is chosen by and what is kept.

use wellfit_models::Weighting;

/// An average of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Averaging {
    /// The weights after each step, those of the newest counting most (EMA): see [`Weighting::Exponential`]. It begins
    /// anew when frozen layers begin to train.
    Exponential {
        /// How much of the average stays at a step.
        decay: f64,
    },
}

impl Averaging {
    /// How much each of them counts.
    pub(crate) fn weighting(self) -> Weighting {
        match self {
            Self::Exponential { decay } => Weighting::Exponential { decay },
        }
    }
}
