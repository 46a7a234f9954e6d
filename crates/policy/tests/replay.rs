//! A replay is what the machines say one by one, up to the first stop.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{SEQUENCES, sequence};
use wellfit_policy::schedule::Step;
use wellfit_policy::{
    EarlyStopping, EarlyStoppingConfig, PlateauConfig, RateRule, ReduceLrOnPlateau, Replay, Schedule,
    Semantics,
};

#[test]
fn a_replay_is_what_the_machines_say_up_to_the_first_stop() {
    for semantics in [Semantics::Torch, Semantics::Keras, Semantics::Lightning, Semantics::Book] {
        let stopping = EarlyStoppingConfig { patience: 4, ..EarlyStoppingConfig::defaults(semantics) };
        let plateau = PlateauConfig { patience: 1, ..PlateauConfig::textbook(semantics) };
        let rate = RateRule::Plateau(plateau.clone());
        let replay = Replay { lr: 0.1, rate, early_stopping: Some(stopping.clone()) };
        for metrics in (0..SEQUENCES).map(sequence) {
            let epochs = replay.run((1..).zip(metrics.iter().copied())).unwrap();
            let mut stopper = EarlyStopping::new(stopping.clone()).unwrap();
            let mut scheduler = ReduceLrOnPlateau::new(plateau.clone(), 0.1).unwrap();
            for (index, (epoch, &metric)) in epochs.iter().zip(&metrics).enumerate() {
                assert_eq!((epoch.epoch as usize, epoch.lr), (index + 1, scheduler.lr()));
                let (seen, step) = (stopper.observe(index as u32, metric), scheduler.observe(metric));
                assert_eq!((epoch.counter(), epoch.lr_next), (Some(seen.counter), step.lr_after));
                assert_eq!(epoch.best().map(f64::to_bits), seen.best.map(f64::to_bits));
                assert_eq!(epoch.stop().is_some(), seen.stop.is_some());
                assert!(seen.stop.is_none() || index + 1 == epochs.len(), "nothing follows a stop");
            }
            let stopped = epochs.last().unwrap().stop().is_some();
            assert!(stopped || epochs.len() == metrics.len(), "only a stop ends a replay");
        }
    }
}

#[test]
fn without_early_stopping_counter_and_best_are_the_schedulers() {
    let plateau = PlateauConfig { patience: 9, ..PlateauConfig::default() };
    let replay = Replay { lr: 0.1, rate: RateRule::Plateau(plateau), early_stopping: None };
    let epochs = replay.run((1..).zip([0.5, 0.7, 0.8])).unwrap();
    assert_eq!((epochs[2].counter(), epochs[2].best()), (Some(2), Some(0.5)));
}

#[test]
fn a_schedule_takes_a_step_an_epoch() {
    let schedule = Schedule::Step(Step { step_size: 2, gamma: 0.5 });
    let replay = Replay { lr: 0.5, rate: RateRule::Schedule(schedule), early_stopping: None };
    let epochs = replay.run((1..).zip([1.0; 4])).unwrap();
    let rates: Vec<(f64, f64)> = epochs.iter().map(|epoch| (epoch.lr, epoch.lr_next)).collect();
    assert_eq!(rates, [(0.5, 0.5), (0.5, 0.25), (0.25, 0.25), (0.25, 0.125)]);
    assert_eq!((epochs[3].counter(), epochs[3].best()), (None, None));
}

#[test]
fn wrong_options_are_refused() {
    let wrong = Schedule::Step(Step { step_size: 0, gamma: 0.5 });
    for rate in
        [RateRule::Schedule(wrong), RateRule::Plateau(PlateauConfig { factor: 2.0, ..Default::default() })]
    {
        assert!(Replay { lr: 0.1, rate, early_stopping: None }.run([(1, 0.5)]).is_err());
    }
}
