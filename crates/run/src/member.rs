//! Runs that several make one result of: the folds of a cross-validation, the arms of a trial.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::observer::Observer;
use crate::resume::{Unfinished, diverged};
use crate::saved::SavedRun;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_record::{RunDir, RunWriter};

/// What is in the directory of such a run.
pub(crate) enum State {
    /// No run.
    Absent,
    /// One that was interrupted.
    Unfinished(Box<Unfinished>),
    /// One that ended.
    Finished,
}

/// What is in `dir`, where a run of `experiment` is to be.
///
/// # Errors
/// If the run there is another's, diverged, or cannot be read.
pub(crate) fn state(dir: &Path, experiment: &Experiment) -> Result<State, RunError> {
    let Ok(run) = RunDir::open(dir) else { return Ok(State::Absent) };
    let saved = SavedRun::read(&run)?;
    if !saved.is_of(experiment) {
        let name = dir.shown();
        let problem = format!("{name} is a run of other settings or data: give another directory");
        return Err(RunError::Unusable(problem));
    }
    if let Some(message) = diverged(&run)? {
        return Err(RunError::Diverged(format!(
            "{} ended because {message}; resumed, it would do so again",
            dir.shown()
        )));
    }
    if saved.is_finished(&run)? {
        return Ok(State::Finished);
    }
    Ok(State::Unfinished(Box::new(Unfinished::new(RunWriter::resume(dir)?, saved))))
}

/// Passes on nothing that was said of the data before.
pub(crate) struct Quiet<'a>(pub &'a mut dyn Observer);

impl wellfit_train::callback::Callback for Quiet<'_> {
    fn interrupted(&mut self) -> Option<String> {
        self.0.interrupted()
    }
}

impl Observer for Quiet<'_> {}
