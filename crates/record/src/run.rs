//! Reading a run.

use crate::checkpoint::{self, NewestGood};
use crate::error::{At, RecordError, Result};
use crate::event::{Event, StepRecord};
use crate::lines::{Log, read_lines};
use crate::lock::is_locked;
use crate::manifest::read_file;
use crate::rows::without_replaced;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const RUN_TOML: &str = "run.toml";
pub(crate) const EVENTS: &str = "events.jsonl";
pub(crate) const STEPS: &str = "steps.jsonl";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// No `run.toml` comes near this.
const MOST_BYTES: u64 = 1 << 20;
/// The version of `run.toml`.
pub(crate) const FORMAT: u32 = 1;

/// A run on disk, for reading. Another process may be writing to it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Opens the run in the directory `path`.
    ///
    /// # Errors
    /// If there is no such directory, or no `run.toml` in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        if !fs::metadata(&path).at("open", &path)?.is_dir() {
            return Err(RecordError::NotADirectory(path));
        }
        if path.join(RUN_TOML).is_file() { Ok(Self { path }) } else { Err(RecordError::NotARun(path)) }
    }

    /// The run's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of `run.toml`: [`RunInfo`](crate::RunInfo), or any type with some of its fields.
    ///
    /// # Errors
    /// With the line, if the file is not as `T` needs it; if a newer version wrote it.
    pub fn read_run_toml<T: DeserializeOwned>(&self) -> Result<T> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let path = self.path.join(RUN_TOML);
        let bytes = read_file(&path, MOST_BYTES)?;
        let text =
            String::from_utf8(bytes).map_err(|error| RecordError::damaged(&path, error.to_string()))?;
        let bad = |error: toml::de::Error| RecordError::damaged(&path, error.to_string());
        let found = toml::from_str::<Version>(&text).map_err(bad)?.format;
        if found > FORMAT {
            return Err(RecordError::Newer { path, found, supported: FORMAT });
        }
        toml::from_str(&text).map_err(bad)
    }

    /// All events, in the order they happened. See [`epochs`](crate::epochs) for the metrics.
    ///
    /// # Errors
    /// Only if the file cannot be read; damaged lines are reported in the log.
    pub fn events(&self) -> Result<Log<Event>> {
        read_lines(&self.path.join(EVENTS))
    }

    /// All steps in order; those that were done again after a resume count once, as recorded last.
    ///
    /// # Errors
    /// Only if the file cannot be read; damaged lines are reported in the log.
    pub fn steps(&self) -> Result<Log<StepRecord>> {
        let log = read_lines::<StepRecord>(&self.path.join(STEPS))?;
        Ok(Log { rows: without_replaced(log.rows, |row| row.step), ..log })
    }

    /// The directories of the checkpoints, oldest first; read one with
    /// [`read_checkpoint`](crate::read_checkpoint).
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        checkpoint::paths(&self.path.join(CHECKPOINTS))
    }

    /// The newest valid checkpoint of that name, or of any name; damaged ones are skipped and named.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn newest_good(&self, name: Option<&str>) -> Result<NewestGood> {
        checkpoint::newest_good(&self.path.join(CHECKPOINTS), name)
    }

    /// Whether a living process is writing to the run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        is_locked(&self.path)
    }
}
