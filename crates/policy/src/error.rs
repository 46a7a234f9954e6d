//! What can be wrong with a policy's options, and what would be right.

use std::fmt::Display;

/// A policy that cannot be built, or cannot decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// An option has a value it cannot have.
    #[error("{key} = {value}: expected {expected}")]
    Invalid {
        /// The option's name.
        key: String,
        /// The value as given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// An option string names an option that does not exist.
    #[error("unknown option \"{key}\"; known are {known}")]
    UnknownKey {
        /// The name as given.
        key: String,
        /// All names that exist, comma-separated.
        known: String,
    },
    /// An option string has a part that is not `key=value`, or a key twice.
    #[error("cannot read \"{part}\" in the option string: {reason}")]
    Syntax {
        /// The part in question.
        part: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text of a schedule cannot be understood.
    #[error("{0}")]
    Schedule(
        /// What is wrong with it.
        String,
    ),
    /// The monitored metric is not among those of the epoch.
    #[error("metric \"{monitor}\" is not available; this epoch has {available}")]
    MissingMetric {
        /// The metric asked for.
        monitor: String,
        /// The names that exist, comma-separated.
        available: String,
    },
    /// It is not known whether a metric should fall or rise.
    #[error("cannot tell whether \"{monitor}\" should fall or rise: say mode=min or mode=max")]
    UnknownDirection {
        /// The metric's name.
        monitor: String,
    },
    /// A file-name template cannot be filled in.
    #[error("file name template \"{template}\": {reason}")]
    Template {
        /// The template as given.
        template: String,
        /// What is wrong, and where.
        reason: String,
    },
}

/// `Ok` if `holds`, else an error naming `key`.
pub(crate) fn require(
    holds: bool,
    key: &str,
    value: impl Display,
    expected: &'static str,
) -> Result<(), PolicyError> {
    if holds {
        return Ok(());
    }
    Err(PolicyError::Invalid { key: key.to_owned(), value: value.to_string(), expected })
}

/// `Ok` if `value` is finite and not negative.
pub(crate) fn require_non_negative(value: f64, key: &str) -> Result<(), PolicyError> {
    require(value.is_finite() && value >= 0.0, key, value, "a finite number, 0 or more")
}

/// `Ok` if `value`, where given, is finite.
pub(crate) fn require_finite(value: Option<f64>, key: &str) -> Result<(), PolicyError> {
    value.map_or(Ok(()), |value| require(value.is_finite(), key, value, "a finite number"))
}
