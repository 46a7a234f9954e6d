//! Why a search ended without a result.

use crate::space::SpaceError;
use crate::storage::StorageError;
use wellfit_run::RunError;

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The space makes no sense.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// What is asked for makes no sense, alone or with the study that is there.
    #[error("{0}")]
    Plan(String),
    /// The study cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A trial cannot be trained, and no other could.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file or folder of the search cannot be made.
    #[error("{0}")]
    Output(String),
}
