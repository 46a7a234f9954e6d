//! Schedules that multiply the rate by `gamma` now and then.

use serde::{Deserialize, Serialize};

use super::{Group, Recurrence, require_non_negative, require_positive};
use crate::PolicyError;

/// torch's default.
fn tenth() -> f64 {
    0.1
}

/// Multiplies the rate by `gamma` every `step_size` steps: torch's `StepLR`.
///
/// lr(t) = base·gamma^⌊t/`step_size`⌋
///
/// Arguments: `step_size`, 1 or more; `gamma`, 0 or more (0.1). As text: `step:step_size=30,gamma=0.1`.
///
/// ```
/// use wellfit_policy::schedule::{Schedule, Step};
/// let schedule = Schedule::Step(Step { step_size: 2, gamma: 0.5 });
/// assert_eq!(schedule.rates(1.0).take(5).collect::<Vec<_>>(), [1.0, 1.0, 0.5, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Steps between two changes.
    pub step_size: u64,
    /// The multiplier.
    #[serde(default = "tenth")]
    pub gamma: f64,
}

impl Step {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.step_size, "step_size")?;
        require_non_negative(self.gamma, "gamma")
    }
}

impl Recurrence for Step {
    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        if step.is_multiple_of(self.step_size) { group.lr * self.gamma } else { group.lr }
    }
}

/// Multiplies the rate by `gamma` at each milestone, as often as it is listed: torch's `MultiStepLR`.
///
/// lr(t) = base·gamma^(number of milestones ≤ t)
///
/// Arguments: `milestones`, in steps; `gamma`, 0 or more (0.1). As text: `multi-step:milestones=[30,80],gamma=0.1`.
///
/// ```
/// use wellfit_policy::schedule::{MultiStep, Schedule};
/// let schedule = Schedule::MultiStep(MultiStep { milestones: vec![1, 3], gamma: 0.5 });
/// assert_eq!(schedule.rates(1.0).take(4).collect::<Vec<_>>(), [1.0, 0.5, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// The steps at which the rate changes, in any order.
    pub milestones: Vec<u64>,
    /// The multiplier.
    #[serde(default = "tenth")]
    pub gamma: f64,
}

impl MultiStep {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_non_negative(self.gamma, "gamma")
    }

    fn applied(&self, lr: f64, step: u64) -> f64 {
        let times = self.milestones.iter().filter(|&&milestone| milestone == step).count();
        if times == 0 { lr } else { lr * libm::pow(self.gamma, times as f64) }
    }
}

impl Recurrence for MultiStep {
    fn first(&self, group: &Group, _base_lr: f64) -> f64 {
        self.applied(group.lr, 0)
    }

    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        self.applied(group.lr, step)
    }

    fn switched_to(&self, _group: &Group, base_lr: f64) -> f64 {
        self.applied(base_lr, 0)
    }
}

/// Multiplies the rate by `gamma` at every step: torch's `ExponentialLR`.
///
/// lr(t) = base·gamma^t
///
/// Arguments: `gamma`, 0 or more. As text: `exponential:gamma=0.95`.
///
/// ```
/// use wellfit_policy::schedule::{Exponential, Schedule};
/// let schedule = Schedule::Exponential(Exponential { gamma: 0.5 });
/// assert_eq!(schedule.rates(1.0).take(3).collect::<Vec<_>>(), [1.0, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The multiplier.
    pub gamma: f64,
}

impl Exponential {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_non_negative(self.gamma, "gamma")
    }
}

impl Recurrence for Exponential {
    fn next(&self, group: &Group, _base_lr: f64, _step: u64) -> f64 {
        group.lr * self.gamma
    }
}
