//! One training, recorded as every run is.

use crate::conditions::Condition;
use crate::line;
use crate::networks::network;
use crate::sets::{Parts, Set, Sets};
use wellfit_data::{Augmentations, Dataset, Loader, LoaderOptions, Preprocessing};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::Shape;
use wellfit_policy::schedule::ScheduleSpec;
use wellfit_record::{RunDir, RunWriter};
use wellfit_train::{FitConfig, TrainEval, fit};

/// Trains, and gives its line; none where not even one epoch was done.
pub fn train(condition: &Condition, sets: &Sets) -> Option<String> {
    let set = sets.read(condition.set);
    let parts = set.parts(condition);
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut run = RunWriter::create(Some(&path), "curves", false).unwrap();
    run.write_run_toml(&[("seed", condition.seed)].into_iter().collect::<std::collections::BTreeMap<_, _>>())
        .unwrap();
    let shape = Shape::image(set.height, set.width, set.channels);
    let network = network(condition, shape, set.classes);
    let train = loader(&set, &parts, condition, true);
    let judge = loader(&set, &parts, condition, false);
    let spec: ScheduleSpec = condition.schedule.parse().unwrap();
    let config = FitConfig {
        epochs: condition.epochs,
        lr: condition.lr,
        rule: rule(condition),
        loss: CrossEntropy { label_smoothing: condition.smoothing as f32, ..CrossEntropy::default() },
        clip_norm: condition.clip_norm,
        schedule: spec.build(condition.lr, condition.epochs, train.batches() as u64).unwrap(),
        answers: true,
        statistics: true,
        train_eval: TrainEval::Every(1),
        seed: u64::from(condition.seed),
        ..FitConfig::default()
    };
    // A loss that is no number ends a training with an error; what was recorded before is its curve.
    let diverged = fit(network, (&train, &judge), &config, &mut run, &mut ()).is_err();
    drop(run);
    line::line(condition, &parts, &RunDir::open(&path).unwrap(), diverged)
}

fn loader(set: &Set, parts: &Parts, condition: &Condition, training: bool) -> Loader {
    let data: Dataset = if training { parts.train.clone() } else { parts.judge.clone() };
    let (mean, std) = (vec![0.3; set.channels], vec![0.33; set.channels]);
    let preprocessing = Preprocessing::new((set.height, set.width), set.channels, mean, std);
    let augment = if training { Augmentations::flips(condition.hflip, false) } else { Augmentations::none() };
    let options = LoaderOptions {
        batch_size: if training { condition.batch } else { 100 },
        shuffle: training,
        seed: u64::from(condition.seed),
        workers: 0,
        merge_last_single: training,
        ..LoaderOptions::default()
    };
    Loader::new(data, preprocessing, augment, options).unwrap()
}

fn rule(condition: &Condition) -> Rule {
    let decay = condition.decay;
    match condition.optimizer {
        "sgd" => Rule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false, weight_decay: decay },
        "adamw" => Rule::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: decay, decoupled: true },
        _ => Rule::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: decay, decoupled: false },
    }
}
