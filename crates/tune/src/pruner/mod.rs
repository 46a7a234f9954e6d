//! Whether a trial is worth going on with, by its metric after each epoch and those of the others: pure, with Optuna's rules.

mod halving;
mod hyperband;
mod median;

pub use halving::Halving;
pub use hyperband::Hyperband;
pub use median::Median;

use crate::trial::{Direction, Trial};

/// When trials end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruner {
    /// Never.
    None,
    /// When the best so far is worse than the median of the others at that epoch.
    Median(Median),
    /// Successive halving without waiting (ASHA): only a share of the trials goes on at each rung.
    Halving(Halving),
    /// Several of these, which begin to halve at different epochs.
    Hyperband(Hyperband),
}

/// The trials that a pruner compares.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The study's name: it decides which bracket of Hyperband a trial belongs to.
    pub study: &'a str,
    /// Whether large values are good.
    pub direction: Direction,
    /// All trials of the study.
    pub trials: &'a [Trial],
}

/// What a pruner found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// Whether the trial is to end.
    pub prune: bool,
    /// What is to be noted in the trial (in [`Trial::system`]) for the judgement of others.
    pub notes: Vec<(String, f64)>,
}

impl Pruner {
    /// Whether `trial` is to end after its last report.
    #[must_use]
    pub fn judge(&self, field: &Field<'_>, trial: &Trial) -> Judgement {
        match self {
            Self::None => Judgement::default(),
            Self::Median(median) => Judgement { prune: median.judge(field, trial), notes: Vec::new() },
            Self::Halving(halving) => halving.judge(field.direction, &field.trials.iter(), trial),
            Self::Hyperband(hyperband) => hyperband.judge(field, trial),
        }
    }
}

#[cfg(test)]
mod tests;
