//! What `run.toml` keeps of a training run, enough to go on with it.

use crate::args::TrainOptions;
use crate::commands::job::{Job, Validation};
use crate::config::TrainConfig;
use crate::error::CliError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use wellfit::record::{RunDir, RunInfo, RunState};

/// The content of a training run's `run.toml`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub info: RunInfo,
    pub source: Source,
}

/// Where a run's data are. Paths are absolute, so that it can be resumed from any folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    pub validation: Validation,
    /// As [`DataInfo::fingerprint`](wellfit::record::DataInfo), of the validation images.
    pub validation_fingerprint: String,
}

/// Options that change how a run is computed, but not what it comes to.
const IMMATERIAL: [&str; 6] = ["workers", "checkpoint_every", "keep", "cache", "cache_size", "cache_dir"];

impl Source {
    /// Of a run that is about to begin.
    pub fn of(job: &Job, data_dir: Option<&Path>) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = Path::new(&job.data);
        // The name of built-in data is no path.
        let data =
            if folder.is_dir() { absolute(folder).to_string_lossy().into_owned() } else { job.data.clone() };
        Self {
            data,
            data_dir: data_dir.map(absolute),
            validation: job.validation,
            validation_fingerprint: job.parts.validation.fingerprint(),
        }
    }
}

impl Kept {
    /// Read it.
    pub fn read(run: &RunDir) -> Result<Self, CliError> {
        let info: RunInfo = run.read_run_toml()?;
        if info.classes.is_empty() {
            return Err(CliError::Usage(format!(
                "{} is the run of a lab, which takes seconds and keeps no checkpoints: run it again with `{}`",
                run.path().display(),
                info.command
            )));
        }
        Ok(run.read_run_toml()?)
    }

    /// The options the run was started with, all of them decided.
    pub fn options(&self, run: &RunDir) -> Result<TrainOptions, CliError> {
        self.info.config.clone().try_into().map_err(|error: toml::de::Error| {
            CliError::Output(format!("{}: config: {error}", run.path().join("run.toml").display()))
        })
    }

    /// Whether all is done, the best weights' file included.
    pub fn is_finished(&self, run: &RunDir) -> Result<bool, CliError> {
        let model = self.info.model_file();
        let stopped = matches!(run.outcome()?.state, RunState::Stopped(_));
        Ok(stopped && run.path().join(model).is_file())
    }

    /// Whether a run of `job` would come to the same.
    pub fn is_of(&self, job: &Job) -> bool {
        material(&self.info.config) == TrainConfig::table(&job.config).as_ref().and_then(material)
            && self.source.validation == job.validation
            && self.difference(job).is_none()
    }

    /// How the data differ from those the run was trained on.
    pub fn difference(&self, job: &Job) -> Option<String> {
        let (then, parts) = (&self.info.data, &job.parts);
        let (train, val) = (parts.train.len() as u64, parts.validation.len() as u64);
        if self.info.classes != parts.train.classes {
            let (then, now) = (self.info.classes.join(", "), parts.train.classes.join(", "));
            Some(format!("the classes were {then}, they are {now}"))
        } else if (then.train, then.val) != (train, val) {
            let (then_train, then_val) = (then.train, then.val);
            Some(format!(
                "there were {then_train} training and {then_val} validation images, there are {train} and {val}"
            ))
        } else if then.fingerprint != parts.train.fingerprint() {
            Some("as many training images, but others or in another order".to_owned())
        } else if self.source.validation_fingerprint != parts.validation.fingerprint() {
            Some("as many validation images, but others or in another order".to_owned())
        } else {
            None
        }
    }
}

fn material(config: &toml::Value) -> Option<toml::Table> {
    let mut table = config.as_table()?.clone();
    IMMATERIAL.iter().for_each(|key| drop(table.remove(*key)));
    Some(table)
}
