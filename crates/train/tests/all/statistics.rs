//! What is recorded for a diagnosis: it is right, it changes nothing, and it is the same after an interruption.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::material::{After, Ending, Story, images, loader, new_run};
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Builder;
use wellfit_models::{Network, Shape};
use wellfit_record::{EpochStatistics, RunDir, RunStatistics, RunWriter, Statistics, StepStatistics};
use wellfit_train::{FitConfig, TrainEval, fit};

type Lines = (RunStatistics, Vec<StepStatistics>, Vec<EpochStatistics>);

/// What a run with these settings records.
fn recorded(network: Network, images_of: (usize, usize), batch: usize, config: &FitConfig) -> Lines {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, validation) =
        (loader(images(images_of.0, 0), batch, true), loader(images(images_of.1, 1), batch, false));
    fit(network, (&train, &validation), config, &mut run, &mut ()).unwrap();
    let path = run.path().to_path_buf();
    drop(run);
    lines(&path)
}

fn lines(path: &std::path::Path) -> Lines {
    let log = RunDir::open(path).unwrap().statistics().unwrap().unwrap();
    assert!(log.problems.is_empty() && !log.torn, "{:?}", log.problems);
    let (mut runs, mut steps, mut epochs) = (Vec::new(), Vec::new(), Vec::new());
    for row in log.rows {
        match row {
            Statistics::Run(row) => runs.push(row),
            Statistics::Step(row) => steps.push(row),
            Statistics::Epoch(row) => epochs.push(row),
            Statistics::Unknown => panic!("an unknown row"),
        }
    }
    assert_eq!(runs.len(), 1, "one head");
    (runs.remove(0), steps, epochs)
}

/// A small MLP with fresh weights.
fn mlp() -> Network {
    let mut net = Builder::new("small", Shape::image(4, 4, 1));
    let value = net.linear("fc1", 0, 8);
    let value = net.relu("relu1", value);
    let value = net.linear("fc2", value, 8);
    let value = net.relu("relu2", value);
    net.linear("fc3", value, 2);
    let mut network = net.finish();
    network.initialise(1);
    network
}

fn config(lr: f64) -> FitConfig {
    FitConfig { statistics: true, train_eval: TrainEval::Every(1), ..crate::material::config(2, lr) }
}

#[test]
fn statistics_change_no_bit_and_are_left_out_on_request() {
    for mut story in [Story::new(), Story::new().averaged(0.9), Story::new().head_first(2)] {
        let mut with = run_of(&story);
        story.config.statistics = false;
        let without = run_of(&story);
        assert!(without.statistics.is_empty() && !with.statistics.is_empty());
        with.statistics.clear();
        assert_eq!(with, without);
    }
}

fn run_of(story: &Story) -> Ending {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    Ending::of(&outcome, run)
}

#[test]
fn a_run_that_was_interrupted_has_the_same_file() {
    let story = Story::new();
    let whole = run_of(&story).statistics;
    for after in [3, 9, 12, 21, 40] {
        let root = tempfile::tempdir().unwrap();
        let mut run = new_run(&root);
        let path = run.path().to_path_buf();
        story.begin(&mut run, &mut After(after)).unwrap_err();
        drop(run);
        let mut run = RunWriter::resume(&path).unwrap();
        let outcome = story.resume(&mut run, &mut ()).0.unwrap();
        assert_eq!(Ending::of(&outcome, run).statistics, whole, "after {after}");
    }
}

#[test]
fn the_head_names_layers_and_counts_classes() {
    let (head, steps, epochs) = recorded(mlp(), (40, 30), 10, &config(0.1));
    assert_eq!(head.layers.len(), 3, "{head:?}");
    assert_eq!((head.relus.len(), head.train_images, head.val_images), (2, vec![20, 20], vec![15, 15]));
    // Two epochs of four steps: none is watched.
    assert!(steps.is_empty());
    assert_eq!(epochs.len(), 2);
    let last = &epochs[1];
    assert_eq!((last.epoch, last.val_losses.len(), last.val_right.len()), (2, 30, 2));
    assert_eq!((last.train_cross_entropy, last.train_eval_images), (None, Some(40)), "the loss is plain");
}

#[test]
fn figures_of_a_watched_step_are_those_of_its_layers() {
    let config = FitConfig { epochs: 3, ..config(0.1) };
    let (head, steps, _) = recorded(mlp(), (40, 10), 10, &config);
    assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [10]);
    let step = &steps[0];
    assert_eq!((step.epoch, step.clipped), (3, None));
    for list in [&step.weights, &step.gradients, &step.updates] {
        assert_eq!(list.len(), head.layers.len());
    }
    // SGD without momentum moves by lr times the gradient; numbers have four digits.
    for (update, gradient) in step.updates.iter().zip(&step.gradients) {
        let (update, gradient) = (update.unwrap(), gradient.unwrap());
        assert!(gradient > 0.0 && (update / gradient / 0.1 - 1.0).abs() < 1.5e-3, "{update} {gradient}");
    }
    // All gradients together, the biases' among them, are a little longer than those of the layers.
    let layers = step.gradients.iter().flatten().map(|norm| norm * norm).sum::<f64>().sqrt();
    let all = step.grad_norm.unwrap();
    assert!(all > layers && all < 1.3 * layers, "{all} {layers}");
    assert_eq!((step.zeros.len(), step.dead.len()), (2, 2));
    assert!(step.zeros.iter().zip(&step.dead).all(|(zeros, dead)| zeros.unwrap() >= dead.unwrap()));
}

/// α is -1 for steps that are far too short, 1 is passed by those that are far too long.
#[test]
fn alpha_tells_short_steps_from_long_ones() {
    let alpha = |lr: f64| {
        let config = FitConfig { epochs: 3, rule: Rule::SGD, ..config(lr) };
        recorded(mlp(), (40, 10), 10, &config).1[0].alpha
    };
    let (short, long) = (alpha(1e-3).unwrap(), alpha(5.0).unwrap());
    assert!((-1.0..-0.95).contains(&short), "{short}");
    assert!(long > 0.5, "{long}");
}

#[test]
fn where_gradients_are_clipped_every_step_says_so() {
    let config = FitConfig { clip_norm: Some(1e-3), epochs: 3, ..config(0.1) };
    let (_, steps, _) = recorded(mlp(), (40, 10), 10, &config);
    assert_eq!(steps.len(), 12);
    assert!(steps.iter().all(|step| step.clipped == Some(true) && step.grad_norm.unwrap() > 1e-3));
    let watched = steps.iter().find(|step| !step.gradients.is_empty()).unwrap();
    let layers = watched.gradients.iter().flatten().map(|norm| norm * norm).sum::<f64>().sqrt();
    assert!(layers > 0.5 * watched.grad_norm.unwrap(), "of the layers before clipping, too: {layers}");
    let update = watched.updates.iter().flatten().map(|norm| norm * norm).sum::<f64>().sqrt();
    assert!(update < 1.001e-4, "lr times the limit at most: {update}");
    let loose = FitConfig { clip_norm: Some(1e6), ..config };
    assert!(recorded(mlp(), (40, 10), 10, &loose).1.iter().all(|step| step.clipped == Some(false)));
}

#[test]
fn plain_cross_entropy_stands_beside_another_loss() {
    let mut config = FitConfig { epochs: 3, ..config(0.1) };
    config.loss.label_smoothing = 0.2;
    let epochs = recorded(mlp(), (40, 10), 10, &config).2;
    for line in &epochs {
        let (train, val) = (line.train_cross_entropy.unwrap(), line.val_cross_entropy.unwrap());
        let mean = line.val_losses.iter().flatten().sum::<f64>() / 10.0;
        assert!(train > 0.0 && (val / mean - 1.0).abs() < 1e-3, "{train} {val} {mean}");
    }
}

#[test]
fn training_images_are_judged_like_validation_images() {
    // Trained and judged on the same images, which have flips in training only.
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let (train, validation) = (loader(images(40, 0), 10, true), loader(images(40, 0), 10, false));
    let outcome = fit(mlp(), (&train, &validation), &config(0.1), &mut run, &mut ()).unwrap();
    let path = run.path().to_path_buf();
    drop(run);
    for (line, epoch) in lines(&path).2.iter().zip(&outcome.epochs) {
        assert_eq!(line.train_eval_accuracy, Some(epoch.val_accuracy()));
        assert_eq!(line.train_eval_loss, Some(epoch.val_loss()));
        assert_eq!(line.val_right.iter().sum::<u64>() as f64 / 40.0, epoch.val_accuracy());
    }
}

#[test]
fn frozen_layers_have_no_figures() {
    let mut network = mlp();
    network.freeze_backbone();
    let config = FitConfig { epochs: 3, ..config(0.1) };
    let (_, steps, _) = recorded(network, (40, 10), 10, &config);
    let there: Vec<bool> = steps[0].gradients.iter().map(Option::is_some).collect();
    assert_eq!(there, [false, false, true]);
}
