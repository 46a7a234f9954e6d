//! Why there are no curves.

use std::io;
use std::path::PathBuf;
use wellfit_base::Shown;
use wellfit_record::RecordError;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The choice of columns is wrong, or one has to be made.
    #[error("{0}")]
    Choice(String),
    /// The file is not what it should be. The sentence names it.
    #[error("{0}")]
    Invalid(String),
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.shown())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The record of a run cannot be read.
    #[error("{0}")]
    Record(#[from] RecordError),
}
