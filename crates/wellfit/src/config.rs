//! From what was typed and what a file says to a configuration that can be run.
//!
//! Defaults, then the file, then the command line: the later wins. The result has the same keys, so the
//! `[config]` of a `run.toml` is itself a valid `--config` file.

#[cfg(test)]
mod fuzz;

use crate::args::{
    CacheName, CheckpointMode, OptimizerName, ScheduleName, SemanticsName, TrainArgs, TrainOptions,
};
use crate::error::CliError;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit::gpu::Device;
use wellfit::kernels::loss::CrossEntropy;
use wellfit::kernels::optim::Rule;
use wellfit::models::{Cpu, MODELS};
use wellfit::policy::schedule::{Anneal, Cosine, OneCycle, Schedule};
use wellfit::policy::{
    CheckpointConfig, CheckpointPolicy, EarlyStoppingConfig, Mode, PlateauConfig, Semantics,
};
use wellfit::record::RunInfo;
use wellfit::train::{Every, FitConfig, Metric};

/// The most bytes of a `--config` file.
const MOST_CONFIG: u64 = 1 << 20;

/// Every option of a training run, decided.
#[derive(Debug, Clone, Serialize)]
pub struct TrainConfig {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    pub freeze: bool,
    pub device: String,
    pub exact_conv: bool,
    pub epochs: u32,
    pub batch_size: usize,
    pub lr: f64,
    pub optimizer: OptimizerName,
    pub weight_decay: f64,
    pub momentum: f64,
    pub image_size: usize,
    pub val_split: f64,
    pub hflip: bool,
    pub vflip: bool,
    pub label_smoothing: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    pub schedule: ScheduleName,
    pub lr_scheduler: bool,
    pub lr_patience: u32,
    pub lr_factor: f64,
    pub min_lr: f64,
    pub early_stopping: bool,
    pub patience: u32,
    pub min_delta: f64,
    pub monitor: String,
    pub semantics: SemanticsName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    pub checkpoint_monitor: String,
    pub checkpoint_mode: CheckpointMode,
    pub save_best_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<String>,
    pub keep: usize,
    pub seed: u64,
    pub skip_bad: bool,
    pub workers: usize,
    pub cache: CacheName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
}

/// The options of the command line over those of `--config`.
pub fn merged(args: &TrainArgs) -> Result<TrainOptions, CliError> {
    over_file(args.config.as_deref(), &args.options)
}

/// `options` over those of a file.
pub fn over_file(file: Option<&Path>, options: &TrainOptions) -> Result<TrainOptions, CliError> {
    let Some(path) = file else { return Ok(options.clone()) };
    let text = read_config(path)
        .map_err(|cause| CliError::Usage(format!("cannot read --config {}: {cause}", path.display())))?;
    let bad = |problem: String| CliError::Usage(format!("--config {}: {problem}", path.display()));
    // Parsed as options first, so that an unknown key is named with its line.
    let file: TrainOptions = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let table = |options: &TrainOptions| toml::Table::try_from(options).map_err(|e| bad(e.to_string()));
    let mut all = table(&file)?;
    all.extend(table(options)?);
    all.try_into().map_err(|error: toml::de::Error| bad(error.to_string()))
}

/// The text of a configuration file; anything of more than 1 MiB is none.
fn read_config(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let length = std::fs::File::open(path)?.take(MOST_CONFIG + 1).read_to_string(&mut text)? as u64;
    if length > MOST_CONFIG {
        return Err(std::io::Error::other(format!("it is longer than {MOST_CONFIG} bytes")));
    }
    Ok(text)
}

/// Fill in the defaults that follow from the data. `native` is height, width and channels of IDX images.
pub fn resolve(
    options: TrainOptions,
    data: &str,
    native: Option<(usize, usize, usize)>,
) -> Result<TrainConfig, CliError> {
    let idx = native.is_some();
    let pick = |folder: f64, of_idx: f64| if idx { of_idx } else { folder };
    let o = options;
    let semantics = o.semantics.unwrap_or(SemanticsName::Torch);
    let optimizer = o.optimizer.unwrap_or(OptimizerName::Adam);
    let config = TrainConfig {
        model: o.model.unwrap_or_else(|| if idx { "resnet20" } else { "resnet50" }.to_owned()),
        weights: o.weights.map(|path| std::path::absolute(&path).unwrap_or(path)),
        freeze: o.freeze.unwrap_or(false),
        device: o.device.unwrap_or_else(|| Device::default().to_string()),
        exact_conv: o.exact_conv.unwrap_or(false),
        epochs: o.epochs.unwrap_or(if data == "sample" { 8 } else { pick(100.0, 20.0) as u32 }),
        batch_size: o.batch_size.unwrap_or(32),
        lr: o.lr.unwrap_or(pick(0.001, 0.01)),
        optimizer,
        weight_decay: o.weight_decay.unwrap_or(if optimizer == OptimizerName::Adamw { 0.01 } else { 0.0 }),
        momentum: o.momentum.unwrap_or(0.0),
        image_size: o.image_size.unwrap_or(native.map_or(224, |(height, width, _)| height.max(width))),
        val_split: o.val_split.unwrap_or(0.2),
        hflip: o.hflip.unwrap_or(!idx),
        vflip: o.vflip.unwrap_or(!idx),
        label_smoothing: o.label_smoothing.unwrap_or(0.0),
        clip_norm: o.clip_norm,
        schedule: o.schedule.unwrap_or(if idx && o.lr_scheduler != Some(true) {
            ScheduleName::OneCycle
        } else {
            ScheduleName::Constant
        }),
        lr_scheduler: o.lr_scheduler.unwrap_or(false),
        lr_patience: o.lr_patience.unwrap_or(5),
        lr_factor: o.lr_factor.unwrap_or(0.5),
        min_lr: o.min_lr.unwrap_or(1e-6),
        early_stopping: o.early_stopping.unwrap_or(false),
        patience: o.patience.unwrap_or(5),
        min_delta: o.min_delta.unwrap_or(0.0),
        monitor: o.monitor.unwrap_or_else(|| Metric::VAL_LOSS.name().to_owned()),
        semantics,
        checkpoint: o.checkpoint,
        checkpoint_monitor: o.checkpoint_monitor.unwrap_or_else(|| Metric::VAL_LOSS.name().to_owned()),
        checkpoint_mode: o.checkpoint_mode.unwrap_or(CheckpointMode::Auto),
        save_best_only: o.save_best_only.unwrap_or(false),
        checkpoint_every: o.checkpoint_every,
        keep: o.keep.unwrap_or(1),
        seed: o.seed.unwrap_or(0),
        skip_bad: o.skip_bad.unwrap_or(false),
        workers: o.workers.unwrap_or(2),
        cache: o.cache.unwrap_or(CacheName::Ram),
        cache_size: o.cache_size,
        cache_dir: o.cache_dir,
    };
    config.validate()?;
    Ok(config)
}

fn metrics() -> String {
    Metric::names()
}

/// Refuse unless the condition holds.
pub fn require(holds: bool, problem: impl FnOnce() -> String) -> Result<(), CliError> {
    if holds { Ok(()) } else { Err(CliError::Usage(problem())) }
}

/// Refuse a number that is not finite and positive.
pub fn positive(name: &str, x: f64) -> Result<(), CliError> {
    require(x.is_finite() && x > 0.0, || format!("{name} must be a positive number, not {x}"))
}

/// Refuse a number outside [0, 1).
pub fn share(name: &str, x: f64) -> Result<(), CliError> {
    require((0.0..1.0).contains(&x), || format!("{name} must be at least 0 and below 1, not {x}"))
}

/// Larger images would need more memory than any machine this runs on has for one batch.
pub const LARGEST_IMAGE: usize = 4096;
/// Far more than any dataset here fills, far less than what overflows.
const LARGEST_BATCH: usize = 1_000_000;
/// More threads than this only cost memory.
pub const MOST_THREADS: usize = 1024;

/// Refuse an image size that nothing can be computed with.
pub fn image_size(pixels: usize) -> Result<(), CliError> {
    require((1..=LARGEST_IMAGE).contains(&pixels), || {
        format!("--image-size must be between 1 and {LARGEST_IMAGE}, not {pixels}")
    })
}

/// Refuse a batch size of 0, and one beyond all data.
pub fn batch_size(images: usize) -> Result<(), CliError> {
    require((1..=LARGEST_BATCH).contains(&images), || {
        format!("--batch-size must be between 1 and {LARGEST_BATCH}, not {images}")
    })
}

impl From<SemanticsName> for Semantics {
    fn from(name: SemanticsName) -> Self {
        match name {
            SemanticsName::Torch => Self::Torch,
            SemanticsName::Keras => Self::Keras,
            SemanticsName::Lightning => Self::Lightning,
            SemanticsName::Book => Self::Book,
        }
    }
}

impl TrainConfig {
    fn validate(&self) -> Result<(), CliError> {
        require(MODELS.contains(&self.model.as_str()), || {
            format!("there is no model `{}`; known are {}", self.model, MODELS.join(", "))
        })?;
        self.device()?;
        positive("--lr", self.lr)?;
        require(self.epochs > 0, || "--epochs must be at least 1".to_owned())?;
        batch_size(self.batch_size)?;
        image_size(self.image_size)?;
        require(self.workers <= MOST_THREADS, || {
            format!("--workers must be at most {MOST_THREADS}, not {}", self.workers)
        })?;
        require(self.cache_dir.is_none() || self.cache == CacheName::Disk, || {
            "--cache-dir is the folder of --cache disk: give that as well".to_owned()
        })?;
        require(self.val_split > 0.0 && self.val_split < 1.0, || {
            format!("--val-split must be above 0 and below 1, not {}", self.val_split)
        })?;
        for (name, x) in [("--weight-decay", self.weight_decay), ("--momentum", self.momentum)] {
            require(x.is_finite() && x >= 0.0, || format!("{name} must be at least 0, not {x}"))?;
        }
        share("--label-smoothing", self.label_smoothing)?;
        self.clip_norm.map_or(Ok(()), |limit| positive("--clip-norm", limit))?;
        require(self.momentum == 0.0 || self.optimizer == OptimizerName::Sgd, || {
            "--momentum belongs to --optimizer sgd".to_owned()
        })?;
        require(!self.lr_scheduler || self.schedule == ScheduleName::Constant, || {
            "--lr-scheduler and --schedule both set the learning rate: choose one".to_owned()
        })?;
        require(self.checkpoint.is_some() || !self.save_best_only, || {
            "--save-best-only says which files --checkpoint NAME writes: give --checkpoint as well".to_owned()
        })?;
        self.every()?;
        self.watched()?;
        require(Metric::named(&self.checkpoint_monitor).is_some(), || {
            format!("--checkpoint-monitor {} is unknown; known are {}", self.checkpoint_monitor, metrics())
        })?;
        self.checkpoint_config().map_or(Ok(()), |checkpoint| self.check_name(checkpoint))?;
        self.early_stopping_config().validate()?;
        self.plateau().validate()?;
        Ok(())
    }

    /// A checkpoint's name must work out, and must not be that of a file every run has.
    fn check_name(&self, checkpoint: CheckpointConfig) -> Result<(), CliError> {
        let template = checkpoint.path.clone();
        let bad = |problem: &str| CliError::Usage(format!("--checkpoint {template}: {problem}"));
        let figures = Metric::ALL.map(|metric| (metric.name().to_owned(), 0.0)).into();
        let name = CheckpointPolicy::new(checkpoint)
            .and_then(|mut policy| policy.observe(0, &figures))
            .map_err(|error| bad(&error.to_string()))?
            .path;
        if Path::new(&name).components().count() != 1 || name.starts_with('.') {
            return Err(bad("give a file name: it goes into the run's directory"));
        }
        if !name.ends_with(".safetensors") {
            return Err(bad("the name must end in .safetensors, which is what the file will be"));
        }
        if name == self.model_file() {
            return Err(bad("the best weights get that name in the end: give another"));
        }
        Ok(())
    }

    /// Where to compute.
    pub fn device(&self) -> Result<Device, CliError> {
        self.device.parse().map_err(|error| CliError::Usage(format!("--device {}: {error}", self.device)))
    }

    /// The metric early stopping watches.
    fn watched(&self) -> Result<Metric, CliError> {
        Metric::named(&self.monitor).ok_or_else(|| {
            CliError::Usage(format!("--monitor {} is unknown; known are {}", self.monitor, metrics()))
        })
    }

    /// When to save besides at the end of each epoch.
    fn every(&self) -> Result<Option<Every>, CliError> {
        let parse = |text: &String| {
            text.parse().map_err(|problem| CliError::Usage(format!("--checkpoint-every {text}: {problem}")))
        };
        self.checkpoint_every.as_ref().map(parse).transpose()
    }

    /// As it stands in `run.toml`.
    pub fn table(&self) -> Option<toml::Value> {
        toml::Value::try_from(self).ok()
    }

    /// Early stopping's options, on or off.
    pub fn early_stopping_config(&self) -> EarlyStoppingConfig {
        EarlyStoppingConfig {
            patience: self.patience,
            min_delta: self.min_delta,
            mode: Metric::named(&self.monitor).map_or(Mode::Min, Metric::mode),
            ..EarlyStoppingConfig::defaults(self.semantics.into())
        }
    }

    /// The scheduler's options, on or off.
    pub fn plateau(&self) -> PlateauConfig {
        PlateauConfig {
            patience: self.lr_patience,
            factor: self.lr_factor,
            min_lr: self.min_lr,
            ..PlateauConfig::defaults(self.semantics.into())
        }
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

    fn rule(&self) -> Rule {
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

    /// What the training loop needs, on the processor; `steps` is how many an epoch has.
    pub fn fit(&self, steps: usize, metadata: BTreeMap<String, String>) -> Result<FitConfig, CliError> {
        let total = u64::from(self.epochs) * steps as u64;
        let schedule = match self.schedule {
            ScheduleName::Constant => None,
            ScheduleName::OneCycle => Some(Schedule::OneCycle(one_cycle(self.lr, total))),
            ScheduleName::Cosine => Some(Schedule::Cosine(Cosine { t_max: total, eta_min: 0.0 })),
        };
        Ok(FitConfig {
            engine: Arc::new(Cpu),
            epochs: self.epochs,
            lr: self.lr,
            rule: self.rule(),
            loss: CrossEntropy { label_smoothing: self.label_smoothing as f32, class_weights: Vec::new() },
            clip_norm: self.clip_norm,
            schedule,
            lr_scheduler: self.lr_scheduler.then(|| self.plateau()),
            early_stopping: if self.early_stopping {
                Some((self.watched()?, self.early_stopping_config()))
            } else {
                None
            },
            checkpoint: self.checkpoint_config(),
            checkpoint_every: self.every()?,
            keep: self.keep,
            seed: self.seed,
            metadata,
        })
    }

    /// `_lr_scheduler_early_stopping`, whichever are on: part of the names of plots and model.
    pub fn suffix(&self) -> String {
        flag_suffix(self.lr_scheduler, self.early_stopping)
    }

    /// The file of the best weights in the run's directory.
    pub fn model_file(&self) -> String {
        RunInfo::model_file_by_settings(self.lr_scheduler, self.early_stopping)
    }
}

/// torch's OneCycleLR with its defaults.
fn one_cycle(max_lr: f64, total_steps: u64) -> OneCycle {
    OneCycle {
        max_lr,
        total_steps,
        pct_start: 0.3,
        anneal: Anneal::Cos,
        div_factor: 25.0,
        final_div_factor: 1e4,
        three_phase: false,
    }
}

/// The part of a run's file names that says which flags were on.
fn flag_suffix(lr_scheduler: bool, early_stopping: bool) -> String {
    let mut suffix = String::new();
    if lr_scheduler {
        suffix.push_str("_lr_scheduler");
    }
    if early_stopping {
        suffix.push_str("_early_stopping");
    }
    suffix
}
