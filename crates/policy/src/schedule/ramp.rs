//! Ramps: up to the base rate in a line, or down from it along a power.

use serde::{Deserialize, Serialize};

use super::{Group, Rule, require, require_non_negative, require_positive, require_share};
use crate::PolicyError;

/// lr(t) = base·(s + (e − s)·min(t, n)/n) with s = `start_factor`, e = `end_factor`, n = `total_iters`
/// (`LinearLR`). With s > e it ramps down.
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

impl Rule for LinearWarmup {
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

/// lr(t) = base·(1 − min(t, n)/n)^`power` with n = `total_iters` (`PolynomialLR`).
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

impl Rule for Polynomial {
    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        if step > self.total_iters {
            return group.lr;
        }
        let left = |step: u64| 1.0 - step as f64 / self.total_iters as f64;
        group.lr * (left(step) / left(step - 1)).powf(self.power)
    }
}
