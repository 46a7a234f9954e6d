//! Errors of the command line, each with its exit code.

use crate::settings::in_flags;
use std::path::PathBuf;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::data::DataError;
use wellfit::diagnose::LogError;
use wellfit::gpu::DeviceError;
use wellfit::models::ModelError;
use wellfit::plot::PlotError;
use wellfit::policy::PolicyError;
use wellfit::record::RecordError;
use wellfit::report::ReportError;
use wellfit::run::RunError;
use wellfit::train::TrainError;
use wellfit::weights::WeightsError;

/// Why a command failed. `Display` is all the user sees.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// An option or a configuration file that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Data that cannot be used.
    #[error("{}{}", .0, flag_of(.0))]
    Data(#[from] DataError),
    /// A model or weights that do not fit.
    #[error("{0}")]
    Model(String),
    /// Something that cannot be written, or read back.
    #[error("{0}")]
    Output(String),
    /// A signal ended a run, which was saved before.
    #[error("{0}")]
    Interrupted(String),
    /// `verify-resume` found that a resumed run ends with other bits.
    #[error("{0}")]
    Different(String),
    /// The loss became NaN or infinite.
    #[error("{0}")]
    Diverged(String),
    /// Some of many things could not be done; the others were.
    #[error("{0}")]
    Partly(String),
}

/// The option on the command line for the setting that an error ends with.
fn flag_of(error: &DataError) -> &'static str {
    if let DataError::BadFiles(_) = error { " (--skip-bad)" } else { "" }
}

impl CliError {
    /// The process's exit code, as documented in the README.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Different(_) => 1,
            Self::Usage(_) => 2,
            Self::Data(_) => 3,
            Self::Model(_) => 4,
            Self::Output(_) => 5,
            Self::Diverged(_) => 6,
            Self::Interrupted(_) => 7,
            Self::Partly(_) => 8,
        }
    }

    /// The error of another `wellfit` process, by its exit code.
    pub fn from_code(code: Option<i32>, problem: String) -> Self {
        match code {
            Some(2) => Self::Usage(problem),
            Some(3) => DataError::Invalid(problem).into(),
            Some(4) => Self::Model(problem),
            Some(6) => Self::Diverged(problem),
            Some(7) => Self::Interrupted(problem),
            _ => Self::Output(problem),
        }
    }

    /// A file that cannot be written.
    pub fn write(path: PathBuf) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Output(format!("cannot write {}: {cause}", path.shown()))
    }
}

impl From<RunError> for CliError {
    /// The library names settings; here they become options. Each text is one line, so an end of a line in it belongs to
    /// a name, of a file's array or in a configuration.
    fn from(error: RunError) -> Self {
        let line = |problem: String| shown(&in_flags(&problem)).into_owned();
        match error {
            RunError::Config { path, problem } => {
                Self::Usage(format!("--config {}: {problem}", path.shown()))
            }
            RunError::Setting { problem, .. } | RunError::Unusable(problem) => Self::Usage(line(problem)),
            RunError::Data(DataError::Invalid(problem)) => Self::Data(DataError::Invalid(in_flags(&problem))),
            RunError::Data(error) => Self::Data(error),
            RunError::Model(problem) => Self::Model(line(problem)),
            RunError::Output(problem) => Self::Output(line(problem)),
            RunError::Diverged(problem) => Self::Diverged(line(problem)),
            RunError::Interrupted { reason, run } => {
                let run = run.shown();
                Self::Interrupted(format!("interrupted by {reason}; the run is saved: wellfit resume {run}"))
            }
        }
    }
}

/// What is wrong with a run is wrong with what the command does by itself, too.
macro_rules! as_of_a_run {
    ($($error:ty),*) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                RunError::from(error).into()
            }
        })*
    };
}

as_of_a_run!(ModelError, DeviceError, WeightsError, PolicyError, RecordError, PlotError);

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            // A lab is not resumed.
            TrainError::Interrupted { .. } => Self::Interrupted(error.to_string()),
            error => RunError::from(error).into(),
        }
    }
}

impl From<LogError> for CliError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Choice(problem) => Self::Usage(shown(&problem).into_owned()),
            LogError::Invalid(problem) => DataError::Invalid(shown(&problem).into_owned()).into(),
            LogError::Io { path, source } => DataError::Io { path, source }.into(),
            LogError::Record(error) => error.into(),
        }
    }
}

impl From<ReportError> for CliError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Record(error) => error.into(),
            _ => Self::Output(error.to_string()),
        }
    }
}
