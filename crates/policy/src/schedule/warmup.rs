//! A rise before any other schedule.

use serde::{Deserialize, Serialize};

use super::{LinearWarmup, Schedule, require, require_positive};
use crate::PolicyError;

/// A line up to the base rate, then another schedule from its step 0 on.
///
/// lr(t) = base·(s + (1 − s)·t/n) for t < n, schedule(t − n) from there on, with s = `start_factor`, n = `steps`
///
/// These are the rates of torch's `SequentialLR([LinearLR(start_factor=s, total_iters=n), schedule], milestones=[n])`, as
/// torchvision's reference training has them, and those of Goyal et al. 2017 (arXiv:1706.02677) where a step is a batch.
/// Unlike [`Sequential`](super::Sequential) it takes a schedule of any kind; only one that has a rise of its own,
/// [`OneCycle`](super::OneCycle), makes no sense behind another.
///
/// Arguments: `steps`, 1 or more; `start_factor`, above 0 and at most 1; `schedule`.
///
/// ```
/// use wellfit_policy::schedule::{Schedule, Step, Warmup};
/// let schedule = Box::new(Schedule::Step(Step { step_size: 1, gamma: 0.5 }));
/// let warmup = Warmup { steps: 2, start_factor: 0.5, schedule };
/// let schedule = Schedule::Warmup(warmup);
/// assert_eq!(schedule.rates(1.0).take(4).collect::<Vec<_>>(), [0.5, 0.75, 1.0, 0.5]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Steps on the way up.
    pub steps: u64,
    /// The share of the base rate at step 0.
    pub start_factor: f64,
    /// What moves the rate afterwards.
    pub schedule: Box<Schedule>,
}

impl Warmup {
    /// The share of the rate that the first step has: torchvision's references (`--lr-warmup-decay`).
    pub const START_FACTOR: f64 = 0.01;

    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.steps, "steps")?;
        self.ramp().validate()?;
        let rises = matches!(*self.schedule, Schedule::OneCycle(_) | Schedule::Warmup(_));
        require(!rises, "schedule", "one with a rise of its own", "a schedule that begins at the base rate")?;
        self.schedule.validate()
    }

    /// The way up.
    pub(super) fn ramp(&self) -> LinearWarmup {
        LinearWarmup { start_factor: self.start_factor, end_factor: 1.0, total_iters: self.steps }
    }
}
