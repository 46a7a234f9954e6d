//! All that is shown of a run.

use crate::error::ReportError;
use crate::evaluation::{EVALUATION, Evaluation};
use crate::pictures::{PICTURES, Pictures, Shot};
use serde::de::DeserializeOwned;
use std::path::Path;
use wellfit_base::Dir;
use wellfit_base::dir::Kind;
use wellfit_diagnose::{Asked, Diagnosis, LogError, diagnose, log};
use wellfit_record::{EpochRecord, Event, RecordError, RunDir, RunInfo, RunState, best_epoch, epochs};

/// The longest file of figures or pictures that is read.
const MOST: u64 = 64 << 20;

/// A run, as its page shows it.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The name of its directory, as it was given.
    pub path: String,
    /// What the run is.
    pub info: RunInfo,
    /// The figures of every epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights are kept.
    pub best: Option<EpochRecord>,
    /// What happened.
    pub events: Vec<Event>,
    /// How the run stands.
    pub state: RunState,
    /// What its curves say; none before the first epoch.
    pub diagnosis: Option<Diagnosis>,
    /// The figures of its best weights, once it ended.
    pub(crate) evaluation: Option<Evaluation>,
    /// Its pictures, where it kept some.
    pub pictures: Pictures,
    /// What could not be read, and is left out.
    pub problems: Vec<String>,
}

impl RunReport {
    /// Reads the run in a directory.
    ///
    /// # Errors
    /// If its `run.toml` or its events cannot be read, or the disk fails: a page with less on it would replace a whole one.
    /// Damage in other files is among the [`problems`](Self::problems).
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let run = RunDir::open(path)?;
        let info: RunInfo = run.read_run_toml()?;
        let log = run.events()?;
        let state = run.outcome()?.state;
        let mut problems: Vec<String> = log.problems.iter().map(ToString::to_string).collect();
        let dir = run.dir()?;
        let evaluation: Option<Evaluation> = figures(&dir, EVALUATION, &mut problems)?;
        let mut pictures: Pictures = figures(&dir, PICTURES, &mut problems)?.unwrap_or_default();
        pictures.mistakes.retain(Shot::is_sound);
        pictures.seen.retain(Shot::is_sound);
        let epochs = epochs(&log.rows);
        Ok(Self {
            path: path.to_string_lossy().into_owned(),
            best: best_epoch(&epochs, info.best_by()).copied(),
            diagnosis: diagnosis(path)?,
            events: log.rows,
            info,
            epochs,
            state,
            evaluation,
            pictures,
            problems,
        })
    }

    /// Seconds of all epochs.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}

/// What the curves say; none where there are none that could be judged.
fn diagnosis(path: &Path) -> Result<Option<Diagnosis>, RecordError> {
    match log::of_path(path, &Asked::default()) {
        Ok(curves) => Ok(Some(diagnose(&curves))),
        Err(LogError::Io { path, source: cause }) => Err(RecordError::Io { action: "read", path, cause }),
        Err(LogError::Record(error @ RecordError::Io { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

/// The content of a JSON file, where there is one; a problem where it is damaged.
fn figures<T: DeserializeOwned>(
    dir: &Dir,
    name: &str,
    problems: &mut Vec<String>,
) -> Result<Option<T>, RecordError> {
    let failed = |cause| RecordError::Io { action: "read", path: dir.join(name), cause };
    let Some(kind) = dir.kind(name).map_err(failed)? else { return Ok(None) };
    let read = match dir.read(name, MOST) {
        Err(cause) if kind == Kind::File && cause.raw_os_error().is_some() => return Err(failed(cause)),
        read => read.map_err(|error| error.to_string()),
    };
    let value = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    Ok(value.map_err(|problem| problems.push(format!("{name} is left out: {problem}"))).ok())
}
