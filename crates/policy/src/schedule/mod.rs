//! Learning-rate schedules, step → rate, as `torch.optim.lr_scheduler` defines them.
//!
//! torch computes most rates from the previous one (`lr *= gamma`), so that schedules can be combined. The
//! same recurrences are used here: rates agree with torch bit for bit, as far as the platform's `cos` and
//! `pow` do, and combined schedules agree as well, which closed forms cannot.
//!
//! One step is whatever the caller makes it, an epoch or a batch. Step 0 is the first one trained. [`ScheduleSpec`] is a
//! schedule as users write it, by name; it decides what a step is and becomes the schedule of a training run.
//!
//! In equations t is the step and base the base rate.
//!
//! ```
//! use wellfit_policy::schedule::{Schedule, Step};
//! let schedule = Schedule::Step(Step { step_size: 2, gamma: 0.5 });
//! schedule.validate()?;
//! let rates: Vec<f64> = schedule.rates(0.1).take(5).collect();
//! assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025]);
//! assert_eq!(schedule.lr(0.1, 4), 0.025);
//! # Ok::<(), wellfit_policy::PolicyError>(())
//! ```

mod compose;
mod cosine;
mod one_cycle;
mod options;
mod per_epoch;
mod ramp;
mod spec;
mod steps;
mod swa;
mod warmup;

use serde::{Deserialize, Serialize};

pub use compose::{Chained, Rates, Sequential};
pub use cosine::{Cosine, CosineRestarts};
pub use one_cycle::{Anneal, OneCycle};
pub use per_epoch::PerEpoch;
pub use ramp::{LinearWarmup, Polynomial};
pub use spec::ScheduleSpec;
pub use steps::{Exponential, MultiStep, Step};
pub use swa::SwaRate;
pub use warmup::Warmup;

use crate::PolicyError;
use crate::error::{require, require_non_negative};

/// A learning-rate schedule. In TOML and JSON its `kind` is the variant's name, as in
/// `{ kind = "step", step_size = 30, gamma = 0.1 }`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// The base rate throughout.
    #[default]
    Constant,
    /// [`Step`].
    Step(Step),
    /// [`MultiStep`].
    MultiStep(MultiStep),
    /// [`Exponential`].
    Exponential(Exponential),
    /// [`Cosine`].
    Cosine(Cosine),
    /// [`CosineRestarts`].
    CosineRestarts(CosineRestarts),
    /// [`OneCycle`].
    OneCycle(OneCycle),
    /// [`LinearWarmup`].
    LinearWarmup(LinearWarmup),
    /// [`Polynomial`].
    Polynomial(Polynomial),
    /// [`Sequential`].
    Sequential(Sequential),
    /// [`Chained`].
    Chained(Chained),
    /// [`PerEpoch`].
    PerEpoch(PerEpoch),
    /// [`Warmup`].
    Warmup(Warmup),
}

impl Schedule {
    /// Checks every option.
    ///
    /// # Errors
    /// Names the first option that is NaN or out of range. The rates of a schedule that fails mean nothing.
    pub fn validate(&self) -> Result<(), PolicyError> {
        match self {
            Self::Constant => Ok(()),
            Self::Step(step) => step.validate(),
            Self::MultiStep(steps) => steps.validate(),
            Self::Exponential(exponential) => exponential.validate(),
            Self::Cosine(cosine) => cosine.validate(),
            Self::CosineRestarts(cosine) => cosine.validate(),
            Self::OneCycle(cycle) => cycle.validate(),
            Self::LinearWarmup(warmup) => warmup.validate(),
            Self::Polynomial(polynomial) => polynomial.validate(),
            Self::Sequential(sequential) => sequential.validate(),
            Self::Chained(chained) => chained.validate(),
            Self::PerEpoch(per_epoch) => per_epoch.validate(),
            Self::Warmup(warmup) => warmup.validate(),
        }
    }

    /// The rate at `step`, starting from `base_lr`; [`OneCycle`] starts from its own `max_lr`.
    ///
    /// A pure function, but it computes all rates before: to walk through them use [`rates`](Self::rates).
    #[must_use]
    pub fn lr(&self, base_lr: f64, step: u64) -> f64 {
        let mut rates = self.rates(base_lr);
        (0..step).for_each(|_| rates.advance());
        rates.current()
    }

    /// All rates from step 0 on, without end. To resume at step n, skip n of them.
    #[must_use]
    pub fn rates(&self, base_lr: f64) -> Rates<'_> {
        Rates::new(self, base_lr)
    }

    /// The schedule's own recurrence, unless it is made of others.
    fn recurrence(&self) -> Option<&dyn Recurrence> {
        Some(match self {
            Self::Constant => &Constant,
            Self::Step(step) => step,
            Self::MultiStep(steps) => steps,
            Self::Exponential(exponential) => exponential,
            Self::Cosine(cosine) => cosine,
            Self::CosineRestarts(cosine) => cosine,
            Self::OneCycle(cycle) => cycle,
            Self::LinearWarmup(warmup) => warmup,
            Self::Polynomial(polynomial) => polynomial,
            Self::Sequential(_) | Self::Chained(_) | Self::PerEpoch(_) | Self::Warmup(_) => return None,
        })
    }
}

/// What schedules share while they run: torch's parameter group.
#[derive(Debug, Clone, Copy)]
struct Group {
    lr: f64,
    initial_lr: f64,
    /// Set by [`OneCycle`]: the peak and the final rate.
    max_lr: f64,
    min_lr: f64,
}

impl Group {
    fn new(lr: f64) -> Self {
        Self { lr, initial_lr: lr, max_lr: lr, min_lr: lr }
    }
}

/// A schedule's recurrence.
trait Recurrence {
    /// Prepares the group when the schedule is built, before its step 0.
    fn prepare(&self, _group: &mut Group) {}

    /// The rate at step 0, from the group's rate before.
    fn first(&self, group: &Group, _base_lr: f64) -> f64 {
        group.lr
    }

    /// The rate at `step` > 0, from the group's rate at the step before.
    fn next(&self, group: &Group, base_lr: f64, step: u64) -> f64;

    /// The rate at step 0 when a [`Sequential`] switches to this schedule: independent of the rate before.
    fn switched_to(&self, _group: &Group, base_lr: f64) -> f64 {
        base_lr
    }
}

struct Constant;

impl Recurrence for Constant {
    fn next(&self, group: &Group, _base_lr: f64, _step: u64) -> f64 {
        group.lr
    }
}

fn require_positive(value: u64, key: &str) -> Result<(), PolicyError> {
    require(value > 0, key, value, "a whole number, 1 or more")
}

fn require_share(value: f64, key: &str) -> Result<(), PolicyError> {
    require((0.0..=1.0).contains(&value), key, value, "a number from 0 to 1")
}
