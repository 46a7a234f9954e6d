//! Schedules that multiply the rate by `gamma` now and then.

use serde::{Deserialize, Serialize};

use super::{Group, Rule, require_non_negative, require_positive};
use crate::PolicyError;

/// torch's default.
fn tenth() -> f64 {
    0.1
}

/// Multiply by `gamma` every `step_size` steps: lr(t) = base·gamma^⌊t/`step_size`⌋ (`StepLR`).
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

impl Rule for Step {
    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        if step.is_multiple_of(self.step_size) { group.lr * self.gamma } else { group.lr }
    }
}

/// Multiply by `gamma` at each milestone, as often as it is listed (`MultiStepLR`).
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
        if times == 0 { lr } else { lr * self.gamma.powf(times as f64) }
    }
}

impl Rule for MultiStep {
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

/// Multiply by `gamma` at every step: lr(t) = base·gamma^t (`ExponentialLR`).
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

impl Rule for Exponential {
    fn next(&self, group: &Group, _base_lr: f64, _step: u64) -> f64 {
        group.lr * self.gamma
    }
}
