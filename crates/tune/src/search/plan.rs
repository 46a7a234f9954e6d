//! What is searched, and how.

use crate::error::TuneError;
use crate::pruner::{Halving, Hyperband, Median, Pruner};
use crate::sampler::{Known, Sampler};
use crate::space::{Space, text};
use crate::storage::{Change, Storage};
use crate::trial::{Direction, Trial};
use serde_json::{Map, Value, json};
use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use wellfit_policy::Mode;
use wellfit_record::Metric;
use wellfit_run::options::entries;
use wellfit_run::{DataSource, Options, RunError};

/// The study's note of what it was begun with.
const PLAN: &str = "wellfit:plan";
/// Optuna's note of values that a user gave a trial.
const GIVEN: &str = "fixed_params";

/// What is searched, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The parameters.
    pub space: Space,
    /// The settings that all trials have.
    pub fixed: Options,
    /// The metric whose best epoch is a trial's value.
    pub metric: Metric,
    /// How values are chosen.
    pub sampler: Sampler,
    /// When trials end early.
    pub pruner: PrunerName,
    /// So many trials; one that is retried counts once.
    pub trials: usize,
    /// A trial whose worker died is tried so many times more.
    pub retries: usize,
    /// A worker that gave no sign of life for so long is dead.
    pub grace: Duration,
    /// Whence the choices come.
    pub seed: u64,
}

/// When trials end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrunerName {
    /// Never.
    None,
    /// [`Median`].
    Median,
    /// [`Halving`].
    Halving,
    /// [`Hyperband`].
    Hyperband,
}

impl PrunerName {
    /// All names.
    pub const NAMES: &'static [&'static str] = &["median", "hyperband", "asha", "none"];

    /// The pruner for trials of so many epochs.
    #[must_use]
    pub fn of(self, epochs: u32) -> Pruner {
        match self {
            Self::None => Pruner::None,
            Self::Median => Pruner::Median(Median::default()),
            Self::Halving => Pruner::Halving(Halving::default()),
            Self::Hyperband => Pruner::Hyperband(Hyperband::of(u64::from(epochs))),
        }
    }
}

impl FromStr for PrunerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "median" => Ok(Self::Median),
            "asha" => Ok(Self::Halving),
            "hyperband" => Ok(Self::Hyperband),
            _ => Err(format!("there is no `{text}`; known are {}", Self::NAMES.join(", "))),
        }
    }
}

impl Plan {
    /// Whether large values are good.
    #[must_use]
    pub fn direction(&self) -> Direction {
        if self.metric.mode() == Mode::Max { Direction::Maximize } else { Direction::Minimize }
    }

    /// Refuse a setting that is searched and given, and a grid without an end.
    ///
    /// # Errors
    /// Which it is.
    pub fn check(&self) -> Result<(), TuneError> {
        self.sampler.trials(&self.space).map_err(TuneError::Plan)?;
        let given = table(&self.fixed);
        match self.space.parameters.iter().find(|one| given.contains_key(&one.name)) {
            Some(one) => Err(TuneError::Plan(format!(
                "`{}` is searched, and it is given, too: take one of both away",
                one.name
            ))),
            None => Ok(()),
        }
    }

    /// Compare with what the study was begun with; of a new one, note it. The space, the sampler and the pruner may change
    /// from one worker to another, as in Optuna.
    pub(super) fn agree(&self, storage: &mut dyn Storage, source: &DataSource) -> Result<(), TuneError> {
        // Other machines may have the data in another folder, and compute on other devices.
        let name = Path::new(&source.data).file_name().unwrap_or(source.data.as_ref());
        let mut settings = table(&self.fixed);
        settings.retain(|key, _| entries().iter().all(|entry| entry.name != key || !entry.immaterial));
        let own = json!({
            "metric": self.metric.name(),
            "data": name.to_string_lossy(),
            "settings": settings.to_string(),
        });
        let Some(noted) = storage.notes()?.remove(PLAN) else { return Ok(storage.note(PLAN, &own)?) };
        for key in ["metric", "data", "settings"] {
            if noted[key] != own[key] {
                let show = |value: &Value| text(value).trim().replace('\n', ", ");
                return Err(TuneError::Plan(format!(
                    "study {} was begun with other {key} ({}, not {}): give a new one its own name with `study`",
                    storage.name(),
                    show(&noted[key]),
                    show(&own[key])
                )));
            }
        }
        Ok(())
    }

    /// New values for a trial; none where a grid has no more.
    pub(super) fn choose(&self, trials: &[Trial], trial: &Trial) -> Option<Vec<Change>> {
        let none = Map::new();
        let given = trial.system.get(GIVEN).and_then(Value::as_object).unwrap_or(&none);
        let known = Known { trials, direction: self.direction(), seed: self.seed, given };
        let chosen = self.sampler.suggest(&self.space, &known, trial.number)?;
        let parameters = self.space.parameters_of(chosen);
        Some(parameters.map(|(name, parameter)| Change::Parameter(name, parameter)).collect())
    }

    /// The settings of a trial.
    ///
    /// # Errors
    /// If a parameter is no setting, or its value not for it.
    pub(super) fn options(&self, trial: &Trial) -> Result<Options, RunError> {
        let mut options = self.fixed.clone();
        for (name, parameter) in &trial.parameters {
            options.set(name, OsStr::new(&text(&parameter.value())))?;
        }
        if options.best.is_none() {
            options.best = Some(self.metric.name().to_owned());
        }
        Ok(options)
    }
}

/// The settings that are given.
fn table(options: &Options) -> toml::Table {
    toml::Table::try_from(options).unwrap_or_default()
}
