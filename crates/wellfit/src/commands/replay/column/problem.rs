//! Why there is no such column.

use crate::error::CliError;
use wellfit::data::DataError;

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
    pub fn at(self, place: &str) -> CliError {
        match self {
            Self::Choice(problem) => CliError::Usage(format!("{place} {problem}")),
            Self::File(problem) => DataError::Invalid(format!("{place}{problem}")).into(),
        }
    }

    /// What is wrong in that line, from 1.
    pub fn in_line(line: u64, problem: &str) -> Self {
        Self::File(format!(", line {line}: {problem}"))
    }
}
