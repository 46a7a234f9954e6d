//! Small data, networks and runs.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use wellfit_data::{Augmentations, Dataset, Images, Loader, LoaderOptions, Preprocessing};
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Builder;
use wellfit_models::{Network, Shape};
use wellfit_policy::schedule::SwaRate;
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig};
use wellfit_record::{EpochRecord, Io, RunDir, RunWriter, StopReason};
use wellfit_rng::{Rng, Stream};
use wellfit_train::{Callback, Every, FitConfig, Metric, Outcome, Swa, TrainError, TrainEval, fit, resume};

/// `n` images of 4×4 pixels: class 0 dark, class 1 bright, with noise.
pub fn images(n: usize, index: u32) -> Dataset {
    let mut rng = Rng::new(1, Stream::Noise, 0, index);
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    let pixels =
        labels.iter().flat_map(|&label| vec![label; 16]).map(|label| (label * 60 + rng.below(160)) as u8);
    let images = Images::Memory { height: 4, width: 4, channels: 1, pixels: Arc::new(pixels.collect()) };
    Dataset::new(vec!["dark".into(), "bright".into()], labels, images).unwrap()
}

pub fn loader(data: Dataset, batch_size: usize, shuffle: bool) -> Loader {
    let (mean, std) = (vec![0.45], vec![0.25]);
    let preprocessing = Preprocessing::new((4, 4), 1, mean, std);
    let options = LoaderOptions { batch_size, shuffle, merge_last_single: true, ..LoaderOptions::default() };
    Loader::new(data, preprocessing, Augmentations::flips(shuffle, shuffle), options).unwrap()
}

pub fn config(epochs: u32, lr: f64) -> FitConfig {
    FitConfig { epochs, lr, rule: Rule::SGD, ..FitConfig::default() }
}

pub fn new_run(root: &tempfile::TempDir) -> RunWriter {
    let mut run = RunWriter::create(Some(&root.path().join("run")), "test", false).unwrap();
    run.write_run_toml(&BTreeMap::from([("seed", 0)])).unwrap();
    run
}

/// A small run in which everything takes part that has a state or draws random numbers: shuffling, flips,
/// dropout, BatchNorm's running statistics, Adam's moments, the plateau scheduler, early stopping.
pub struct Story {
    pub train: Loader,
    pub validation: Loader,
    pub config: FitConfig,
    /// Only the head is trained.
    frozen: bool,
    fixed_statistics: bool,
    /// Two stages in place of one.
    deep: bool,
}

/// Interrupts after so many batches of training and validation.
pub struct After(pub usize);

impl Callback for After {
    fn interrupted(&mut self) -> Option<String> {
        self.0 = self.0.checked_sub(1).unwrap_or(usize::MAX);
        (self.0 == 0).then(|| "enough".to_owned())
    }
}

/// What must not depend on where a run was interrupted.
#[derive(Debug, PartialEq)]
pub struct Ending {
    weights: Vec<(String, Vec<u32>)>,
    epochs: Vec<EpochRecord>,
    best: Option<usize>,
    stop: StopReason,
    steps: String,
    /// Empty where nothing was recorded.
    pub statistics: String,
}

impl Story {
    /// Five steps an epoch; early stopping ends the run before its ninth epoch.
    pub fn new() -> Self {
        let stopping = EarlyStoppingConfig { patience: 2, min_delta: 0.2, ..EarlyStoppingConfig::default() };
        let config = FitConfig {
            rule: Rule::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01, decoupled: true },
            clip_norm: Some(1.0),
            lr_scheduler: Some((
                Metric::VAL_LOSS,
                PlateauConfig { patience: 0, threshold: 0.05, ..PlateauConfig::default() },
            )),
            early_stopping: Some((Metric::VAL_LOSS, stopping)),
            seed: 5,
            // All that can be recorded, so that these stories also tell whether it is complete after a resumption.
            statistics: true,
            train_eval: TrainEval::Every(2),
            ..config(9, 0.02)
        };
        let (train, validation) = (loader(images(75, 0), 16, true), loader(images(40, 1), 16, false));
        Self { train, validation, config, frozen: false, fixed_statistics: false, deep: false }
    }

    /// The same in `epochs` epochs of two steps, with a checkpoint at each step.
    pub fn short(epochs: u32) -> Self {
        let mut story = Self::new();
        story.config = FitConfig {
            epochs,
            checkpoint_every: Some(Every::Steps(1)),
            early_stopping: None,
            ..story.config
        };
        story.train = loader(images(24, 0), 12, true);
        story.validation = loader(images(20, 1), 20, false);
        story
    }

    /// The same with all frozen but the head.
    pub fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }

    /// The same with the head alone for the first `epochs`, and the other layers at a third of the rate after them.
    pub fn head_first(mut self, epochs: u32) -> Self {
        self.config.freeze_epochs = epochs;
        self.frozen()
    }

    /// A network of two stages, which join the head after `epochs`, one every `every` epochs, the last one first.
    pub fn gradual(mut self, epochs: u32, every: u32) -> Self {
        self.config.unfreeze_every = every;
        Self { deep: true, ..self.head_first(epochs) }
    }

    /// The same with an average of the weights that epochs end with from `start` on.
    pub fn swa(mut self, start: u32, rate: Option<SwaRate>) -> Self {
        self.config.swa = Some(Swa { start, rate });
        self
    }

    /// The same with BatchNorm's statistics fixed for good.
    pub fn fixed_statistics(self) -> Self {
        Self { fixed_statistics: true, ..self }
    }

    /// The same with BatchNorm over all parts of a batch.
    pub fn synchronised(mut self) -> Self {
        self.config.team.sync_batch_norm = true;
        self
    }

    /// The same with an exponential average of the weights.
    pub fn averaged(mut self, decay: f64) -> Self {
        self.config.averaging = Some(wellfit_models::Weighting::Exponential { decay });
        self
    }

    /// Convolution, BatchNorm, dropout and a head.
    pub fn network(&self) -> Network {
        let mut net = Builder::new("small", Shape::image(4, 4, 1));
        let value = net.conv("conv", 0, 8, 3, 1, 1);
        let value = net.batch_norm("bn", value);
        let mut value = net.relu("relu", value);
        if self.deep {
            value = net.conv("conv2", value, 6, 3, 2, 1);
            value = net.batch_norm("bn2", value);
            value = net.relu("relu2", value);
        }
        let value = net.dropout("drop", value, 0.3);
        let value = net.global_average_pool("pool", value);
        net.linear("fc", value, 2);
        let mut network = net.finish();
        network.initialise(3);
        if self.frozen {
            network.freeze_backbone();
        }
        if self.fixed_statistics {
            network.fix_statistics();
        }
        if self.config.freeze_epochs > 0 {
            network.slow_backbone(1.0 / 3.0);
        }
        network
    }

    pub fn begin(&self, run: &mut RunWriter, callback: &mut dyn Callback) -> Result<Outcome, TrainError> {
        fit(self.network(), (&self.train, &self.validation), &self.config, run, callback)
    }

    /// Go on from the newest good checkpoint; gives also how many were damaged.
    pub fn resume(
        &self,
        run: &mut RunWriter,
        callback: &mut dyn Callback,
    ) -> (Result<Outcome, TrainError>, usize) {
        let newest = RunDir::open(run.path()).unwrap().newest_good(Some(wellfit_train::LAST)).unwrap();
        let data = (&self.train, &self.validation);
        // What the weights are before the checkpoint's are loaded must not matter.
        let mut network = self.network();
        if newest.found.is_some() {
            network.initialise(99);
        }
        let outcome = resume(network, data, &self.config, newest.found.as_ref(), run, callback);
        (outcome, newest.skipped.len())
    }

    /// A fresh run on that disk.
    pub fn new_run(io: Arc<dyn Io>, dir: &Path) -> RunWriter {
        let mut run = RunWriter::create_at(io, dir, false).unwrap();
        run.write_run_toml(&BTreeMap::from([("seed", 0)])).unwrap();
        run
    }
}

impl Ending {
    /// Of a run that is written completely.
    pub fn of(outcome: &Outcome, run: RunWriter) -> Self {
        let dir = run.path().to_path_buf();
        drop(run);
        let record = RunDir::open(&dir).unwrap();
        assert_eq!(
            timeless(&wellfit_record::epochs(&record.events().unwrap().rows)),
            timeless(&outcome.epochs)
        );
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
        let network = &outcome.network;
        let norms =
            network.norms.iter().flat_map(|n| [("mean", n.mean.clone()), ("variance", n.variance.clone())]);
        let norms = norms.map(|(name, values)| (name.to_owned(), bits(values)));
        let weights = network.parameters.iter().map(|p| (p.name.clone(), bits(p.value.to_vec())));
        Self {
            weights: weights.chain(norms).collect(),
            epochs: timeless(&outcome.epochs),
            best: outcome.best,
            stop: outcome.stop,
            steps: std::fs::read_to_string(dir.join("steps.jsonl")).unwrap(),
            statistics: std::fs::read_to_string(dir.join("statistics.jsonl")).unwrap_or_default(),
        }
    }

    pub fn epochs(&self) -> usize {
        self.epochs.len()
    }

    /// The largest difference of two weights.
    pub fn distance(&self, other: &Self) -> f32 {
        let numbers = |ending: &Self| -> Vec<f32> {
            ending
                .weights
                .iter()
                .flat_map(|(_, bits)| bits.iter().map(|&bits| f32::from_bits(bits)))
                .collect()
        };
        numbers(self).iter().zip(numbers(other)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    /// The loss of each step.
    pub fn losses(&self) -> Vec<f64> {
        let row =
            |line: &str| serde_json::from_str::<wellfit_record::StepRecord>(line).unwrap().losses["loss"];
        self.steps.lines().map(row).collect()
    }

    /// The rate of each step.
    pub fn rates(&self) -> Vec<f64> {
        let row = |line: &str| serde_json::from_str::<wellfit_record::StepRecord>(line).unwrap().lr;
        self.steps.lines().map(row).collect()
    }

    pub fn steps(&self) -> usize {
        self.steps.lines().count()
    }
}

fn timeless(epochs: &[EpochRecord]) -> Vec<EpochRecord> {
    let timeless = |epoch: &EpochRecord| EpochRecord {
        seconds: 0.0,
        train_seconds: 0.0,
        val_seconds: 0.0,
        data_wait_seconds: 0.0,
        images_per_second: 0.0,
        ..*epoch
    };
    epochs.iter().map(timeless).collect()
}

/// A number of cases: `few`, or `many` where the environment asks for the long tests (see the justfile).
pub fn cases(few: usize, many: usize) -> usize {
    if std::env::var_os("WELLFIT_LONG_TESTS").is_some() { many } else { few }
}
