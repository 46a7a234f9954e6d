//! What a person asks of a run that is under way: a file in its directory, which the training loop takes at the end of a
//! step and writes into the record as what it did, and when.
//!
//! The record is what counts from then on. A run that is resumed from an earlier checkpoint does the same after the same
//! step, so its bits are those of one that was never interrupted.

use crate::error::{At, RecordError, Result};
use crate::event::Event;
use crate::io::{Disk, Io, replace_file};
use crate::run::RunDir;
use crate::trial::TrialDir;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use wellfit_base::Dir;

/// The file of a request that waits.
pub(crate) const REQUEST: &str = "request.json";
/// The longest request that is read.
const MOST_BYTES: u64 = 4096;

/// Something that a run can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Request {
    /// End after this step: judge the weights as they are, and finish.
    Stop,
    /// Train on with the learning rate times `factor`, whatever gives the rate.
    LowerRate {
        /// Above 0, below 1.
        factor: f64,
    },
}

impl Request {
    /// What is wrong with it, if anything is.
    fn problem(self) -> Option<String> {
        match self {
            Self::LowerRate { factor } if !(factor > 0.0 && factor < 1.0) => {
                Some(format!("the factor of a lower rate must be above 0 and below 1, not {factor}"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => f.write_str("stop here"),
            Self::LowerRate { factor } => write!(f, "lower the rate to {factor} of it"),
        }
    }
}

impl RunDir {
    /// Ask for something. The process that trains does it after the step that it is at.
    ///
    /// # Errors
    /// [`RecordError::NotAsked`] if no process trains the run, if another request waits, or if it is a run of a trial, whose
    /// runs must differ in nothing but what is tried; if the request makes no sense or cannot be written.
    pub fn ask(&self, request: Request) -> Result<()> {
        let refused = |problem: String| Err(RecordError::NotAsked { path: self.path().into(), problem });
        if let Some(problem) = request.problem() {
            return refused(problem);
        }
        if is_of_trial(self.path()) {
            return refused(
                "it is a run of a trial, and what is asked of one would be asked of no other".into(),
            );
        }
        if !self.is_running() {
            return refused("no process trains it".to_owned());
        }
        let dir = self.dir()?;
        if matches!(dir.kind(REQUEST), Ok(Some(_))) {
            return refused("another request waits for the end of a step".to_owned());
        }
        let bytes = serde_json::to_vec(&request).map_err(|error| RecordError::Unwritable {
            path: dir.join(REQUEST),
            problem: error.to_string(),
        })?;
        replace_file(&Disk, &dir, REQUEST, &bytes)
    }
}

/// Whether the run in that directory is one of a trial.
#[must_use]
pub fn is_of_trial(run: &Path) -> bool {
    let full = std::fs::canonicalize(run).unwrap_or_else(|_| run.into());
    full.parent().and_then(Path::parent).and_then(TrialDir::find).is_some()
}

/// Takes the request that waits, so that it waits no longer: as an event of that step, or a warning if it makes no sense.
pub(crate) fn take(io: &dyn Io, dir: &Dir, (epoch, step): (u32, u64)) -> Result<Option<Event>> {
    // Where that cannot be told, the next step asks again: a request is no reason to end a training.
    if !dir.is_file(REQUEST).unwrap_or(false) {
        return Ok(None);
    }
    let read = dir.read(REQUEST, MOST_BYTES).map_err(|error| error.to_string());
    drop_waiting(io, dir)?;
    let request = read.and_then(|bytes| {
        let request: Request = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        request.problem().map_or(Ok(request), Err)
    });
    Ok(Some(match request {
        Ok(request) => Event::Requested { request, epoch, step, time: crate::now() },
        Err(problem) => Event::Warning { message: format!("a request that cannot be used: {problem}") },
    }))
}

/// Forgets a request that was made of a process that is gone.
pub(crate) fn drop_waiting(io: &dyn Io, dir: &Dir) -> Result<()> {
    match dir.kind(REQUEST) {
        Ok(Some(_)) => io.remove(dir, REQUEST.as_ref()).at("remove", &dir.join(REQUEST)),
        _ => Ok(()),
    }
}
