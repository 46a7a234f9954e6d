//! Schedules made of schedules, and the walk through any of them.

use serde::{Deserialize, Serialize};

use super::{Group, PerEpoch, Recurrence, Schedule, Warmup, require};
use crate::PolicyError;

/// One schedule after the other: torch's `SequentialLR`. `schedules[i + 1]` takes over, at its own step 0, when step
/// `milestones[i]` is reached.
///
/// lr(t) = schedulesᵢ(t − milestonesᵢ₋₁), i being the number of milestones ≤ t
///
/// As text: `sequential:milestones=[5],schedules=['linear-warmup:total_iters=5','cosine:t_max=95']`.
///
/// ```
/// use wellfit_policy::schedule::ScheduleSpec;
/// let text = "sequential:milestones=[2],schedules=['linear-warmup:start_factor=0.5,total_iters=2','step:step_size=1']";
/// let schedule = text.parse::<ScheduleSpec>()?.build_by_epoch(1.0, 4)?;
/// assert_eq!(schedule.rates(1.0).take(4).collect::<Vec<_>>(), [0.5, 0.75, 1.0, 0.1]);
/// # Ok::<(), wellfit_policy::PolicyError>(())
/// ```
///
/// As in torch, all members share one start rate, and a [`OneCycle`](super::OneCycle) among them sets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// The steps at which to switch, one fewer than schedules, rising, above 0.
    pub milestones: Vec<u64>,
    /// The schedules. None may itself be made of others: torch miscounts or fails there.
    pub schedules: Vec<Schedule>,
}

impl Sequential {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        let (count, points) = (self.schedules.len(), self.milestones.len());
        require(
            count == points + 1,
            "milestones",
            format!("{:?}", self.milestones),
            "one fewer than schedules",
        )?;
        let rising = self.milestones.is_sorted_by(|a, b| a < b) && self.milestones.first() != Some(&0);
        require(rising, "milestones", format!("{:?}", self.milestones), "rising steps, above 0")?;
        let simple = self.schedules.iter().all(|schedule| schedule.recurrence().is_some());
        require(
            simple,
            "schedules",
            "a sequential or chained one",
            "simple schedules inside a sequential one",
        )?;
        self.schedules.iter().try_for_each(Schedule::validate)
    }
}

/// Several schedules at once, each changing the rate that the ones before it left: torch's `ChainedScheduler`.
///
/// lr(t) = base·∏ fᵢ(t) where each schedule is base·fᵢ(t)
///
/// As text: `chained:schedules=['exponential:gamma=0.9','step:step_size=30']`.
///
/// ```
/// use wellfit_policy::schedule::{Chained, Exponential, Schedule, Step};
/// let exponential = Schedule::Exponential(Exponential { gamma: 0.5 });
/// let step = Schedule::Step(Step { step_size: 2, gamma: 0.5 });
/// let schedule = Schedule::Chained(Chained { schedules: vec![exponential, step] });
/// assert_eq!(schedule.rates(1.0).take(3).collect::<Vec<_>>(), [1.0, 0.5, 0.125]);
/// ```
///
/// [`CosineRestarts`](super::CosineRestarts) and [`OneCycle`](super::OneCycle) set the rate outright: as in
/// torch, whatever stands before them in the chain has no effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chained {
    /// The schedules, in the order in which they act.
    pub schedules: Vec<Schedule>,
}

impl Chained {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        require(!self.schedules.is_empty(), "schedules", "[]", "at least one schedule")?;
        self.schedules.iter().try_for_each(Schedule::validate)
    }
}

/// The rates of a [`Schedule`], step by step; an endless iterator.
pub struct Rates<'a> {
    runner: Runner<'a>,
    group: Group,
}

impl<'a> Rates<'a> {
    pub(super) fn new(schedule: &'a Schedule, base_lr: f64) -> Self {
        let mut group = Group::new(base_lr);
        let runner = Runner::start(schedule, &mut group);
        Self { runner, group }
    }

    /// The rate at the current step.
    pub(crate) fn current(&self) -> f64 {
        self.group.lr
    }

    /// One step on.
    pub(crate) fn advance(&mut self) {
        self.runner.advance(&mut self.group);
    }
}

impl Iterator for Rates<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let lr = self.current();
        self.advance();
        Some(lr)
    }
}

/// A schedule under way.
enum Runner<'a> {
    Single(Single<'a>),
    Sequential { milestones: &'a [u64], members: Vec<Single<'a>>, step: u64 },
    Chained(Vec<Runner<'a>>),
    PerEpoch { steps_per_epoch: u64, runner: Box<Runner<'a>>, step: u64 },
    Warmup { warmup: &'a Warmup, step: u64 },
}

impl<'a> Runner<'a> {
    fn start(schedule: &'a Schedule, group: &mut Group) -> Self {
        match schedule {
            Schedule::Sequential(Sequential { milestones, schedules }) => {
                let recurrences = schedules.iter().filter_map(Schedule::recurrence);
                let members: Vec<_> =
                    recurrences.map(|recurrence| Single::start(recurrence, group)).collect();
                // Building the members applied all their first steps: torch undoes that, and takes only
                // the first member's.
                group.lr = group.initial_lr;
                if let Some(first) = members.first() {
                    group.lr = first.recurrence.first(group, first.base_lr);
                }
                Self::Sequential { milestones, members, step: 0 }
            }
            Schedule::Chained(Chained { schedules }) => {
                Self::Chained(schedules.iter().map(|schedule| Self::start(schedule, group)).collect())
            }
            Schedule::PerEpoch(PerEpoch { steps_per_epoch, schedule }) => {
                let runner = Box::new(Self::start(schedule, group));
                // 0 is refused by `validate`.
                Self::PerEpoch { steps_per_epoch: (*steps_per_epoch).max(1), runner, step: 0 }
            }
            Schedule::Warmup(warmup) => {
                group.lr = warmup.ramp().first(group, group.initial_lr);
                Self::Warmup { warmup, step: 0 }
            }
            simple => Self::Single(Single::start(simple.recurrence().unwrap_or(&super::Constant), group)),
        }
    }

    fn advance(&mut self, group: &mut Group) {
        match self {
            Self::Single(single) => single.advance(group),
            Self::Sequential { milestones, members, step } => {
                *step += 1;
                let index = milestones.partition_point(|milestone| milestone <= step);
                let Some(member) = members.get_mut(index) else { return };
                if index > 0 && milestones[index - 1] == *step {
                    group.lr = member.recurrence.switched_to(group, member.base_lr);
                } else {
                    member.advance(group);
                }
            }
            Self::Chained(runners) => runners.iter_mut().for_each(|runner| runner.advance(group)),
            Self::PerEpoch { steps_per_epoch, runner, step } => {
                *step += 1;
                if step.is_multiple_of(*steps_per_epoch) {
                    runner.advance(group);
                }
            }
            Self::Warmup { warmup, step } => {
                *step += 1;
                if *step < warmup.steps {
                    group.lr = warmup.ramp().next(group, group.initial_lr, *step);
                } else {
                    // The schedule begins as if nothing had been before it.
                    group.lr = group.initial_lr;
                    *self = Self::start(&warmup.schedule, group);
                }
            }
        }
    }
}

/// A simple schedule under way.
struct Single<'a> {
    recurrence: &'a dyn Recurrence,
    base_lr: f64,
    step: u64,
}

impl<'a> Single<'a> {
    fn start(recurrence: &'a dyn Recurrence, group: &mut Group) -> Self {
        recurrence.prepare(group);
        let base_lr = group.initial_lr;
        group.lr = recurrence.first(group, base_lr);
        Self { recurrence, base_lr, step: 0 }
    }

    fn advance(&mut self, group: &mut Group) {
        self.step += 1;
        group.lr = self.recurrence.next(group, self.base_lr, self.step);
    }
}
