//! Errors of the command line, each with its exit code.

use std::path::PathBuf;
use wellfit::data::DataError;
use wellfit::models::ModelError;
use wellfit::policy::PolicyError;
use wellfit::record::RecordError;
use wellfit::report::ReportError;
use wellfit::train::TrainError;
use wellfit::weights::WeightsError;

/// Why a command failed. `Display` is all the user sees.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// An option or a configuration file that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Data that cannot be used.
    #[error("{0}")]
    Data(#[from] DataError),
    /// A model or weights that do not fit.
    #[error("{0}")]
    Model(String),
    /// Something that cannot be written, or read back.
    #[error("{0}")]
    Output(String),
    /// The loss became NaN or infinite.
    #[error("{0}")]
    Diverged(String),
}

impl CliError {
    /// The process's exit code, as documented in the README.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Data(_) => 3,
            Self::Model(_) => 4,
            Self::Output(_) => 5,
            Self::Diverged(_) => 6,
        }
    }

    /// A weight file that does not fit, named.
    pub fn weights(path: &std::path::Path, error: &ModelError) -> Self {
        Self::Model(format!("{}: {error}", path.display()))
    }

    /// A file that cannot be written.
    pub fn write(path: PathBuf) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Output(format!("cannot write {}: {cause}", path.display()))
    }
}

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::WeightsDoNotFit { .. } => Self::Model(error.to_string()),
            _ => Self::Usage(error.to_string()),
        }
    }
}

impl From<WeightsError> for CliError {
    fn from(error: WeightsError) -> Self {
        Self::Model(error.to_string())
    }
}

impl From<PolicyError> for CliError {
    fn from(error: PolicyError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<ReportError> for CliError {
    fn from(error: ReportError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Diverged { .. } => Self::Diverged(error.to_string()),
            TrainError::Data(error) => Self::Data(error),
            TrainError::Model(error) => error.into(),
            TrainError::Policy(error) => error.into(),
            TrainError::Record(error) => error.into(),
            TrainError::Weights(_) | TrainError::WeightFile(_) => Self::Output(error.to_string()),
        }
    }
}
