//! How many digits are recorded.

/// Four significant digits: more would say nothing, and the file would be twice as long.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// The same of what is finite.
pub(super) fn finite(number: f64) -> Option<f64> {
    number.is_finite().then(|| rounded(number))
}
