//! What the golden traces do not cover: options of our own, messages, resuming.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeMap;

use common::{SEQUENCES, sequence};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use wellfit_policy::{
    CheckpointConfig, CheckpointPolicy, EarlyStopping, EarlyStoppingConfig, EarlyStoppingReason, Mode,
    PlateauConfig, ReduceLrOnPlateau, Semantics,
};

const ALL: [Semantics; 4] = [Semantics::Torch, Semantics::Keras, Semantics::Lightning, Semantics::Book];

fn stopper(semantics: Semantics, options: &str) -> EarlyStopping {
    EarlyStopping::new(EarlyStoppingConfig::parse(semantics, options).unwrap()).unwrap()
}

/// The epochs at which `machine` calls the metric the best so far.
fn best_epochs(mut machine: EarlyStopping, metrics: &[f64]) -> Vec<u32> {
    (0..)
        .zip(metrics)
        .filter(|&(epoch, &metric)| machine.observe(epoch, metric).improved)
        .map(|(e, _)| e)
        .collect()
}

fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// The run whose log the textbook prints; its losses of epochs 1 to 8, and a worse one for the unprinted 9th.
#[test]
#[allow(clippy::approx_constant, reason = "0.7071 is a loss")]
fn the_textbooks_run_stops_at_its_ninth_epoch() {
    let losses = [64.6766, 1.6799, 0.5631, 0.5125, 0.6830, 0.7071, 0.5996, 1.4061, 1.0];
    let mut machine = EarlyStopping::new(EarlyStoppingConfig::default()).unwrap();
    let seen: Vec<_> = (0..).zip(losses).map(|(epoch, loss)| machine.observe(epoch, loss)).collect();
    let lines: Vec<_> = seen.iter().filter_map(|seen| seen.counter_line(5)).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[2], "EarlyStopping counter: 3 out of 5");
    assert_eq!(
        seen[3].improvement_line("val_loss").unwrap(),
        "val_loss improved from 0.563100 to 0.512500, saving the weights"
    );
    assert_eq!(
        seen[0].improvement_line("val_loss").unwrap(),
        "val_loss is 64.676600, the first value: saving the weights"
    );
    assert_eq!(seen[4].improvement_line("val_loss"), None);
    assert!(seen[..8].iter().all(|seen| seen.stop.is_none()));
    let reason = seen[8].stop.clone().unwrap();
    assert_eq!(reason, EarlyStoppingReason::Patience { epochs: 5, best: Some(0.5125), best_epoch: Some(3) });
    assert_eq!(reason.to_string(), "no improvement in 5 epochs in a row; the best was 0.5125 at epoch 4");
}

#[test]
fn reasons_read_as_sentences() {
    let reason = |options, metric| {
        let mut machine = stopper(Semantics::Book, options);
        machine.observe(0, metric).stop.unwrap().to_string()
    };
    assert_eq!(reason("check_finite=true", f64::NAN), "the monitored metric is NaN, not a finite number");
    assert_eq!(
        reason("stopping_threshold=0.1", 0.05),
        "the monitored metric is 0.05, better than the stopping threshold 0.1"
    );
    assert_eq!(
        reason("divergence_threshold=0.5,mode=max", 0.25),
        "the monitored metric is 0.25, worse than the divergence threshold 0.5"
    );
    assert_eq!(reason("patience=1", f64::NAN), "no improvement in 1 epoch; no epoch gave a usable value");
}

#[test]
fn a_relative_delta_is_a_share_of_the_best() {
    let metrics = [8.0, 7.5, 7.0, 6.5, 6.125];
    for semantics in [Semantics::Book, Semantics::Keras, Semantics::Lightning] {
        assert_eq!(best_epochs(stopper(semantics, "min_delta=0.1,relative=true"), &metrics), [0, 2, 4]);
    }
    let negative = [-8.0, -8.5, -9.0];
    assert_eq!(best_epochs(stopper(Semantics::Book, "min_delta=0.1,relative=true"), &negative), [0, 2]);
    let from_infinity = [f64::INFINITY, 3.0];
    assert_eq!(best_epochs(stopper(Semantics::Book, "min_delta=0.1,relative=true"), &from_infinity), [0, 1]);
}

/// Keras' and Lightning's options under the textbook's rules, each of which would do nothing if ignored.
#[test]
fn options_of_all_three_work_together() {
    let mut machine = stopper(
        Semantics::Book,
        "patience=2,mode=max,baseline=0.5,start_from_epoch=1,stopping_threshold=0.9,check_finite=true",
    );
    let seen: Vec<_> = (0..)
        .zip([0.99, 0.1, 0.2, 0.6, 0.5, f64::NAN, 0.4, 0.95])
        .map(|(epoch, metric)| machine.observe(epoch, metric))
        .collect();
    assert_eq!(seen.iter().map(|seen| seen.counter).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 1, 2, 2]);
    let kinds: Vec<_> = seen.iter().map(|seen| seen.stop.clone()).collect();
    assert_eq!(kinds[..5], [None, None, None, None, None]);
    assert!(matches!(kinds[5], Some(EarlyStoppingReason::NotFinite { .. })));
    assert!(matches!(kinds[6], Some(EarlyStoppingReason::Patience { epochs: 2, .. })));
    assert_eq!(kinds[7], Some(EarlyStoppingReason::StoppingThreshold { value: 0.95, threshold: 0.9 }));
}

#[test]
fn nan_never_improves_except_where_keras_says_so() {
    let metrics = [f64::NAN, 1.0, f64::NAN, 0.5];
    for semantics in [Semantics::Torch, Semantics::Book, Semantics::Lightning] {
        assert_eq!(best_epochs(stopper(semantics, "check_finite=false"), &metrics), [1, 3]);
    }
    assert_eq!(best_epochs(stopper(Semantics::Keras, ""), &metrics), [0]);
    assert_eq!(best_epochs(stopper(Semantics::Keras, "check_finite=true"), &metrics), [1, 3]);
}

#[test]
fn the_reduction_is_announced_as_torch_did() {
    let mut machine = ReduceLrOnPlateau::new(PlateauConfig::textbook(Semantics::Torch), 0.001).unwrap();
    let messages: Vec<_> = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
        .map(|metric| machine.observe(metric).message())
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(messages, ["Epoch 00012: reducing learning rate of group 0 to 5.0000e-04."]);
}

#[test]
fn torch_waits_one_epoch_longer_than_keras() {
    let reduces_at = |semantics| {
        let config = PlateauConfig { patience: 3, ..PlateauConfig::defaults(semantics) };
        let mut machine = ReduceLrOnPlateau::new(config, 0.1).unwrap();
        (0..10).find(|_| machine.observe(1.0).reduced)
    };
    assert_eq!((reduces_at(Semantics::Torch), reduces_at(Semantics::Keras)), (Some(4), Some(3)));
}

/// Every machine, written and read back after every epoch, does what it would have done.
#[test]
fn machines_survive_a_resume_at_any_epoch() {
    for (semantics, index) in
        ALL.into_iter().flat_map(|semantics| (0..SEQUENCES).map(move |i| (semantics, i)))
    {
        let mut stopping = stopper(semantics, "patience=3,check_finite=false");
        let config = PlateauConfig { patience: 1, cooldown: 2, ..PlateauConfig::defaults(semantics) };
        let mut plateau = ReduceLrOnPlateau::new(config, 0.1).unwrap();
        let best_only = CheckpointConfig { save_best_only: true, ..CheckpointConfig::default() };
        let mut checkpoint = CheckpointPolicy::new(best_only).unwrap();
        for (epoch, metric) in (0..).zip(sequence(index)) {
            let mut resumed = through_json(&stopping);
            // NaN differs from itself: compare what is printed.
            let (one, other) = (stopping.observe(epoch, metric), resumed.observe(epoch, metric));
            assert_eq!(format!("{one:?}{stopping:?}"), format!("{other:?}{resumed:?}"));
            assert_eq!(format!("{:?}", through_json(&one)), format!("{one:?}"));

            let mut resumed = through_json(&plateau);
            let (one, other) = (plateau.observe(metric), resumed.observe(metric));
            assert_eq!(format!("{one:?}{plateau:?}"), format!("{other:?}{resumed:?}"));
            assert_eq!(format!("{:?}", through_json(&one)), format!("{one:?}"));

            let metrics = BTreeMap::from([("val_loss".to_owned(), metric)]);
            let mut resumed: CheckpointPolicy = through_json(&checkpoint);
            assert_eq!(resumed.observe(epoch, &metrics), checkpoint.observe(epoch, &metrics));
        }
    }
}

proptest! {
    /// Mode max on the negated metric is mode min: decisions, counters and stops are the same.
    #[test]
    fn max_mirrors_min(
        metrics in prop::collection::vec(prop::num::f64::ANY, 1..40),
        which in 0_usize..4,
        patience in 0_u32..4,
        min_delta in 0.0..1.0_f64,
        relative: bool,
    ) {
        let config = |mode| EarlyStoppingConfig {
            mode, patience, min_delta, relative, ..EarlyStoppingConfig::defaults(ALL[which])
        };
        let mut falling = EarlyStopping::new(config(Mode::Min)).unwrap();
        let mut rising = EarlyStopping::new(config(Mode::Max)).unwrap();
        for (epoch, metric) in (0..).zip(metrics) {
            let (down, up) = (falling.observe(epoch, metric), rising.observe(epoch, -metric));
            prop_assert_eq!((down.improved, down.counter), (up.improved, up.counter));
            prop_assert_eq!(down.stop.is_some(), up.stop.is_some());
        }
    }

    /// Whatever the metric, a rate never rises, never falls below `min_lr` (unless it began there), and
    /// falls only when the step says so.
    #[test]
    fn rates_only_fall(
        metrics in prop::collection::vec(prop::num::f64::ANY, 1..60),
        which in 0_usize..4,
        patience in 0_u32..3,
        min_lr in 0.0..0.2_f64,
    ) {
        let config = PlateauConfig { patience, min_lr, ..PlateauConfig::defaults(ALL[which]) };
        let mut machine = ReduceLrOnPlateau::new(config, 0.1).unwrap();
        let floor = f64::from((min_lr as f32).min(0.1)).min(min_lr).min(0.1);
        for metric in metrics {
            let step = machine.observe(metric);
            prop_assert_eq!(step.reduced, step.lr_after < step.lr_before);
            prop_assert!(step.lr_after <= step.lr_before && step.lr_after >= floor);
        }
    }
}
