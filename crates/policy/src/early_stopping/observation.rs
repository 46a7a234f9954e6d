//! What early stopping says after an epoch.

use std::fmt;

use serde::{Deserialize, Serialize};
use wellfit_base::number;
use wellfit_base::words::{either, plural};

/// Why early stopping ends a run. Its `Display` is the sentence for the user; epochs are printed counting from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EarlyStoppingReason {
    /// Too many epochs in a row without improvement.
    Patience {
        /// How many.
        epochs: u32,
        /// The best value seen, if any.
        #[serde(with = "number::option", default)]
        best: Option<f64>,
        /// Its epoch, counted from 0.
        best_epoch: Option<u32>,
    },
    /// The metric is NaN or infinite, and `check_finite` was set.
    NotFinite {
        /// The metric.
        #[serde(with = "number")]
        value: f64,
    },
    /// The metric is as good as asked for.
    StoppingThreshold {
        /// The metric.
        #[serde(with = "number")]
        value: f64,
        /// The threshold it passed.
        threshold: f64,
    },
    /// The metric is worse than allowed.
    DivergenceThreshold {
        /// The metric.
        #[serde(with = "number")]
        value: f64,
        /// The threshold it passed.
        threshold: f64,
    },
}

impl fmt::Display for EarlyStoppingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patience { epochs, best, best_epoch } => {
                write!(f, "no improvement in {}", plural(*epochs as usize, "epoch"))?;
                f.write_str(either(*epochs as usize, "; ", " in a row; "))?;
                match (best, best_epoch) {
                    (Some(best), Some(epoch)) => {
                        // As many digits as the lines of the epochs have; of a small number those that say something.
                        let digits =
                            if best.abs() < 0.001 { format!("{best:.3e}") } else { format!("{best:.4}") };
                        // What has fewer is written with fewer: 0.66.
                        let shorter = best.to_string();
                        let best = if shorter.len() < digits.len() { shorter } else { digits };
                        write!(f, "the best was {best} at epoch {}", u64::from(*epoch) + 1)
                    }
                    _ => write!(f, "no epoch gave a usable value"),
                }
            }
            Self::NotFinite { value } => write!(f, "the monitored metric is {value}, not a finite number"),
            Self::StoppingThreshold { value, threshold } => {
                write!(f, "the monitored metric is {value}, better than the stopping threshold {threshold}")
            }
            Self::DivergenceThreshold { value, threshold } => {
                write!(f, "the monitored metric is {value}, worse than the divergence threshold {threshold}")
            }
        }
    }
}

/// What one epoch's metric led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Whether this is the best epoch so far: save its weights.
    pub improved: bool,
    /// Epochs in a row without improvement.
    pub counter: u32,
    /// The best value so far.
    #[serde(with = "number::option", default)]
    pub best: Option<f64>,
    /// The best value before this epoch.
    #[serde(with = "number::option", default)]
    pub previous_best: Option<f64>,
    /// The best value's epoch.
    pub best_epoch: Option<u32>,
    /// Why to stop now; `None` to continue.
    pub stop: Option<EarlyStoppingReason>,
}

impl Observation {
    /// The textbook's progress line, `EarlyStopping counter: 3 out of 5`, for an epoch that was counted.
    #[must_use]
    pub fn counter_line(&self, patience: u32) -> Option<String> {
        let counted = matches!(self.stop, None | Some(EarlyStoppingReason::Patience { .. }));
        (counted && !self.improved && self.counter > 0)
            .then(|| format!("EarlyStopping counter: {} out of {patience}", self.counter))
    }

    /// The verbose line of an epoch that improved: `val_loss improved from 0.563100 to 0.512500, …`.
    #[must_use]
    pub fn improvement_line(&self, monitor: &str) -> Option<String> {
        let best = self.best.filter(|_| self.improved)?;
        Some(match self.previous_best {
            Some(before) => format!("{monitor} improved from {before:.6} to {best:.6}, saving the weights"),
            None => format!("{monitor} is {best:.6}, the first value: saving the weights"),
        })
    }
}
