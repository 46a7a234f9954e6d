//! What early stopping and a plateau scheduler do to each other.

use crate::{EarlyStoppingConfig, PlateauConfig, Semantics};

/// The epoch at which early stopping ends a run that never improves after its first epoch (epoch 0).
fn stops_at(stopping: &EarlyStoppingConfig) -> u64 {
    u64::from(stopping.start_from_epoch) + u64::from(stopping.patience.max(1))
}

/// The epoch at which the scheduler first lowers the rate of such a run.
fn lowers_at(plateau: &PlateauConfig) -> u64 {
    match plateau.semantics {
        Semantics::Keras => u64::from(plateau.patience.max(1)),
        Semantics::Torch | Semantics::Lightning | Semantics::Book => u64::from(plateau.patience) + 1,
    }
}

/// Whether early stopping ends a stalled run before the scheduler can lower its rate, so that the
/// scheduler is there for nothing: both patiences 5, as in the chapter, are such a case.
///
/// A stalled run is one that gets worse after some epoch and never improves again. (One case escapes:
/// improvements so small that early stopping accepts them while the scheduler's `threshold` does not.)
/// Under torch's rules this is `stopping.patience <= plateau.patience`, under Keras' `<`, early stopping
/// being delayed by `start_from_epoch`. Baselines and thresholds only make it earlier.
#[must_use]
pub fn early_stopping_precludes_plateau(stopping: &EarlyStoppingConfig, plateau: &PlateauConfig) -> bool {
    stops_at(stopping) < lowers_at(plateau)
}

/// How many epochs a stalled run trains at a lowered rate before early stopping ends it. 0 although
/// [`early_stopping_precludes_plateau`] is false means that both act at the same epoch: the rate is
/// lowered, and nothing is trained with it.
#[must_use]
pub fn epochs_at_lowered_rate(stopping: &EarlyStoppingConfig, plateau: &PlateauConfig) -> u64 {
    stops_at(stopping).saturating_sub(lowers_at(plateau))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EarlyStopping, ReduceLrOnPlateau};

    /// Runs both machines on a metric that worsens from epoch 0 on: (stop epoch, first reduction epoch).
    fn run(stopping: &EarlyStoppingConfig, plateau: &PlateauConfig) -> (u32, u32) {
        let mut stopper = EarlyStopping::new(stopping.clone()).unwrap();
        let mut scheduler = ReduceLrOnPlateau::new(plateau.clone(), 1.0).unwrap();
        let (mut stop, mut lower) = (None, None);
        for epoch in 0..40 {
            let metric = 1.0 + f64::from(epoch);
            let stopped = stopper.observe(epoch, metric).stop.is_some();
            stop = stop.or(stopped.then_some(epoch));
            lower = lower.or(scheduler.observe(metric).reduced.then_some(epoch));
        }
        (stop.unwrap(), lower.unwrap())
    }

    #[test]
    fn the_formula_agrees_with_running_both_machines() {
        use Semantics::{Book, Keras, Lightning, Torch};
        for (semantics, rule) in
            [(Book, Torch), (Book, Keras), (Keras, Torch), (Keras, Keras), (Lightning, Torch)]
        {
            for (patience, wait, start_from_epoch) in
                (0..7).flat_map(|p| (0..7).flat_map(move |w| (0..3).map(move |s| (p, w, s))))
            {
                let defaults = EarlyStoppingConfig::defaults(semantics);
                let stopping = EarlyStoppingConfig { patience, start_from_epoch, ..defaults };
                let plateau = PlateauConfig { patience: wait, ..PlateauConfig::defaults(rule) };
                let (stop, lower) = run(&stopping, &plateau);
                assert_eq!(early_stopping_precludes_plateau(&stopping, &plateau), stop < lower);
                let trained = u64::from(stop.saturating_sub(lower));
                assert_eq!(epochs_at_lowered_rate(&stopping, &plateau), trained, "{stopping:?} {plateau:?}");
            }
        }
    }

    #[test]
    fn the_chapter_with_both_flags_never_lowers_the_rate() {
        let stopping = EarlyStoppingConfig::default();
        assert!(early_stopping_precludes_plateau(&stopping, &PlateauConfig::chapter(Semantics::Torch)));
        let patient = EarlyStoppingConfig { patience: 6, ..stopping };
        assert!(!early_stopping_precludes_plateau(&patient, &PlateauConfig::chapter(Semantics::Torch)));
        assert_eq!(epochs_at_lowered_rate(&patient, &PlateauConfig::chapter(Semantics::Torch)), 0);
    }
}
