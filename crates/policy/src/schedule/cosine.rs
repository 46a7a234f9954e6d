//! Half a cosine from the base rate down to a floor (Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient
//! Descent with Warm Restarts").

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Group, Recurrence, require_non_negative, require_positive};
use crate::PolicyError;

/// Half a cosine from the base rate down to a floor: torch's `CosineAnnealingLR`.
///
/// lr(t) = `eta_min` + (base − `eta_min`)·(1 + cos(π·t/`t_max`))/2
///
/// It does not stop at `t_max`: the rate rises again, and is back at the base at 2·`t_max`. Arguments: `t_max`, 1 or
/// more (as text: the whole run); `eta_min`, 0 or more (0). As text: `cosine`, `cosine:t_max=50,eta_min=1e-5`.
///
/// ```
/// use wellfit_policy::schedule::{Cosine, Schedule};
/// let schedule = Schedule::Cosine(Cosine { t_max: 2, eta_min: 0.0 });
/// let rates: Vec<f64> = schedule.rates(1.0).take(3).collect();
/// assert!(rates[0] == 1.0 && (rates[1] - 0.5).abs() < 1e-15 && rates[2].abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// Steps from the base rate to the floor.
    pub t_max: u64,
    /// The floor.
    #[serde(default)]
    pub eta_min: f64,
}

impl Cosine {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.t_max, "t_max")?;
        require_non_negative(self.eta_min, "eta_min")
    }

    /// 1 + cos(π·t/`t_max`): twice the share of the fall that is still to come.
    fn height(&self, step: u64) -> f64 {
        1.0 + libm::cos(PI * step as f64 / self.t_max as f64)
    }
}

impl Recurrence for Cosine {
    fn next(&self, group: &Group, base_lr: f64, step: u64) -> f64 {
        let (floor, before) = (self.eta_min, step - 1);
        // At the floor a ratio of heights would be x/0: torch steps off it by the base rate instead.
        if before % self.t_max.saturating_mul(2).max(1) == self.t_max {
            return group.lr + (base_lr - floor) * (1.0 - libm::cos(PI / self.t_max as f64)) / 2.0;
        }
        self.height(step) / self.height(before) * (group.lr - floor) + floor
    }

    fn switched_to(&self, _group: &Group, base_lr: f64) -> f64 {
        self.eta_min + (base_lr - self.eta_min) * self.height(0) / 2.0
    }
}

fn one() -> u64 {
    1
}

/// Half a cosine down to a floor, begun anew at the base rate again and again: torch's
/// `CosineAnnealingWarmRestarts`.
///
/// lr(t) = `eta_min` + (base − `eta_min`)·(1 + cos(π·c/p))/2, c steps into a period of p steps
///
/// Arguments: `t_0`, the length of the first period, 1 or more; `t_mult`, how many times longer each period is than
/// the one before, 1 or more (1); `eta_min`, 0 or more (0). As text: `cosine-restarts:t_0=10,t_mult=2`.
///
/// ```
/// use wellfit_policy::schedule::{CosineRestarts, Schedule};
/// let schedule = Schedule::CosineRestarts(CosineRestarts { t_0: 2, t_mult: 1, eta_min: 0.0 });
/// let rates: Vec<f64> = schedule.rates(1.0).take(4).collect();
/// assert!(rates[0] == 1.0 && (rates[1] - 0.5).abs() < 1e-15 && rates[2] == 1.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// Length of the first period.
    pub t_0: u64,
    /// Growth of the period.
    #[serde(default = "one")]
    pub t_mult: u64,
    /// The floor.
    #[serde(default)]
    pub eta_min: f64,
}

impl CosineRestarts {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require_positive(self.t_0, "t_0")?;
        require_positive(self.t_mult, "t_mult")?;
        require_non_negative(self.eta_min, "eta_min")
    }

    /// The step within its period, and the period's length.
    fn place(&self, step: u64) -> (u64, u64) {
        let (mut position, mut period) = (step, self.t_0.max(1));
        if self.t_mult <= 1 {
            return (step % period, period);
        }
        while position >= period {
            position -= period;
            period = period.saturating_mul(self.t_mult);
        }
        (position, period)
    }

    fn at(&self, base_lr: f64, step: u64) -> f64 {
        let (position, period) = self.place(step);
        let height = 1.0 + libm::cos(PI * position as f64 / period as f64);
        self.eta_min + (base_lr - self.eta_min) * height / 2.0
    }
}

impl Recurrence for CosineRestarts {
    fn first(&self, _group: &Group, base_lr: f64) -> f64 {
        self.at(base_lr, 0)
    }

    fn next(&self, _group: &Group, base_lr: f64, step: u64) -> f64 {
        self.at(base_lr, step)
    }

    fn switched_to(&self, _group: &Group, base_lr: f64) -> f64 {
        self.at(base_lr, 0)
    }
}
