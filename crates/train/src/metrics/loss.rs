//! The loss.

use super::Scored;

/// The sum of the samples' losses: a batch counts by its size.
pub(super) fn sum(batch: &Scored<'_>) -> f64 {
    batch.loss.value * batch.labels.len() as f64
}
