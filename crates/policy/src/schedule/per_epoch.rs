//! A schedule that takes a step once an epoch, seen from the steps of a training run.

use serde::{Deserialize, Serialize};

use super::{Schedule, require, require_positive};
use crate::PolicyError;

/// The rate of another schedule, which takes one step an epoch: what `scheduler.step()` at the end of each epoch does
/// in torch.
///
/// lr(t) = schedule(⌊t/n⌋) with n = `steps_per_epoch`.
///
/// Arguments: `steps_per_epoch`, 1 or more; `schedule`, any that does not count epochs itself.
///
/// ```
/// use wellfit_policy::schedule::{PerEpoch, Schedule, Step};
/// let schedule = Box::new(Schedule::Step(Step { step_size: 1, gamma: 0.5 }));
/// let schedule = Schedule::PerEpoch(PerEpoch { steps_per_epoch: 2, schedule });
/// let rates: Vec<f64> = schedule.rates(0.1).take(5).collect();
/// assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerEpoch {
    /// Training steps in an epoch.
    pub steps_per_epoch: u64,
    /// What decides the rate of each epoch.
    pub schedule: Box<Schedule>,
}

impl PerEpoch {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.steps_per_epoch, "steps_per_epoch")?;
        let twice = matches!(*self.schedule, Schedule::PerEpoch(_));
        require(!twice, "schedule", "per_epoch", "a schedule that does not count epochs itself")?;
        self.schedule.validate()
    }
}
