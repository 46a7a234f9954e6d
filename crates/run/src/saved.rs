//! What `run.toml` holds of a training run: enough to resume it.

use crate::error::RunError;
use crate::experiment::{Experiment, Parts};
use crate::lr_find::LrFound;
use crate::opening::Validation;
use crate::options::{LrSetting, Options};
use crate::spec::Difference;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_base::shown::shown;
use wellfit_data::{Columns, Dataset};
use wellfit_record::{RunDir, RunInfo, RunState};

/// The content of a training run's `run.toml`.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedRun {
    /// What every run has.
    #[serde(flatten)]
    pub info: RunInfo,
    /// Its data.
    pub source: SavedSource,
    /// How it found its learning rate, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_find: Option<LrFound>,
    /// Whether it was told to train more epochs than it was begun with, so that it would be another run from its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub went_on: bool,
}

/// Where a run's data are. Paths are absolute, so that it can be resumed from any folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSource {
    /// A folder, or the name of built-in data.
    pub data: String,
    /// Where Fashion-MNIST's files may lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// What the columns of a table mean.
    #[serde(flatten)]
    pub columns: Columns,
    /// What it validates on.
    pub validation: Validation,
    /// As [`DataInfo::fingerprint`](wellfit_record::DataInfo), of the validation images.
    pub validation_fingerprint: String,
}

/// The columns with the folder of the images named so that it is found from any folder.
fn absolute_images(columns: &Columns) -> Columns {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    Columns { images: columns.images.clone().map(absolute), ..columns.clone() }
}

impl SavedRun {
    /// Of a run that is about to begin.
    ///
    /// # Errors
    /// If the data cannot be looked at.
    pub(crate) fn new(info: RunInfo, experiment: &Experiment) -> Result<Self, RunError> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let source = SavedSource {
            data: experiment.absolute_data(),
            data_dir: experiment.source.dir.as_deref().map(absolute),
            columns: absolute_images(&experiment.source.columns),
            validation: experiment.source.validation,
            validation_fingerprint: experiment.parts.validation.fingerprint()?,
        };
        let lr_find = experiment.found.as_ref().map(|(found, _)| *found);
        Ok(Self { info, source, lr_find, went_on: false })
    }

    /// Read it.
    ///
    /// # Errors
    /// If it is damaged, or the run of a lab, which cannot be resumed.
    pub fn read(run: &RunDir) -> Result<Self, RunError> {
        let info: RunInfo = run.read_run_toml()?;
        if info.classes.is_empty() {
            return Err(RunError::Unusable(format!(
                "{} is the run of a lab, which takes seconds and keeps no checkpoints: run it again with `{}`",
                run.path().shown(),
                info.command
            )));
        }
        Ok(run.read_run_toml()?)
    }

    /// Whether a directory is that of a training run, whole enough to read what it was trained on.
    pub(crate) fn is_in(dir: &Path) -> bool {
        RunDir::open(dir).and_then(|run| run.read_run_toml::<Self>()).is_ok()
    }

    /// The settings the run was started with, all of them given.
    ///
    /// # Errors
    /// If `run.toml` holds others than there are.
    pub fn options(&self, run: &RunDir) -> Result<Options, RunError> {
        self.settings().map_err(|error| {
            RunError::Output(format!("{}: config: {error}", run.path().join("run.toml").shown()))
        })
    }

    /// The settings as they were meant: what is missing of an old run gets today's default, but for the best epoch, which
    /// was that of the lowest validation loss whatever was monitored.
    fn settings(&self) -> Result<Options, toml::de::Error> {
        let mut options: Options = self.info.config.clone().try_into()?;
        options.best.get_or_insert_with(|| self.info.best_by().name().to_owned());
        Ok(options)
    }

    /// Settings as this run has them where they mean what it found: a learning rate that was to be found, and the epoch that
    /// a share of its epochs was.
    pub(crate) fn as_given(&self, given: &Options, before: &Options) -> Options {
        let mut given = given.clone();
        if given.lr == Some(LrSetting::Auto) && self.lr_find.is_some() {
            given.lr = None;
        }
        if let (Some(Some(start)), Some(epochs)) = (given.swa_start, before.epochs) {
            given.swa_start = Some(Some(start.pinned(epochs)));
        }
        given
    }

    /// Whether the run is finished, and all the files that it left in the end are there as they were written: those of a
    /// version that did not record them, the best weights.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn is_finished(&self, run: &RunDir) -> Result<bool, RunError> {
        if !matches!(run.outcome()?.state, RunState::Stopped(_)) {
            return Ok(false);
        }
        let dir = run.dir()?;
        Ok(match run.files()? {
            Some(files) => files.iter().all(|file| file.check(&dir).is_ok()),
            None => run.id()?.is_none() && dir.is_file(self.info.model_file()).unwrap_or(false),
        })
    }

    /// The settings that keep a run of `experiment` from having the same results; empty if none does. None if it has other
    /// data, or settings that there are no more.
    #[must_use]
    pub fn differs_from(&self, experiment: &Experiment) -> Option<Vec<Difference>> {
        let kind = experiment.source.kind(&experiment.parts.train);
        let spec = self.settings().ok()?.decide(kind).ok()?;
        if self.source.validation != experiment.source.validation || self.difference(experiment).is_some() {
            return None;
        }
        let mut other = experiment.spec.clone();
        if other.lr == LrSetting::Auto && self.lr_find.is_some() {
            other.lr = spec.lr;
        }
        let mut differences = spec.differences(&other)?;
        if spec.time.is_some() {
            // How many epochs fitted into the time is found out when a run begins.
            differences.retain(|difference| !["epochs", "freeze_epochs"].contains(&difference.name));
        }
        Some(differences)
    }

    /// Whether a run of `experiment` would have the same results.
    #[must_use]
    pub fn is_of(&self, experiment: &Experiment) -> bool {
        self.differs_from(experiment).is_some_and(|differences| differences.is_empty())
    }

    /// How the data differ from those the run was trained on.
    #[must_use]
    pub fn difference(&self, experiment: &Experiment) -> Option<String> {
        self.difference_of(&experiment.parts)
    }

    /// Whether these are the data the run was trained on, and so divided.
    pub(crate) fn is_made_of(&self, parts: &Parts) -> bool {
        self.difference_of(parts).is_none()
    }

    fn difference_of(&self, parts: &Parts) -> Option<String> {
        let before = &self.info.data;
        let (train, val) = (parts.train.len() as u64, parts.validation.len() as u64);
        // What cannot be looked at is not known to be the same.
        let differs = |before: &str, now: &Dataset| now.fingerprint().map_or(true, |now| now != before);
        if self.info.classes != parts.train.classes {
            let [before, now] = [&self.info.classes, &parts.train.classes].map(|classes| classes.join(", "));
            let (before, now) = (shown(&before), shown(&now));
            Some(format!("the classes were {before}, they are {now}"))
        } else if (before.train, before.val) != (train, val) {
            Some(format!(
                "there were {} training and {} validation images, there are {train} and {val}",
                before.train, before.val
            ))
        } else if differs(&before.fingerprint, &parts.train) {
            Some("as many training images, but others or in another order".to_owned())
        } else if differs(&self.source.validation_fingerprint, &parts.validation) {
            Some("as many validation images, but others or in another order".to_owned())
        } else {
            None
        }
    }
}
