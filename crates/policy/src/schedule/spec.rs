//! Schedules by name, as users write them: `one-cycle`, `step:step_size=10,gamma=0.1`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use toml::{Table, Value};

use super::options::{self, Unit};
use super::{PerEpoch, Schedule};
use crate::PolicyError;

/// The length a schedule is tried with when its text is read, before the run is known. It is large and a prime, so
/// that no sensible share of it is a whole number of steps by chance.
const TRIAL_LENGTH: u64 = 1_000_003;

/// A learning-rate schedule as a user writes it: `NAME`, or `NAME:OPTION=VALUE,…` with the options of the schedule of
/// that name and values as in TOML (text may stand without quotes).
///
/// It is complete but for what only the run knows: the base rate and the numbers of epochs and steps.
/// [`build`](Self::build) adds them. Names are those of [`NAMES`](Self::NAMES); `constant` is no schedule.
///
/// **What a step is.** As torch's users call `scheduler.step()` once an epoch, a schedule counts epochs; each step of
/// training has the rate of its epoch. With the option `by=steps` it counts steps. `one-cycle`, and `cosine` without
/// its length `t_max`, count steps anyway and cover the whole run, unless `by=epochs` is given.
///
/// In TOML and JSON it is this text, a string.
///
/// ```
/// use wellfit_policy::schedule::ScheduleSpec;
/// let spec: ScheduleSpec = "step:step_size=1,gamma=0.5".parse()?;
/// let schedule = spec.build(0.1, 3, 2)?.expect("not constant"); // 3 epochs of 2 steps
/// let rates: Vec<f64> = schedule.rates(0.1).take(6).collect();
/// assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]);
///
/// let spec: ScheduleSpec = "step:step_size=2,gamma=0.5,by=steps".parse()?;
/// let schedule = spec.build(0.1, 3, 2)?.expect("not constant");
/// assert_eq!(schedule.rates(0.1).take(6).collect::<Vec<_>>(), rates);
///
/// assert_eq!(ScheduleSpec::default().build(0.1, 3, 2)?, None);
/// # Ok::<(), wellfit_policy::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleSpec {
    /// As written.
    text: String,
    /// The schedule's options as its serde form has them, its `kind` included.
    options: Table,
    /// What was written as `by`.
    by: Option<Unit>,
}

impl ScheduleSpec {
    /// Every name, with what stands behind it.
    pub const NAMES: &[(&str, &str)] = &[
        ("constant", "the rate stays"),
        ("one-cycle", "one rise and one fall over the whole run (OneCycleLR)"),
        ("cosine", "half a cosine down (CosineAnnealingLR)"),
        ("cosine-restarts", "half a cosine down, again and again (CosineAnnealingWarmRestarts)"),
        ("step", "lower every few epochs (StepLR)"),
        ("multi-step", "lower at given epochs (MultiStepLR)"),
        ("exponential", "lower at every epoch (ExponentialLR)"),
        ("linear-warmup", "a line up to the rate, or down from it (LinearLR)"),
        ("polynomial", "down to 0 along a power (PolynomialLR)"),
        ("sequential", "one schedule after the other (SequentialLR)"),
        ("chained", "several at once (ChainedScheduler)"),
    ];

    /// Whether the rate stays as it is.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.kind() == "constant"
    }

    /// Whether it begins with a rise from a lower rate.
    #[must_use]
    pub fn rises_first(&self) -> bool {
        matches!(self.kind(), "one_cycle" | "linear_warmup")
    }

    /// The schedule of a training run: its step n is the n-th training step, counted from 0 over all epochs.
    /// `None` is a constant rate.
    ///
    /// `lr` is the base rate; one-cycle's `max_lr` unless written. `epochs` × `steps_per_epoch` is the length of the
    /// run, and of one-cycle and cosine unless written.
    ///
    /// # Errors
    /// Names the option that is out of range for a run of this length.
    pub fn build(&self, lr: f64, epochs: u32, steps_per_epoch: u64) -> Result<Option<Schedule>, PolicyError> {
        if self.is_constant() {
            return Ok(None);
        }
        if self.unit() == Unit::Steps {
            return self.schedule(lr, u64::from(epochs).saturating_mul(steps_per_epoch)).map(Some);
        }
        let schedule = Box::new(self.schedule(lr, epochs.into())?);
        let schedule = Schedule::PerEpoch(PerEpoch { steps_per_epoch, schedule });
        schedule.validate()?;
        Ok(Some(schedule))
    }

    /// The schedule where only epochs are known, not their steps: its step n is epoch n, counted from 0. One-cycle and
    /// cosine cover all `epochs` unless their length is written.
    ///
    /// # Errors
    /// As [`build`](Self::build), and if the schedule has `by=steps`.
    pub fn build_by_epoch(&self, lr: f64, epochs: u64) -> Result<Schedule, PolicyError> {
        let steps = self.by == Some(Unit::Steps);
        crate::error::require(!steps, "by", "steps", "epochs: how many steps they have is not known here")?;
        self.schedule(lr, epochs)
    }

    /// The `kind` of [`Schedule`]'s serde form.
    fn kind(&self) -> &str {
        self.options.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// What it counts.
    fn unit(&self) -> Unit {
        self.by.unwrap_or(match self.kind() {
            "one_cycle" => Unit::Steps,
            "cosine" if !self.options.contains_key("t_max") => Unit::Steps,
            _ => Unit::Epochs,
        })
    }

    /// The schedule over `length` of what it counts. The options stand over what follows from the run.
    fn schedule(&self, lr: f64, length: u64) -> Result<Schedule, PolicyError> {
        let length = Value::Integer(i64::try_from(length).unwrap_or(i64::MAX));
        let mut table = Table::new();
        match self.kind() {
            "cosine" => drop(table.insert("t_max".to_owned(), length)),
            "one_cycle" => {
                table.insert("max_lr".to_owned(), Value::Float(lr));
                table.insert("total_steps".to_owned(), length);
            }
            _ => {}
        }
        table.extend(self.options.clone());
        let schedule: Schedule = table.try_into().map_err(|error| options::unreadable(&error))?;
        schedule.validate()?;
        Ok(schedule)
    }
}

impl Default for ScheduleSpec {
    /// `constant`.
    fn default() -> Self {
        let options = Table::from_iter([("kind".to_owned(), Value::String("constant".to_owned()))]);
        Self { text: "constant".to_owned(), options, by: None }
    }
}

impl FromStr for ScheduleSpec {
    type Err = PolicyError;

    /// # Errors
    /// Names what is unknown or out of range.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let text = text.trim();
        let (mut options, by) = options::read(text)?;
        options::replace_texts(&mut options)?;
        let spec = Self { text: text.to_owned(), options, by };
        spec.schedule(1.0, TRIAL_LENGTH)?;
        Ok(spec)
    }
}

impl fmt::Display for ScheduleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for ScheduleSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ScheduleSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format!("schedule \"{text}\": {error}")))
    }
}
