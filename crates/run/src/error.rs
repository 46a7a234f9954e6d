//! Why something could not be done, by what has to be corrected.

use std::path::{Path, PathBuf};
use wellfit_base::Shown;
use wellfit_cluster::Lost;
use wellfit_data::DataError;
use wellfit_fetch::FetchError;
use wellfit_gpu::DeviceError;
use wellfit_models::ModelError;
use wellfit_plot::PlotError;
use wellfit_policy::PolicyError;
use wellfit_record::RecordError;
use wellfit_report::ReportError;
use wellfit_train::TrainError;
use wellfit_weights::WeightsError;

/// Why a run, or what is made of one, failed. In the texts settings stand in backquotes, as `batch_size`; a program
/// with a command line can put its options in their place.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting that makes no sense, alone or together with others.
    #[error("{problem}")]
    Setting {
        /// Its name, such as `batch_size`.
        setting: &'static str,
        /// The whole sentence.
        problem: String,
    },
    /// A configuration file that is none.
    #[error("{}: {problem}", .path.shown())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and in which line.
        problem: String,
    },
    /// Something else that cannot be done as asked: a device that is not there, a run of another kind.
    #[error("{0}")]
    Unusable(String),
    /// Data that cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model or weights that do not fit.
    #[error("{0}")]
    Model(String),
    /// Something that cannot be written, or read back.
    #[error("{0}")]
    Output(String),
    /// The observer asked for the end; the run was saved and can be resumed.
    #[error("interrupted by {reason}; the run is saved in {}", .run.shown())]
    Interrupted {
        /// What the observer said.
        reason: String,
        /// The run's directory.
        run: PathBuf,
    },
    /// The loss became NaN or infinite.
    #[error("{0}")]
    Diverged(String),
}

impl RunError {
    /// A setting that makes no sense.
    pub(crate) fn setting(setting: &'static str, problem: String) -> Self {
        Self::Setting { setting, problem }
    }

    /// The name of the setting that makes no sense, if it is one.
    #[must_use]
    pub fn setting_name(&self) -> Option<&'static str> {
        match self {
            Self::Setting { setting, .. } => Some(setting),
            _ => None,
        }
    }

    /// A weight file that does not fit, named.
    pub(crate) fn weights(path: &Path, error: &ModelError) -> Self {
        Self::Model(format!("{}: {error}", path.shown()))
    }
}

impl From<ModelError> for RunError {
    fn from(error: ModelError) -> Self {
        if error.is_of_weights() { Self::Model(error.to_string()) } else { Self::Unusable(error.to_string()) }
    }
}

impl From<DeviceError> for RunError {
    fn from(error: DeviceError) -> Self {
        Self::setting("device", error.to_string())
    }
}

impl From<FetchError> for RunError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Name(problem) => Self::Unusable(problem),
            FetchError::Disk { .. } => Self::Output(error.to_string()),
            _ => Self::Model(error.to_string()),
        }
    }
}

impl From<WeightsError> for RunError {
    fn from(error: WeightsError) -> Self {
        Self::Model(error.to_string())
    }
}

impl From<PolicyError> for RunError {
    fn from(error: PolicyError) -> Self {
        Self::Unusable(error.to_string())
    }
}

impl From<RecordError> for RunError {
    fn from(error: RecordError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<ReportError> for RunError {
    fn from(error: ReportError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<PlotError> for RunError {
    fn from(error: PlotError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<Lost> for RunError {
    fn from(error: Lost) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<TrainError> for RunError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Diverged { .. } => Self::Diverged(error.to_string()),
            TrainError::Data(error) => Self::Data(error),
            TrainError::Model(error) => error.into(),
            TrainError::Policy(error) => error.into(),
            TrainError::Record(error) => error.into(),
            TrainError::Interrupted { reason } => Self::Interrupted { reason, run: PathBuf::new() },
            TrainError::Lost(lost) => lost.into(),
            TrainError::ProcessorOnly(_) => Self::Unusable(error.to_string()),
            TrainError::NoWeights { .. } => Self::Model(error.to_string()),
            TrainError::NotResumable { .. } | TrainError::Position(_) | TrainError::Weights(_) => {
                Self::Output(error.to_string())
            }
        }
    }
}
