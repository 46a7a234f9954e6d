//! Which epoch is the best: that whose weights are kept.

use crate::epoch::EpochRecord;
use crate::metric::Metric;

/// Whether an epoch is better than the best one before it: in the metric `by`, in a tie by a lower validation loss. An
/// epoch whose metric or validation loss is NaN never is, and one with an infinite loss gives way to any other.
#[must_use]
pub fn is_better_epoch(by: Metric, epoch: &EpochRecord, best: Option<&EpochRecord>) -> bool {
    let usable = |record: &EpochRecord| !record.value(by).is_nan() && !record.val_loss().is_nan();
    let Some(best) = best else { return usable(epoch) };
    if !usable(epoch) {
        return false;
    }
    let [finite, before] = [epoch, best].map(|record| record.val_loss().is_finite());
    let (value, reference) = (epoch.value(by), best.value(by));
    if finite != before {
        finite
    } else if value == reference {
        epoch.val_loss() < best.val_loss()
    } else {
        by.mode().is_better(value, reference)
    }
}

/// The best epoch by a metric: see [`is_better_epoch`]. Of equals it is the earliest.
#[must_use]
pub fn best_epoch(epochs: &[EpochRecord], by: Metric) -> Option<&EpochRecord> {
    epochs.iter().fold(None, |best, epoch| if is_better_epoch(by, epoch, best) { Some(epoch) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::Metrics;

    /// The place, from 1, of the best of these epochs: (validation accuracy, validation loss).
    fn best(by: Metric, figures: &[(f64, f64)]) -> Option<u32> {
        let record = |(epoch, &(accuracy, loss)): (u32, &(f64, f64))| EpochRecord {
            epoch,
            metrics: Metrics::default().with(Metric::VAL_ACCURACY, accuracy).with(Metric::VAL_LOSS, loss),
            ..EpochRecord::default()
        };
        let epochs: Vec<EpochRecord> = (1..).zip(figures).map(record).collect();
        best_epoch(&epochs, by).map(|epoch| epoch.epoch)
    }

    #[test]
    fn the_metric_decides_then_the_loss_then_the_order() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        for (figures, by_accuracy, by_loss) in [
            (&[(0.5, 1.0), (0.6, 2.0), (0.4, 0.5)][..], Some(2), Some(3)),
            (&[(0.6, 2.0), (0.6, 1.0), (0.6, 1.0)], Some(2), Some(2)),
            (&[(0.6, 1.0), (0.6, 2.0)], Some(1), Some(1)),
            (&[(0.9, nan), (0.1, 3.0)], Some(2), Some(2)),
            (&[(nan, 0.1), (0.1, 3.0)], Some(2), Some(1)),
            (&[(0.9, inf), (0.1, 3.0)], Some(2), Some(2)),
            (&[(0.9, inf), (0.95, inf)], Some(2), Some(1)),
            (&[(nan, nan)], None, None),
            (&[], None, None),
        ] {
            assert_eq!(best(Metric::VAL_ACCURACY, figures), by_accuracy, "{figures:?}");
            assert_eq!(best(Metric::VAL_LOSS, figures), by_loss, "{figures:?}");
        }
    }
}
