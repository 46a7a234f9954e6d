//! How early stopping and a plateau scheduler affect each other.

use crate::{EarlyStoppingConfig, PlateauConfig, Semantics};

/// The epoch after which early stopping ends a run that never improves after its first epoch (epoch 0): none ends earlier,
/// but by a baseline or a threshold.
#[must_use]
pub fn earliest_stop(stopping: &EarlyStoppingConfig) -> u64 {
    u64::from(stopping.start_from_epoch) + u64::from(stopping.patience.max(1))
}

/// The epoch, from 0, after which the scheduler first lowers the rate of such a run: none is lowered earlier.
#[must_use]
pub fn earliest_reduction(plateau: &PlateauConfig) -> u64 {
    match plateau.semantics {
        Semantics::Keras => u64::from(plateau.patience.max(1)),
        Semantics::Torch | Semantics::Lightning | Semantics::Book => u64::from(plateau.patience) + 1,
    }
}

/// Whether early stopping ends a stalled run before the scheduler can lower its rate, so that the
/// scheduler never acts: so it is with both patiences at 5, the textbook's settings.
///
/// A stalled run is one that gets worse after some epoch and never improves again. Under torch's rules this is
/// `stopping.patience <= plateau.patience`, under Keras' `<`, where `start_from_epoch` delays early stopping.
/// A baseline or a threshold of early stopping can only end the run earlier. Not covered are improvements so small
/// that early stopping accepts them while the scheduler's `threshold` does not.
#[must_use]
pub fn early_stopping_precludes_plateau(stopping: &EarlyStoppingConfig, plateau: &PlateauConfig) -> bool {
    earliest_stop(stopping) < earliest_reduction(plateau)
}

/// How many epochs a stalled run trains at a lowered rate before early stopping ends it.
///
/// It is 0 if early stopping comes first ([`early_stopping_precludes_plateau`]), and also if both act after the same
/// epoch: the rate is lowered, but nothing is trained with it.
#[must_use]
pub fn epochs_at_lowered_rate(stopping: &EarlyStoppingConfig, plateau: &PlateauConfig) -> u64 {
    earliest_stop(stopping).saturating_sub(earliest_reduction(plateau))
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
    fn the_textbook_with_both_flags_never_lowers_the_rate() {
        let stopping = EarlyStoppingConfig::default();
        assert!(early_stopping_precludes_plateau(&stopping, &PlateauConfig::textbook(Semantics::Torch)));
        let patient = EarlyStoppingConfig { patience: 6, ..stopping };
        assert!(!early_stopping_precludes_plateau(&patient, &PlateauConfig::textbook(Semantics::Torch)));
        assert_eq!(epochs_at_lowered_rate(&patient, &PlateauConfig::textbook(Semantics::Torch)), 0);
    }
}
