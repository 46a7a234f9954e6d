//! Whole runs against torch (`parity/runs.py`): stochastic weight averaging and gradual unfreezing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::material::{config, loader, new_run};
use serde::Deserialize;
use std::sync::Arc;
use wellfit_data::{Dataset, Images, Loader};
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Builder;
use wellfit_models::{Network, Shape};
use wellfit_policy::schedule::{Anneal, ScheduleSpec, SwaRate};
use wellfit_record::{Checkpoint, RunDir};
use wellfit_train::callback::EpochReport;
use wellfit_train::{Callback, Control, FitConfig, Outcome, Swa, checkpoint_weights, fit};
use wellfit_weights::{WeightFile, from_bytes};

#[derive(Debug, Deserialize)]
struct Case {
    area: String,
    lr: f64,
    epochs: u32,
    start: Option<u32>,
    swa_lr: Option<f64>,
    anneal_epochs: Option<u32>,
    anneal_strategy: Option<String>,
    rates: Vec<f64>,
}

fn fixture() -> (WeightFile, Vec<Case>) {
    let path = format!("{}/tests/fixtures/runs.safetensors", env!("CARGO_MANIFEST_DIR"));
    let file = from_bytes(&std::fs::read(path).unwrap()).unwrap();
    let cases = serde_json::from_str(&file.metadata["cases"]).unwrap();
    (file, cases)
}

/// The values under `prefix`, by name.
fn under<'a>(file: &'a WeightFile, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [f32])> {
    let named = file.arrays.iter().filter_map(move |(name, array)| Some((name.strip_prefix(prefix)?, array)));
    named.filter_map(|(name, array)| Some((name, array.as_f32()?)))
}

fn hashed(place: u32) -> u32 {
    place.wrapping_mul(2_654_435_761) >> 16
}

/// 24 images in batches of 8, always in the same order.
fn data() -> Loader {
    let labels: Vec<u32> = (0..24).map(|i| i % 2).collect();
    let pixel = |i: u32, p: u32| (labels[i as usize] * 60 + hashed(16 * i + p + 1) % 160) as u8;
    let pixels = (0..24).flat_map(|i| (0..16).map(move |p| (i, p))).map(|(i, p)| pixel(i, p)).collect();
    let images = Images::Memory { height: 4, width: 4, channels: 1, pixels: Arc::new(pixels) };
    loader(Dataset::new(vec!["dark".into(), "bright".into()], labels, images).unwrap(), 8, false)
}

/// The network with the weights that torch began with.
fn network(fixture: &WeightFile) -> Network {
    let mut net = Builder::new("small", Shape::image(4, 4, 1));
    let value = net.conv("conv", 0, 4, 3, 1, 1);
    let value = net.batch_norm("bn", value);
    let value = net.relu("relu", value);
    let value = net.conv("conv2", value, 6, 3, 2, 1);
    let value = net.batch_norm("bn2", value);
    let value = net.relu("relu2", value);
    let value = net.global_average_pool("pool", value);
    net.linear("fc", value, 2);
    let mut network = net.finish();
    network.initialise(0);
    let arrays = fixture.arrays.iter();
    let arrays =
        arrays.filter_map(|(name, array)| Some((name.strip_prefix("fresh/")?.to_owned(), array.clone())));
    network.load(&WeightFile { arrays: arrays.collect(), ..WeightFile::default() }, false).unwrap();
    network
}

/// The largest difference of a tensor under `prefix`, as a part of the tensor's largest value; and how many there are.
fn error(found: &WeightFile, fixture: &WeightFile, prefix: &str) -> (f64, usize) {
    let (mut worst, mut count) = (0.0_f64, 0);
    for (name, expected) in under(fixture, prefix) {
        let (_, values) =
            under(found, "").find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no {name}"));
        let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let differences = values.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs() / largest));
        worst = worst.max(differences.fold(0.0, f64::max));
        count += 1;
    }
    (worst, count)
}

/// Keeps the weights after each epoch.
#[derive(Default)]
struct Kept(Vec<std::path::PathBuf>);

impl Callback for Kept {
    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.0.push(checkpoint.path.clone());
    }

    fn epoch_end(&mut self, _: &EpochReport<'_>) -> Control {
        Control::Continue
    }
}

/// Train, and read the newest checkpoint: the outcome, the weights themselves, and those that are kept.
fn run(network: Network, config: &FitConfig) -> (Outcome, WeightFile, WeightFile) {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let outcome = fit(network, (&data(), &data()), config, &mut run, &mut ()).unwrap();
    let last = RunDir::open(run.path()).unwrap().newest_good(Some("last")).unwrap().found.unwrap();
    let raw = from_bytes(&last.files["model.safetensors"]).unwrap();
    let kept = checkpoint_weights(&last).unwrap();
    (outcome, raw, kept)
}

#[test]
fn averages_of_epochs_are_torchs() {
    let (fixture, cases) = fixture();
    let (mut worst, mut tensors, mut runs) = (0.0_f64, 0, 0);
    for (number, case) in cases.iter().enumerate().filter(|(_, case)| case.area == "swa") {
        let schedule: ScheduleSpec = "cosine".parse().unwrap();
        let rate = case.swa_lr.map(|lr| SwaRate {
            lr,
            epochs: case.anneal_epochs.unwrap(),
            anneal: if case.anneal_strategy.as_deref() == Some("cos") { Anneal::Cos } else { Anneal::Linear },
        });
        let config = FitConfig {
            schedule: schedule.build(case.lr, case.epochs, 3).unwrap(),
            swa: Some(Swa { start: case.start.unwrap(), rate }),
            ..config(case.epochs, case.lr)
        };
        let (outcome, raw, average) = run(network(&fixture), &config);
        let averaged = &outcome.epochs[case.start.unwrap() as usize - 1..];
        for (epoch, rate) in averaged.iter().zip(&case.rates) {
            assert!((epoch.lr - rate).abs() <= 1e-12 * rate, "case {number}: {} is not {rate}", epoch.lr);
        }
        assert_eq!(averaged.len(), case.rates.len());
        for (found, what) in [(&raw, "raw"), (&average, "average")] {
            let (error, count) = error(found, &fixture, &format!("{number}/{what}/"));
            // torch computed in float64, 18 steps of f32 err by some 2⁻²⁴ each.
            assert!(error < 1e-6, "case {number}: {what} differs by {error:e}");
            assert_eq!(count, 12);
            (worst, tensors) = (worst.max(error), tensors + count);
        }
        runs += 1;
    }
    let cases = format!("{runs} runs, {tensors} tensors");
    let tolerance = "1e-6 of a tensor's largest value";
    crate::table::row("Stochastic weight averaging", &["torch"], &cases, tolerance, worst);
}

#[test]
fn one_stage_after_the_other_is_torchs_optimiser_with_groups_added() {
    let (fixture, cases) = fixture();
    let (number, case) = cases.iter().enumerate().find(|(_, case)| case.area == "unfreezing").unwrap();
    let mut frozen = network(&fixture);
    frozen.freeze_backbone();
    assert_eq!(frozen.stages(), 2);
    let (mut worst, mut tensors) = (0.0_f64, 0);
    for epochs in 1..=case.epochs {
        // Where the run ends changes nothing of the epochs before.
        let config =
            FitConfig { freeze_epochs: 1, unfreeze_every: 2, rule: Rule::ADAM, ..config(epochs, case.lr) };
        let root = tempfile::tempdir().unwrap();
        let mut run = new_run(&root);
        let mut kept = Kept::default();
        fit(frozen.clone(), (&data(), &data()), &config, &mut run, &mut kept).unwrap();
        assert!(!kept.0.is_empty());
        let last = RunDir::open(run.path()).unwrap().newest_good(Some("last")).unwrap().found.unwrap();
        let (error, count) =
            error(&checkpoint_weights(&last).unwrap(), &fixture, &format!("{number}/{epochs}/"));
        // Adam divides by the root of what may be small, so f32 shows more than in plain descent.
        assert!(error < 2e-6, "epoch {epochs} differs by {error:e}");
        assert_eq!(count, 12);
        (worst, tensors) = (worst.max(error), tensors + count);
        let files: Vec<bool> = ["frozen.safetensors", "trained.safetensors", "model.safetensors"]
            .map(|name| last.files.contains_key(name))
            .to_vec();
        assert_eq!(
            files,
            if epochs < 4 { [true, true, false] } else { [false, false, true] },
            "epoch {epochs}"
        );
    }
    let cases = format!("{} epochs, {tensors} tensors", case.epochs);
    crate::table::row("Gradual unfreezing", &["torch"], &cases, "2e-6 of a tensor's largest value", worst);
}
