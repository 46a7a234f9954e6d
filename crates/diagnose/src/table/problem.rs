//! Why there is no such column.

use crate::error::LogError;

/// Why there is no such column.
#[derive(Debug, PartialEq)]
pub enum ColumnError {
    /// The choice of the column is wrong: another one may do.
    Choice(String),
    /// The file is.
    File(String),
}

impl ColumnError {
    /// The error, naming the file.
    #[must_use]
    pub fn at(self, place: &str) -> LogError {
        match self {
            Self::Choice(problem) => LogError::Choice(format!("{place} {problem}")),
            Self::File(problem) => LogError::Invalid(format!("{place}{problem}")),
        }
    }

    /// What is wrong in that line, from 1.
    pub(crate) fn in_line(line: u64, problem: &str) -> Self {
        Self::File(format!(", line {line}: {problem}"))
    }
}
