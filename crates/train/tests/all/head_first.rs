//! The head alone first, then the whole network: the same bits as the two stages by hand.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::material::{Story, new_run};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::{Network, Optimizer};
use wellfit_train::{FitConfig, Trainer};

/// Three epochs, the first of them for the head; the last epoch is what is kept, since nothing decides otherwise.
fn story() -> Story {
    let mut story = Story::short(3).head_first(1);
    story.config = FitConfig { lr_scheduler: None, checkpoint_every: None, ..story.config };
    story
}

fn epochs(trainer: &mut Trainer<CrossEntropy>, story: &Story, which: std::ops::Range<u32>) {
    for epoch in which {
        for batch in story.train.epoch_from(epoch, 0) {
            let batch = batch.unwrap();
            trainer.step(&batch.images, &batch.labels, story.config.lr).unwrap();
        }
    }
}

fn bits(network: &Network) -> Vec<Vec<u32>> {
    network.parameters.iter().map(|p| p.value.iter().map(|value| value.to_bits()).collect()).collect()
}

#[test]
fn it_is_two_stages_of_which_the_second_has_a_fresh_optimiser() {
    let story = story();
    let mut by_hand =
        Trainer::new(story.network(), story.config.rule, CrossEntropy::default(), story.config.seed);
    by_hand.clip_norm = story.config.clip_norm;
    let before = bits(&by_hand.network);
    epochs(&mut by_hand, &story, 0..1);
    let head = bits(&by_hand.network);
    let moved: Vec<bool> = before.iter().zip(&head).map(|(a, b)| a != b).collect();
    assert_eq!(moved, [false, false, false, true, true], "convolution, BatchNorm, head");
    assert_eq!(by_hand.network.norms[0].batches, 0, "statistics stay while it is frozen");

    by_hand.network.unfreeze();
    by_hand.optimizer = Optimizer::after(by_hand.optimizer.step, story.config.rule, &by_hand.network);
    epochs(&mut by_hand, &story, 1..3);

    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    assert_eq!(outcome.best, Some(2), "the story needs another rate: its last epoch is not the best");
    assert_eq!(bits(&outcome.network), bits(&by_hand.network));
}

#[test]
fn statistics_that_are_fixed_stay_while_all_weights_train() {
    let story = story().fixed_statistics();
    let before = story.network();
    let root = tempfile::tempdir().unwrap();
    let after = story.begin(&mut new_run(&root), &mut ()).unwrap().network;
    let moved: Vec<bool> = bits(&before).iter().zip(&bits(&after)).map(|(a, b)| a != b).collect();
    assert_eq!(moved, [true; 5], "convolution, BatchNorm, head");
    let norm = &after.norms[0];
    assert_eq!(
        (&norm.mean, &norm.variance, norm.batches),
        (&before.norms[0].mean, &before.norms[0].variance, 0)
    );
}

#[test]
fn the_backbone_learns_at_its_own_rate() {
    let story = story();
    let step = |factor: f64| {
        let mut network = story.network();
        network.unfreeze();
        network.slow_backbone(factor);
        let before = network.parameters.clone();
        let rule = wellfit_kernels::optim::Rule::SGD;
        let mut trainer = Trainer::new(network, rule, CrossEntropy::default(), 0);
        let batch = story.train.epoch_from(0, 0).next().unwrap().unwrap();
        trainer.step(&batch.images, &batch.labels, 0.5).unwrap();
        let pairs = before.iter().zip(&trainer.network.parameters);
        pairs.map(|(a, b)| f64::from(b.value[0] - a.value[0])).collect::<Vec<_>>()
    };
    let (whole, quarter) = (step(1.0), step(0.25));
    for (place, (whole, quarter)) in whole.iter().zip(&quarter).enumerate() {
        let factor = if place < 3 { 0.25 } else { 1.0 };
        // A difference of f32 values near 1 has an error of 2⁻²⁴ relative to them.
        assert!((quarter - factor * whole).abs() < 2e-7, "parameter {place}: {quarter} and {whole}");
    }
    assert!(whole.iter().all(|moved| moved.abs() > 1e-6), "{whole:?}");
}
