//! What a training run is made of: the configuration, the data cut into parts, the network.

use crate::args::{OptimizerName, TrainOptions};
use crate::caching::open_cache;
use crate::config::{self, TrainConfig, require};
use crate::error::CliError;
use crate::inference::{read_weights, weight_file};
use crate::opening::open_data;
use crate::output::Output;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use wellfit::data::{
    Augmentations, DataError, Dataset, Loader, LoaderOptions, Preprocessing, Scaling, Splits, stratified,
};
use wellfit::models::{Engine, Network, Shape, build};
use wellfit::policy::{early_stopping_precludes_plateau, epochs_at_lowered_rate};

/// What a run without `val/` validates on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// A part of the training images.
    Split,
    /// `test/`, as the chapter does.
    Test,
}

/// Images to train on, to choose by, and to judge by in the end.
pub struct Parts {
    pub name: String,
    pub train: Dataset,
    pub validation: Dataset,
    pub test: Option<Dataset>,
}

/// All that a run needs before its first step.
pub struct Job {
    /// The data, as the user named them.
    pub data: String,
    pub validation: Validation,
    pub config: TrainConfig,
    /// Who computes.
    pub engine: Arc<dyn Engine>,
    pub parts: Parts,
    pub transform: Preprocessing,
    /// Initialised by the seed; weights from a file are not in it yet.
    pub network: Network,
    pub train: Loader,
    pub val: Loader,
}

impl Job {
    /// Open the data and build the network.
    pub fn prepare(
        options: TrainOptions,
        (data, data_dir): (&str, Option<&Path>),
        validation: Validation,
        out: Output,
    ) -> Result<Self, CliError> {
        // What can be refused without the data is refused before they are read.
        let engine = wellfit::gpu::open(config::resolve(options.clone(), data, None)?.device()?)?;
        let splits = open_data(data, data_dir, options.skip_bad.unwrap_or(false), out)?;
        let config = config::resolve(options, data, splits.train.native_size())?;
        let parts = divide(splits, &config, validation, out)?;
        let transform = transform(&config, &parts.train)?;
        let network = network(&config, &transform, parts.train.classes.len())?;
        let options = LoaderOptions {
            batch_size: config.batch_size,
            shuffle: true,
            seed: config.seed,
            workers: config.workers,
            prefetch: 2 * config.workers.max(1),
            merge_last_single: true,
        };
        let plain = LoaderOptions { shuffle: false, merge_last_single: false, ..options.clone() };
        let flips = Augmentations::flips(config.hflip, config.vflip);
        let train = Loader::new(parts.train.clone(), transform.clone(), flips, options)?;
        let val = Loader::new(parts.validation.clone(), transform.clone(), Augmentations::none(), plain)?;
        Ok(Self { data: data.to_owned(), validation, config, engine, parts, transform, network, train, val })
    }

    /// Load the weights that the run starts from, if any.
    pub fn load_weights(&mut self, out: Output) -> Result<(), CliError> {
        let Some(path) = &self.config.weights else {
            if self.config.freeze {
                out.warn("--freeze without --weights trains a head on random features");
            }
            return Ok(());
        };
        let path = &weight_file(path).unwrap_or_else(|| path.clone());
        let file = read_weights(path)?;
        let loaded = self.network.load(&file, true).map_err(|error| CliError::weights(path, &error))?;
        out.say(format!("Weights from {}", path.display()));
        if let Some(theirs) = loaded.replaced_head {
            let classes = self.network.outputs();
            out.say(format!("Their head has {theirs} classes: replaced by a new one with {classes}"));
        }
        Ok(())
    }

    /// Keep images and features in a cache; `left` are the bytes of memory that the run does not need.
    pub fn open_cache(&mut self, left: Option<u64>) -> Result<(), CliError> {
        let cache = open_cache(&self.config, left)?;
        for loader in [&mut self.train, &mut self.val] {
            *loader = loader.clone().with_cache(cache.clone());
        }
        Ok(())
    }

    /// What will be trained on what.
    pub fn describe(&self, out: Output) {
        out.say(format!("Computation device: {}", self.engine.name()));
        describe(&self.network, &self.config, &self.parts, out);
    }

    /// Refuse what cannot work, warn of what will not do what it is meant to.
    pub fn warn_of_clashes(&self, out: Output) -> Result<(), CliError> {
        warn_of_clashes(&self.config, &self.network, &self.parts, out)
    }
}

fn divide(
    splits: Splits,
    config: &TrainConfig,
    validation: Validation,
    out: Output,
) -> Result<Parts, CliError> {
    let Splits { name, train, val, test, .. } = splits;
    if validation == Validation::Test {
        let Some(test) = test else {
            let problem =
                "lab transfer validates on test/, which these data do not have: use `wellfit train`";
            return Err(CliError::Data(DataError::Invalid(problem.to_owned())));
        };
        out.say(
            "Note: test/ decides which epoch is best here, as in the chapter, so its figures are optimistic. \
             `wellfit train` keeps test/ for the end.",
        );
        return Ok(Parts { name, train, validation: test, test: None });
    }
    if let Some(validation) = val {
        return Ok(Parts { name, train, validation, test });
    }
    let (kept, apart) = stratified(&train.labels, train.classes.len(), config.val_split, config.seed)?;
    Ok(Parts { name, train: train.subset(&kept), validation: train.subset(&apart), test })
}

/// ImageNet's statistics for image folders, the training set's own for IDX data.
fn transform(config: &TrainConfig, train: &Dataset) -> Result<Preprocessing, CliError> {
    let size = (config.image_size, config.image_size);
    let Some((height, width, channels)) = train.native_size() else {
        return Ok(Preprocessing::imagenet(size));
    };
    // torchvision's ResNets read colour; the small networks read what the data have.
    let channels = if config.model == "resnet20" || config.model.starts_with("mlp") { channels } else { 3 };
    let own = config.image_size == height.max(width);
    let size = if own { (height, width) } else { size };
    let (mean, std) = Scaling::ZScore.statistics(train, channels)?;
    Ok(Preprocessing { size, channels, mean, std })
}

fn network(config: &TrainConfig, transform: &Preprocessing, classes: usize) -> Result<Network, CliError> {
    let input = Shape::image(transform.size.0, transform.size.1, transform.channels);
    let mut network = build(&config.model, input, classes)?;
    network.initialise(config.seed);
    if config.exact_conv {
        network.algorithm = wellfit::kernels::conv::Algorithm::Direct;
    }
    if config.freeze {
        network.freeze_backbone();
    }
    Ok(network)
}

fn describe(network: &Network, config: &TrainConfig, parts: &Parts, out: Output) {
    out.say(network.summary());
    let test = parts.test.as_ref().map_or(String::new(), |test| format!(", {} test images", test.len()));
    out.say(format!(
        "{}: {} training, {} validation{test}, {} classes",
        parts.name,
        parts.train.len(),
        parts.validation.len(),
        parts.train.classes.len()
    ));
    if config.lr_scheduler {
        out.say("INFO: Initializing learning rate scheduler");
    }
    if config.early_stopping {
        out.say("INFO: Initializing early stopping");
    }
}

fn warn_of_clashes(
    config: &TrainConfig,
    network: &Network,
    parts: &Parts,
    out: Output,
) -> Result<(), CliError> {
    let smallest = config.batch_size.min(parts.train.len());
    require(!network.has_batch_norm() || smallest > 1, || {
        format!("--batch-size {smallest}: BatchNorm cannot normalise a batch of one image; take 2 or more")
    })?;
    if config.lr_scheduler && config.early_stopping {
        let (stopping, plateau) = (config.early_stopping_config(), config.plateau());
        if early_stopping_precludes_plateau(&stopping, &plateau) {
            out.warn(format!(
                "with --patience {} and --lr-patience {}, early stopping ends a stalled run before the scheduler \
                 can lower the rate. Give early stopping more patience, such as --patience {}",
                config.patience,
                config.lr_patience,
                2 * config.lr_patience + 2
            ));
        } else if epochs_at_lowered_rate(&stopping, &plateau) == 0 {
            out.warn(
                "early stopping ends a stalled run at the very epoch in which the rate is first lowered",
            );
        }
    }
    if config.optimizer == OptimizerName::Sgd && config.lr < 0.005 && config.momentum == 0.0 {
        out.warn(format!("sgd with --lr {} learns slowly; 0.01 or more is usual", config.lr));
    }
    Ok(())
}
