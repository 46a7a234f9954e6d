//! What can be wrong with the numbers or the design of a trial, and what would be right.

/// A trial that cannot be judged, or a design that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// There is nothing to judge.
    #[error("{what}: there are no pairs yet")]
    NoPairs {
        /// Whose pairs.
        what: String,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} values, found {found}")]
    Length {
        /// Which list.
        what: String,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// A result is NaN or infinite, as after a run that diverged.
    #[error("{what} {place} is {value}: a trial needs a number from every run (did this one diverge?)")]
    NotFinite {
        /// What it is a result of.
        what: String,
        /// Its place, counted from 1.
        place: usize,
        /// The value.
        value: f64,
    },
    /// A key of the design has a value it cannot have.
    #[error("{key} = {value}: expected {expected}")]
    Invalid {
        /// The key, such as `alpha` or `technique.name`.
        key: String,
        /// The value as given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// The text of a design cannot be read.
    #[error("line {line}, {content}: {problem}")]
    Design {
        /// The line, counted from 1.
        line: usize,
        /// What it says.
        content: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// `Ok` if all values are finite.
pub(crate) fn require_finite(what: &str, values: &[f64]) -> Result<(), ProofError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(ProofError::NotFinite { what: what.to_owned(), place: at + 1, value: values[at] }),
    }
}
