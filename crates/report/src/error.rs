//! What can go wrong with a report.

use thiserror::Error;
use wellfit_record::RecordError;

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A result of a trial is not as it was written, or is not there yet.
    #[error("{0}")]
    Trial(String),
    /// A page or a table cannot be written.
    #[error("{0}")]
    Output(String),
}

impl From<askama::Error> for ReportError {
    fn from(error: askama::Error) -> Self {
        Self::Output(format!("the page cannot be written: {error}"))
    }
}

impl From<csv::Error> for ReportError {
    fn from(error: csv::Error) -> Self {
        Self::Output(format!("the table cannot be written: {error}"))
    }
}
