//! One rise and one fall over the whole run (Smith & Topin 2018, "Super-Convergence: Very Fast Training of
//! Neural Networks Using Large Learning Rates").

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Group, Recurrence, require, require_positive, require_share};
use crate::PolicyError;

/// The curve between two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

/// One rise to `max_lr` and one fall far below the start: torch's `OneCycleLR` (the rate only, momentum is not cycled).
///
/// With a = `max_lr`/`div_factor`, b = `max_lr`, c = a/`final_div_factor`, and r = `pct_start`·`total_steps` − 1 the
/// step of the peak, half a cosine leads from one to the next:
///
/// lr(t) = b + (a − b)·(1 + cos(π·t/r))/2 up to r, then c + (b − c)·(1 + cos(π·(t − r)/(`total_steps` − 1 − r)))/2
///
/// As text: `one-cycle`, `one-cycle:max_lr=0.1,pct_start=0.2,anneal=linear`; `max_lr` is then the run's base rate and
/// `total_steps` the whole run unless written.
///
/// ```
/// use wellfit_policy::schedule::{OneCycle, Schedule};
/// let cycle = OneCycle { max_lr: 0.5, total_steps: 10, ..OneCycle::default() };
/// let rates: Vec<f64> = Schedule::OneCycle(cycle).rates(0.5).take(10).collect();
/// assert!((rates[0] - 0.02).abs() < 1e-15 && (rates[2] - 0.5).abs() < 1e-15 && rates[9] < 3e-6);
/// ```
///
/// Deviation: torch allows one step more than `total_steps`, where its rate leaves the range, and fails
/// after that; here the last rate holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The highest rate. The base rate is not used.
    pub max_lr: f64,
    /// Steps in the whole run.
    pub total_steps: u64,
    /// The share of the steps on the way up.
    pub pct_start: f64,
    /// The curve.
    pub anneal: Anneal,
    /// `max_lr` over the start rate.
    pub div_factor: f64,
    /// The start rate over the final one.
    pub final_div_factor: f64,
    /// Come down to the start rate as fast as it rose, and only then to the final one.
    pub three_phase: bool,
}

impl Default for OneCycle {
    /// torch's; `max_lr` and `total_steps` have no default there and must be set.
    fn default() -> Self {
        Self {
            max_lr: 0.0,
            total_steps: 0,
            pct_start: 0.3,
            anneal: Anneal::Cos,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }
}

/// A stretch of the run between two rates, up to and including step `end`.
struct Segment {
    end: f64,
    from: f64,
    to: f64,
}

impl OneCycle {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        let positive = |value: f64, key| {
            require(value.is_finite() && value > 0.0, key, value, "a finite number above 0")
        };
        positive(self.max_lr, "max_lr")?;
        require_positive(self.total_steps, "total_steps")?;
        require_share(self.pct_start, "pct_start")?;
        let one_step = self.rise() == 0.0;
        require(
            !one_step,
            "pct_start",
            self.pct_start,
            "a share of total_steps other than exactly one step",
        )?;
        positive(self.div_factor, "div_factor")?;
        positive(self.final_div_factor, "final_div_factor")
    }

    /// The step of the peak.
    fn rise(&self) -> f64 {
        self.pct_start * self.total_steps as f64 - 1.0
    }

    fn segments(&self, group: &Group) -> Vec<Segment> {
        let Group { initial_lr: start, max_lr: peak, min_lr: finish, .. } = *group;
        let last = self.total_steps as f64 - 1.0;
        let up = Segment { end: self.rise(), from: start, to: peak };
        if self.three_phase {
            let back = 2.0 * self.pct_start * self.total_steps as f64 - 2.0;
            return vec![
                up,
                Segment { end: back, from: peak, to: start },
                Segment { end: last, from: start, to: finish },
            ];
        }
        vec![up, Segment { end: last, from: peak, to: finish }]
    }

    fn at(&self, group: &Group, step: u64) -> f64 {
        let step = step.min(self.total_steps.saturating_sub(1)) as f64;
        let mut begin = 0.0;
        let mut lr = group.lr;
        for Segment { end, from, to } in self.segments(group) {
            lr = self.between(from, to, (step - begin) / (end - begin));
            if step <= end {
                break;
            }
            begin = end;
        }
        lr
    }

    fn between(&self, from: f64, to: f64, share: f64) -> f64 {
        match self.anneal {
            Anneal::Cos => to + (from - to) / 2.0 * (libm::cos(PI * share) + 1.0),
            Anneal::Linear => (to - from) * share + from,
        }
    }
}

impl Recurrence for OneCycle {
    fn prepare(&self, group: &mut Group) {
        group.initial_lr = self.max_lr / self.div_factor;
        group.max_lr = self.max_lr;
        group.min_lr = group.initial_lr / self.final_div_factor;
    }

    fn first(&self, group: &Group, _base_lr: f64) -> f64 {
        self.at(group, 0)
    }

    fn next(&self, group: &Group, _base_lr: f64, step: u64) -> f64 {
        self.at(group, step)
    }

    fn switched_to(&self, group: &Group, _base_lr: f64) -> f64 {
        self.at(group, 0)
    }
}
