//! The loop on small data in memory: averages, the best epoch, stopping, divergence.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::material::{config, images, loader, new_run};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::{Cpu, Network, Shape, build};
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig};
use wellfit_record::{Event, RunDir, StopReason, epochs};
use wellfit_train::{Callback, Control, EpochReport, FitConfig, Metric, TrainError, evaluate, fit};

fn network() -> Network {
    let mut network = build("mlp-bn", Shape::image(4, 4, 1), 2).unwrap();
    network.initialise(0);
    network
}

#[test]
fn a_short_last_batch_weighs_no_more_than_its_images() {
    let data = images(37, 0);
    let network = network();
    let average = |batch| {
        let loader = loader(data.clone(), batch, false);
        evaluate(&Cpu, &network, &loader, &CrossEntropy::default(), 0, &mut (), |_, _| {}).unwrap()
    };
    let (whole, parts) = (average(37), average(16));
    assert_eq!((whole.samples, whole.accuracy()), (parts.samples, parts.accuracy()));
    // The same 37 losses added in another grouping: f64 rounding only.
    assert!((whole.loss() - parts.loss()).abs() < 1e-7, "{} and {}", whole.loss(), parts.loss());
}

#[test]
fn it_learns_records_every_epoch_and_returns_the_best_weights() {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, val) = (loader(images(65, 0), 16, true), loader(images(40, 1), 16, false));
    let outcome = fit(network(), (&train, &val), &config(12, 0.3), &mut run, &mut ()).unwrap();
    let best = &outcome.epochs[outcome.best.unwrap()];
    assert!(best.val_accuracy() > 0.9, "{best:?}");
    assert!(outcome.epochs.iter().all(|epoch| epoch.val_loss() >= best.val_loss()));
    let again =
        evaluate(&Cpu, &outcome.network, &val, &CrossEntropy::default(), 0, &mut (), |_, _| {}).unwrap();
    assert_eq!(again.loss(), best.val_loss(), "the returned weights are the best epoch's");
    drop(run);
    let run = RunDir::open(root.path().join("run")).unwrap();
    assert_eq!(epochs(&run.events().unwrap().rows), outcome.epochs);
    // 65 images in batches of 16: the last one joins its neighbour, so four steps an epoch.
    assert_eq!(run.steps().unwrap().rows.len(), 48);
    let saved = run.newest_good(Some("best")).unwrap().found.unwrap();
    let saved = wellfit_weights::from_bytes(&saved.files["model.safetensors"]).unwrap();
    assert_eq!(saved.arrays, outcome.network.state().arrays);
    assert_eq!(run.newest_good(Some("last")).unwrap().found.unwrap().checkpoint.manifest.info.epoch, 12);
}

#[test]
fn early_stopping_ends_the_run_and_the_scheduler_lowers_the_rate() {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, val) = (loader(images(32, 0), 16, true), loader(images(32, 1), 16, false));
    // No epoch beats the first by 9: the counter runs, and the scheduler acts at its second bad epoch.
    let stopping = EarlyStoppingConfig { patience: 4, min_delta: 9.0, ..EarlyStoppingConfig::default() };
    let plateau = PlateauConfig { patience: 1, threshold: 0.99, factor: 0.5, ..PlateauConfig::default() };
    let config = FitConfig {
        early_stopping: Some((Metric::VAL_LOSS, stopping)),
        lr_scheduler: Some((Metric::VAL_LOSS, plateau)),
        ..config(50, 0.01)
    };
    let outcome = fit(network(), (&train, &val), &config, &mut run, &mut ()).unwrap();
    assert_eq!((outcome.epochs.len(), outcome.stop), (5, StopReason::EarlyStopping));
    let rates: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.lr).collect();
    assert_eq!(rates, [0.01, 0.01, 0.01, 0.005, 0.005]);
    drop(run);
    let events = RunDir::open(root.path().join("run")).unwrap().events().unwrap().rows;
    assert!(
        events.iter().any(|event| matches!(event, Event::LrChange { epoch: 3, from: 0.01, to: 0.005, .. }))
    );
    let stop = events.iter().find_map(|event| match event {
        Event::Stop { reason, epoch, .. } => Some((*reason, *epoch)),
        _ => None,
    });
    assert_eq!(stop, Some((StopReason::EarlyStopping, 5)));
}

#[test]
fn a_loss_that_is_no_number_stops_and_keeps_the_last_good_weights() {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, val) = (loader(images(32, 0), 16, true), loader(images(32, 1), 16, false));
    // A rate that is fine for one epoch and absurd from then on.
    let schedule =
        wellfit_policy::Schedule::Step(wellfit_policy::schedule::Step { step_size: 2, gamma: 1e38 });
    let config = FitConfig { schedule: Some(schedule), ..config(9, 0.01) };
    let error = fit(network(), (&train, &val), &config, &mut run, &mut ()).unwrap_err();
    let TrainError::Diverged { epoch, step, .. } = error else { panic!("{error}") };
    assert!(epoch >= 2 && step >= 3, "epoch {epoch}, step {step}");
    assert!(error.to_string().contains("epoch 1, the best so far"), "{error}");
    drop(run);
    let run = RunDir::open(root.path().join("run")).unwrap();
    let best = run.newest_good(Some("best")).unwrap().found.unwrap();
    assert_eq!(best.checkpoint.manifest.info.epoch, 1);
    let weights = wellfit_weights::from_bytes(&best.files["model.safetensors"]).unwrap();
    assert!(weights.arrays.iter().filter_map(|(_, a)| a.as_f32()).flatten().all(|w| w.is_finite()));
}

struct StopAfter(u32);

impl Callback for StopAfter {
    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        if report.record.epoch == self.0 { Control::Stop("enough".into()) } else { Control::Continue }
    }
}

#[test]
fn a_callback_can_stop_a_run() {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, val) = (loader(images(32, 0), 16, true), loader(images(32, 1), 16, false));
    let outcome = fit(network(), (&train, &val), &config(9, 0.1), &mut run, &mut StopAfter(2)).unwrap();
    assert_eq!(
        (outcome.epochs.len(), outcome.stop, outcome.stop_message.as_str()),
        (2, StopReason::Callback, "enough")
    );
}

#[test]
fn checkpoints_under_a_name_of_ones_own_go_into_the_run() {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, val) = (loader(images(32, 0), 16, true), loader(images(32, 1), 16, false));
    let path = "e{epoch:02d} {val_accuracy:.1f}.safetensors".to_owned();
    let checkpoint = wellfit_policy::CheckpointConfig { path, ..Default::default() };
    let config = FitConfig { checkpoint: Some(checkpoint), ..config(2, 0.1) };
    let outcome = fit(network(), (&train, &val), &config, &mut run, &mut ()).unwrap();
    for epoch in &outcome.epochs {
        let name = format!("e{:02} {:.1}.safetensors", epoch.epoch, epoch.val_accuracy());
        let weights = wellfit_weights::read(&run.path().join(&name)).unwrap();
        assert_eq!(weights.arrays.len(), outcome.network.state().arrays.len(), "{name}");
    }
    let elsewhere =
        wellfit_policy::CheckpointConfig { path: "../{epoch}.safetensors".to_owned(), ..Default::default() };
    let config = FitConfig { checkpoint: Some(elsewhere), ..config };
    let refused = fit(network(), (&train, &val), &config, &mut run, &mut ()).unwrap_err().to_string();
    assert!(refused.contains("../1.safetensors"), "{refused}");
}
