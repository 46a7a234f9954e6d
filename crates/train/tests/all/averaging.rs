//! Averages, of gradients and of weights: what a run does with them is what a script would do by hand.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::material::{Story, config, images, loader, new_run};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Builder;
use wellfit_models::{AveragedWeights, Cpu, Network, Optimizer, Shape, Weighting};
use wellfit_record::RunDir;
use wellfit_train::{FitConfig, Metric, Trainer, checkpoint_weights, evaluate, fit};

const DECAY: f64 = 0.6;

fn bits(network: &Network) -> Vec<Vec<u32>> {
    let parameters = network.parameters.iter().map(|p| p.value.to_vec());
    let norms = network.norms.iter().flat_map(|norm| [norm.mean.clone(), norm.variance.clone()]);
    parameters.chain(norms).map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
}

/// Three epochs of two steps, the first of them for the head alone.
fn story() -> Story {
    let mut story = Story::short(3).head_first(1).averaged(DECAY);
    story.config = FitConfig { lr_scheduler: None, checkpoint_every: None, ..story.config };
    story
}

#[test]
fn the_average_is_judged_and_kept_and_begins_anew_with_the_whole_network() {
    let story = story();
    let mut trainer =
        Trainer::new(story.network(), story.config.rule, CrossEntropy::default(), story.config.seed);
    trainer.clip_norm = story.config.clip_norm;
    let mut average = AveragedWeights::of(&trainer.network);
    let mut losses = Vec::new();
    for epoch in 0..3 {
        if epoch == 1 {
            trainer.network.unfreeze();
            trainer.optimizer = Optimizer::after(2, story.config.rule, &trainer.network);
            average = AveragedWeights::of(&trainer.network);
        }
        for batch in story.train.epoch_from(epoch, 0) {
            let batch = batch.unwrap();
            trainer.step(&batch.images, &batch.labels, story.config.lr).unwrap();
            average.take(&trainer.network, Weighting::Exponential { decay: DECAY });
        }
        average.exchange(&mut trainer.network);
        let loss = CrossEntropy::default();
        let judged = evaluate(&Cpu, &trainer.network, &story.validation, &loss, 0, &mut (), |_, _| ());
        losses.push(judged.unwrap().loss());
        average.exchange(&mut trainer.network);
    }

    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    let judged: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.value(Metric::VAL_LOSS)).collect();
    assert_eq!(judged, losses);

    let dir = RunDir::open(run.path()).unwrap();
    let last = dir.newest_good(Some("last")).unwrap().found.unwrap();
    let mut kept = story.network();
    kept.load(&checkpoint_weights(&last).unwrap(), false).unwrap();
    let raw = bits(&trainer.network);
    average.exchange(&mut trainer.network);
    let averaged = bits(&trainer.network);
    assert!(averaged != raw && bits(&kept) == averaged, "what is read from `last` is the average");
    assert!(last.files.contains_key("model.safetensors") && last.files.contains_key("average.safetensors"));
    if outcome.best == Some(2) {
        assert_eq!(bits(&outcome.network), averaged);
    }
    let best = dir.newest_good(Some("best")).unwrap().found.unwrap();
    kept.load(&checkpoint_weights(&best).unwrap(), false).unwrap();
    assert_eq!(bits(&kept), bits(&outcome.network), "`best` holds the average of the best epoch");
}

/// Without BatchNorm, which would see smaller batches, and without dropout.
fn plain() -> Network {
    let mut net = Builder::new("plain", Shape::image(4, 4, 1));
    let value = net.conv("conv", 0, 8, 3, 1, 1);
    let value = net.relu("relu", value);
    net.linear("fc", value, 2);
    let mut network = net.finish();
    network.initialise(3);
    network
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    // 75 images: two whole steps of 32, and one of 11, the last of whose batches has 3.
    let validation = loader(images(40, 1), 20, false);
    let mut ends = Vec::new();
    for (size, accumulate) in [(32, 1), (8, 4)] {
        let train = loader(images(75, 0), size, true);
        let config = FitConfig { accumulate, rule: Rule::ADAM, clip_norm: Some(0.5), ..config(2, 0.01) };
        let root = tempfile::tempdir().unwrap();
        let mut run = new_run(&root);
        let outcome = fit(plain(), (&train, &validation), &config, &mut run, &mut ()).unwrap();
        assert_eq!(outcome.epochs[1].step, 6, "steps are counted, not batches");
        ends.push(outcome);
    }
    for (large, small) in ends[0].epochs.iter().zip(&ends[1].epochs) {
        for metric in [Metric::VAL_LOSS, Metric::TRAIN_LOSS] {
            let (large, small) = (large.value(metric), small.value(metric));
            assert!((large - small).abs() < 1e-5, "{}: {small}, not {large}", metric.name());
        }
    }
    for (large, small) in ends[0].network.parameters.iter().zip(&ends[1].network.parameters) {
        for (large, small) in large.value.iter().zip(small.value.iter()) {
            // Sums in another order; Adam divides by the root of what may be small.
            assert!((large - small).abs() < 1e-5, "{small}, not {large}");
        }
    }
}
