//! What a trial's run has come to, from its record.

use crate::trial::{Direction, State};
use std::path::Path;
use wellfit_record::{Event, Metric, RunDir, StopReason, epochs};
use wellfit_run::RunError;

/// The metric of the epochs that a run has, and its end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Made {
    /// The metric after each epoch.
    pub reports: Vec<(i64, f64)>,
    /// Why it ended, if it did.
    pub stopped: Option<StopReason>,
}

impl Made {
    /// Of the run in `dir`; nothing if there is none.
    pub fn of(dir: &Path, metric: Metric) -> Result<Self, RunError> {
        let Ok(run) = RunDir::open(dir) else { return Ok(Self::default()) };
        let events = run.events()?.rows;
        let report = |epoch: &wellfit_record::EpochRecord| Some((i64::from(epoch.epoch), metric.of(epoch)?));
        let reports = epochs(&events).iter().filter_map(report).collect();
        let stopped = events.iter().rev().find_map(|event| match event {
            Event::Stop { reason, .. } => Some(*reason),
            _ => None,
        });
        Ok(Self { reports, stopped })
    }

    /// The state and the value of the trial: that of its best epoch; of one that was pruned that of the last, as in Optuna.
    pub fn result(&self, direction: Direction) -> (State, Option<f64>) {
        if self.stopped == Some(StopReason::Callback) {
            let last = self.reports.last().map(|(_, value)| *value);
            return (State::Pruned, last.filter(|value| !value.is_nan()));
        }
        let numbers = self.reports.iter().map(|(_, value)| *value).filter(|value| !value.is_nan());
        let best = numbers.min_by(|a, b| direction.cost(*a).total_cmp(&direction.cost(*b)));
        if best.is_some() { (State::Complete, best) } else { (State::Fail, None) }
    }
}
