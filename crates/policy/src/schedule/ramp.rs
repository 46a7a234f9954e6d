//! Ramps: up to the base rate in a line, or down from it along a power.

use serde::{Deserialize, Serialize};

use super::{Group, Recurrence, require, require_non_negative, require_positive, require_share};
use crate::PolicyError;

/// A line from a share of the base rate to another, the base rate itself by default: torch's `LinearLR`.
///
/// lr(t) = base·(s + (e − s)·min(t, n)/n) with s = `start_factor`, e = `end_factor`, n = `total_iters`
///
/// With s > e it goes down. Arguments: `start_factor`, above 0 and at most 1 (1/3); `end_factor`, 0 to 1 (1);
/// `total_iters`, 1 or more (5). As text: `linear-warmup:start_factor=0.1,total_iters=5`.
///
/// ```
/// use wellfit_policy::schedule::{LinearWarmup, Schedule};
/// let warmup = LinearWarmup { start_factor: 0.5, total_iters: 2, ..LinearWarmup::default() };
/// let schedule = Schedule::LinearWarmup(warmup);
/// assert_eq!(schedule.rates(1.0).take(4).collect::<Vec<_>>(), [0.5, 0.75, 1.0, 1.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearWarmup {
    /// The factor at step 0, above 0 and at most 1.
    pub start_factor: f64,
    /// The factor from step `total_iters` on, from 0 to 1.
    pub end_factor: f64,
    /// Steps on the ramp.
    pub total_iters: u64,
}

impl Default for LinearWarmup {
    /// torch's.
    fn default() -> Self {
        Self { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl LinearWarmup {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        let above = self.start_factor > 0.0 && self.start_factor <= 1.0;
        require(above, "start_factor", self.start_factor, "a number above 0, 1 at most")?;
        require_share(self.end_factor, "end_factor")?;
        require_positive(self.total_iters, "total_iters")
    }
}

impl Recurrence for LinearWarmup {
    fn first(&self, group: &Group, _base_lr: f64) -> f64 {
        group.lr * self.start_factor
    }

    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        if step > self.total_iters {
            return group.lr;
        }
        let rise = self.end_factor - self.start_factor;
        let before = self.total_iters as f64 * self.start_factor + (step - 1) as f64 * rise;
        group.lr * (1.0 + rise / before)
    }

    fn switched_to(&self, _group: &Group, base_lr: f64) -> f64 {
        base_lr * self.start_factor
    }
}

/// Down to 0 along a power: torch's `PolynomialLR`.
///
/// lr(t) = base·(1 − min(t, n)/n)^`power` with n = `total_iters`
///
/// Arguments: `total_iters`, 1 or more (5); `power`, 0 or more (1). As text: `polynomial:total_iters=50,power=2`.
///
/// ```
/// use wellfit_policy::schedule::{Polynomial, Schedule};
/// let schedule = Schedule::Polynomial(Polynomial { total_iters: 4, power: 1.0 });
/// assert_eq!(schedule.rates(1.0).take(4).collect::<Vec<_>>(), [1.0, 0.75, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Steps until the rate is 0.
    pub total_iters: u64,
    /// The exponent; 1 is a straight line.
    pub power: f64,
}

impl Default for Polynomial {
    /// torch's.
    fn default() -> Self {
        Self { total_iters: 5, power: 1.0 }
    }
}

impl Polynomial {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.total_iters, "total_iters")?;
        require_non_negative(self.power, "power")
    }
}

impl Recurrence for Polynomial {
    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        if step > self.total_iters {
            return group.lr;
        }
        let left = |step: u64| 1.0 - step as f64 / self.total_iters as f64;
        group.lr * libm::pow(left(step) / left(step - 1), self.power)
    }
}
