//! From settings to the parts of a run: training loop, policies, device.

use crate::error::RunError;
use crate::options::checks::require;
use crate::options::{
    CheckpointMode, DataKind, Entry, LossName, OptimizerName, Options, RunSpec, ScaleLr, entries,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use wellfit_gpu::Device;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{Engine, Weighting};
use wellfit_policy::schedule::{Schedule, SwaRate, Warmup};
use wellfit_policy::{CheckpointConfig, CheckpointPolicy, EarlyStoppingConfig, Mode, PlateauConfig};
use wellfit_record::RunInfo;
use wellfit_train::{Every, FitConfig, Metric, Swa, Team, TrainEval};

/// The images of a step that `lr` is for where `scale_lr` scales it: the default of `batch_size`.
const BATCH_OF_RATES: f64 = 32.0;

/// The longest name of a file of weights, in bytes. File systems have 255, and figures in it get longer.
const LONGEST_NAME: usize = 200;

/// A setting that two runs have not in common, as it is written; none where it is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: &'static str,
    /// What one has.
    pub own: Option<String>,
    /// What the other has.
    pub theirs: Option<String>,
}

impl RunSpec {
    /// The defaults for a folder of images.
    #[must_use]
    pub fn for_folder() -> Self {
        Self::defaults(DataKind::Folder)
    }

    /// The defaults for IDX data, such as Fashion-MNIST; `pixels` is the longer side of an image.
    #[must_use]
    pub fn for_idx(pixels: usize) -> Self {
        Self::defaults(DataKind::Idx { pixels })
    }

    /// The defaults for the built-in `sample` of Fashion-MNIST.
    #[must_use]
    pub fn for_sample() -> Self {
        Self::defaults(DataKind::Sample { pixels: 28 })
    }

    fn defaults(data: DataKind) -> Self {
        Options::default().fill(data)
    }

    /// Whether the settings make sense, alone and together.
    ///
    /// # Errors
    /// The first that does not.
    pub fn validate(&self) -> Result<(), RunError> {
        entries().iter().try_for_each(|entry| entry.validate(self))
    }

    /// The settings that make a run with those of `other` have other bits on the same data; empty if none does. None if
    /// the settings cannot be compared.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Option<Vec<Difference>> {
        let [own, theirs] = [self, other].map(|spec| toml::Table::try_from(spec).ok());
        let (own, theirs) = own.zip(theirs)?;
        let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let differing = entries().iter().filter(|entry| {
            let name = entry.name;
            !entry.immaterial && own.get(name) != theirs.get(name)
        });
        let difference = |entry: &Entry| {
            let [own, theirs] = [&own, &theirs].map(|table| table.get(entry.name).map(text));
            Difference { name: entry.name, own, theirs }
        };
        Some(differing.map(difference).collect())
    }

    /// What decides which images are set aside.
    pub(crate) fn split_seed(&self) -> u64 {
        self.split_seed.unwrap_or(self.seed)
    }

    /// Where to compute.
    pub(crate) fn device(&self) -> Result<Device, String> {
        self.device.parse().map_err(|error| format!("`device` {}: {error}", self.device))
    }

    /// When to save besides at the end of each epoch.
    pub(crate) fn every(&self) -> Result<Option<Every>, String> {
        let parse =
            |text: &String| text.parse().map_err(|problem| format!("`checkpoint_every` {text}: {problem}"));
        self.checkpoint_every.as_ref().map(parse).transpose()
    }

    /// Early stopping's options, on or off.
    #[must_use]
    pub fn early_stopping(&self) -> EarlyStoppingConfig {
        EarlyStoppingConfig {
            patience: self.patience,
            min_delta: self.min_delta,
            mode: Metric::named(&self.monitor).map_or(Mode::Min, Metric::mode),
            ..EarlyStoppingConfig::defaults(self.semantics.into())
        }
    }

    /// The scheduler's options, on or off.
    #[must_use]
    pub fn plateau(&self) -> PlateauConfig {
        PlateauConfig {
            patience: self.lr_patience,
            factor: self.lr_factor,
            min_lr: self.min_lr,
            mode: Metric::named(&self.lr_monitor).map_or(Mode::Min, Metric::mode),
            ..PlateauConfig::defaults(self.semantics.into())
        }
    }

    /// The metrics that a setting names, or the name of a checkpoint, and that not every epoch has.
    fn measured(&self) -> Vec<Metric> {
        let named = [&self.monitor, &self.best, &self.checkpoint_monitor, &self.lr_monitor];
        let in_name = |metric: &Metric| self.checkpoint.iter().any(|name| name.contains(metric.name()));
        let wanted = |metric: &Metric| named.iter().any(|name| *name == metric.name()) || in_name(metric);
        Metric::ALL.into_iter().filter(|metric| !metric.is_always_measured() && wanted(metric)).collect()
    }

    fn checkpoint_config(&self) -> Option<CheckpointConfig> {
        self.checkpoint.as_ref().map(|path| CheckpointConfig {
            path: path.clone(),
            monitor: self.checkpoint_monitor.clone(),
            mode: match self.checkpoint_mode {
                CheckpointMode::Auto => None,
                CheckpointMode::Min => Some(Mode::Min),
                CheckpointMode::Max => Some(Mode::Max),
            },
            save_best_only: self.save_best_only,
            initial_value_threshold: None,
        })
    }

    /// A checkpoint's name must work out, and must not be that of a file every run has.
    pub(crate) fn check_checkpoint_name(&self) -> Result<(), String> {
        let Some(checkpoint) = self.checkpoint_config() else { return Ok(()) };
        let template = checkpoint.path.clone();
        let bad = |problem: &str| format!("`checkpoint` {template}: {problem}");
        let figures = Metric::ALL.map(|metric| (metric.name().to_owned(), 0.0)).into();
        let name = CheckpointPolicy::new(checkpoint)
            .and_then(|mut policy| policy.observe(0, &figures))
            .map_err(|error| bad(&error.to_string()))?
            .path;
        require(Path::new(&name).components().count() == 1 && !name.starts_with('.'), || {
            bad("give a file name: it goes into the run's directory")
        })?;
        require(name.len() <= LONGEST_NAME && !name.contains(char::is_control), || {
            bad(&format!("a file name has at most {LONGEST_NAME} bytes here, and no control characters"))
        })?;
        require(name.ends_with(".safetensors"), || {
            bad("the name must end in .safetensors, which is what the file will be")
        })?;
        require(!RunInfo::is_model_file(&name), || {
            bad("the best weights get that name in the end: give another")
        })
    }

    /// The update rule, with torch's constants.
    pub(crate) fn rule(&self) -> Rule {
        let weight_decay = self.weight_decay;
        let adam = |decoupled| Rule::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay, decoupled };
        match self.optimizer {
            OptimizerName::Adam => adam(false),
            OptimizerName::Adamw => adam(true),
            OptimizerName::Sgd => {
                Rule::Sgd { momentum: self.momentum, dampening: 0.0, nesterov: false, weight_decay }
            }
        }
    }

    /// The loss.
    pub(crate) fn loss(&self) -> CrossEntropy {
        let focal_gamma = if self.loss == LossName::Focal { self.focal_gamma as f32 } else { 0.0 };
        let label_smoothing = self.label_smoothing as f32;
        CrossEntropy { label_smoothing, class_weights: Vec::new(), focal_gamma }
    }

    /// The rate that the run begins with, before any warm-up: `lr`, scaled as `scale_lr` says.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.lr.number() * self.lr_scale()
    }

    /// What `lr` is multiplied by.
    pub(crate) fn lr_scale(&self) -> f64 {
        let share = self.batch_size as f64 * f64::from(self.accumulate) / BATCH_OF_RATES;
        match self.scale_lr {
            ScaleLr::None => 1.0,
            ScaleLr::Linear => share,
            ScaleLr::Sqrt => share.sqrt(),
        }
    }

    /// The rate of each step, where it moves; `steps` is how many an epoch has.
    pub(crate) fn schedule(&self, steps: u64) -> Result<Option<Schedule>, String> {
        let epochs = self.epochs.saturating_sub(self.freeze_epochs).saturating_sub(self.warmup);
        let built = self.schedule.build(self.rate(), epochs, steps);
        let built = built.map_err(|error| format!("`schedule` {}: {error}", self.schedule))?;
        if self.warmup == 0 {
            return Ok(built);
        }
        Ok(Some(Schedule::Warmup(Warmup {
            steps: u64::from(self.warmup).saturating_mul(steps),
            start_factor: Warmup::START_FACTOR,
            schedule: Box::new(built.unwrap_or_default()),
        })))
    }

    /// Whether the schedule begins with a rate that depends on `lr`.
    pub(crate) fn follows_lr(&self) -> bool {
        let first = |lr: f64| {
            let built = self.schedule.build(lr, self.epochs, 1).ok()?;
            Some(built.map_or(lr, |schedule| schedule.lr(lr, 0)))
        };
        first(1.0).is_none_or(|rate| Some(rate) != first(2.0))
    }

    /// What the training loop needs: `batches` is how many an epoch has, `metadata` goes into every weight file.
    ///
    /// # Errors
    /// If a setting makes no sense; [`validate`](Self::validate) finds it before.
    pub fn fit(
        &self,
        engine: Arc<dyn Engine>,
        batches: usize,
        metadata: BTreeMap<String, String>,
    ) -> Result<FitConfig, RunError> {
        let stalling = Metric::named(&self.lr_monitor).map(|metric| (metric, self.plateau()));
        let watched = Metric::named(&self.monitor).map(|metric| (metric, self.early_stopping()));
        Ok(FitConfig {
            engine,
            epochs: self.epochs,
            freeze_epochs: self.freeze_epochs,
            unfreeze_every: self.unfreeze_every,
            lr: self.rate(),
            rule: self.rule(),
            loss: self.loss(),
            clip_norm: self.clip_norm,
            accumulate: self.accumulate,
            averaging: self.ema.map(|decay| Weighting::Exponential { decay }),
            swa: self.swa_start.map(|start| Swa {
                start: start.epoch(self.epochs),
                rate: self.swa_lr.map(|lr| SwaRate {
                    lr,
                    epochs: self.swa_anneal_epochs,
                    anneal: self.swa_anneal_strategy.into(),
                }),
            }),
            schedule: self
                .schedule(batches.div_ceil(self.accumulate as usize) as u64)
                .map_err(|problem| RunError::setting("schedule", problem))?,
            lr_scheduler: stalling.filter(|_| self.lr_scheduler),
            measured: self.measured(),
            answers: self.record_answers,
            best: Metric::named(&self.best).unwrap_or(Metric::VAL_LOSS),
            early_stopping: watched.filter(|_| self.early_stopping),
            checkpoint: self.checkpoint_config(),
            checkpoint_every: self
                .every()
                .map_err(|problem| RunError::setting("checkpoint_every", problem))?,
            keep: self.keep,
            go_on_after_stop: false,
            restore_epochs: true,
            statistics: !self.no_statistics,
            train_eval: self.train_eval.map_or(TrainEval::Cheap, TrainEval::Every),
            seed: self.seed,
            team: Team {
                shards: self.shards,
                sync_batch_norm: self.sync_bn,
                reduce: self.reduce_dtype.into(),
                link: None,
            },
            metadata,
        })
    }
}
