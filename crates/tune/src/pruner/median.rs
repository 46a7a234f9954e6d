//! The median rule (Golovin et al. 2017).

use super::Field;
use crate::trial::{State, Trial};

/// Ends a trial whose best value so far is worse than the median of the others' at that epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Median {
    /// None ends before so many trials were trained to their end.
    pub startup: usize,
    /// None ends before that epoch.
    pub warmup: i64,
    /// So many epochs from one judgement to the next.
    pub interval: i64,
}

impl Default for Median {
    fn default() -> Self {
        Self { startup: 5, warmup: 0, interval: 1 }
    }
}

impl Median {
    pub(super) fn judge(&self, field: &Field<'_>, trial: &Trial) -> bool {
        let complete: Vec<&Trial> = field.trials.iter().filter(|one| one.state == State::Complete).collect();
        let Some(step) = trial.last_step() else { return false };
        if complete.is_empty() || complete.len() < self.startup || step < self.warmup {
            return false;
        }
        // The first report since the last epoch of judgement.
        let due = (step - self.warmup) / self.interval * self.interval + self.warmup;
        let before = trial.reports.range(..step).next_back().map_or(-1, |(before, _)| *before);
        if before >= due {
            return false;
        }
        let cost = |value: f64| field.direction.cost(value);
        let best = trial.reports.values().copied().map(cost).filter(|cost| !cost.is_nan()).reduce(f64::min);
        let Some(best) = best else { return true };
        let others = complete.iter().filter_map(|one| one.reports.get(&step).copied());
        median(others.filter(|value| !value.is_nan()).collect()).is_some_and(|m| best > cost(m))
    }
}

/// Between the two in the middle half way, as NumPy computes it.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(low + (high - low) * 0.5)
}
