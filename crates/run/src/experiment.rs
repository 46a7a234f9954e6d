//! All that a run needs before its first step: the settings, the data cut into parts, the network.

use crate::caching::open_cache;
use crate::classes::ClassCounts;
use crate::classifier::{Opened, open_weights, take_over};
use crate::error::RunError;
use crate::following::{follow_weights, pin_weights};
use crate::lr_find::{LrFound, LrSearch};
use crate::memory;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::{DataSource, Validation};
use crate::options::{CacheName, DataKind, Options, PrecisionName, RunSpec, ScaleLr};
use crate::preprocessing::{augmentations, preprocessing};
use crate::pretrained;
use crate::weights_name::weights_name;
use std::sync::Arc;
use std::time::Instant;
use wellfit_cluster::Link;
use wellfit_data::divide::{self, groups_of_copies};
use wellfit_data::open::is_built_in;
use wellfit_data::{
    Augmentations, Copies, DataError, Dataset, Loader, LoaderOptions, Preprocessing, Splits, stratified,
};
use wellfit_kernels::conv::Algorithm;
use wellfit_models::{DropRates, Engine, Network, Shape, build_with};

/// Images for training, validation and the final test.
#[derive(Debug)]
pub struct Parts {
    /// The name of the data.
    pub name: String,
    /// To train on.
    pub train: Dataset,
    /// For validation: they decide which epoch is best.
    pub validation: Dataset,
    /// For the final test, if there are any.
    pub test: Option<Dataset>,
}

impl Parts {
    /// A name and a sentence for each kind of image files that are there more than once.
    #[must_use]
    pub fn copies(&self) -> Vec<(&'static str, String)> {
        let test = self.test.as_ref().map(|test| ("test", test));
        let parts: Vec<(&'static str, &Dataset)> =
            [("training", &self.train), ("validation", &self.validation)].into_iter().chain(test).collect();
        let sizes: Vec<usize> = parts.iter().map(|(_, data)| data.len()).collect();
        Copies::among(&parts).remarks(&sizes)
    }
}

/// All that a run needs before its first step.
#[derive(Debug)]
pub struct Experiment {
    /// Where the data are.
    pub source: DataSource,
    /// Every setting.
    pub spec: RunSpec,
    /// When its preparation began.
    pub(crate) began: Instant,
    /// The precision as it was asked for; `spec` has what it means on this machine.
    asked: PrecisionName,
    /// The device that computes.
    pub engine: Arc<dyn Engine>,
    /// The data.
    pub parts: Parts,
    /// What is done to every image.
    pub preprocessing: Preprocessing,
    /// Initialised by the seed; weights from a file are not in it yet.
    pub network: Network,
    /// The weights it starts from, if they were read to know the architecture.
    opened: Option<Opened>,
    /// The batches to train on.
    pub train: Loader,
    /// The batches to validate on.
    pub val: Loader,
    /// The learning rate that was found for it, if it was, with the search.
    pub(crate) found: Option<(LrFound, LrSearch)>,
    /// The other processes that make the run, if there are any.
    pub(crate) link: Option<Arc<Link>>,
}

impl Experiment {
    /// Open the data, decide the settings that follow from them, and build the network. Nothing is written.
    ///
    /// # Errors
    /// If settings, device or data cannot be used.
    pub fn prepare(
        options: &Options,
        source: &DataSource,
        observer: &mut dyn Observer,
    ) -> Result<Self, RunError> {
        let open =
            |spec: &RunSpec, observer: &mut dyn Observer| source.open(spec.skip_bad, spec.depth, observer);
        Self::prepare_with(options, source, open, observer)
    }

    /// [`prepare`](Self::prepare) with data that `open` gives.
    pub(crate) fn prepare_with(
        options: &Options,
        source: &DataSource,
        open: impl FnOnce(&RunSpec, &mut dyn Observer) -> Result<Splits, RunError>,
        observer: &mut dyn Observer,
    ) -> Result<Self, RunError> {
        let began = Instant::now();
        // What can be refused without the data is refused before they are read.
        let (options, opened) = follow_weights(options, observer)?;
        let spec = options.decide(DataKind::Folder)?;
        let engine = engine(&spec)?;
        let splits = open(&spec, observer)?;
        let kind = source.kind(&splits.train);
        let (spec, asked) = settle(options, source.validation, kind)?;
        if let (Some(folds), None) = (spec.folds, spec.fold) {
            let problem =
                format!("`folds` {folds} are as many runs, not one: choose one of them with `fold`");
            return Err(RunError::setting("fold", problem));
        }
        let parts = divide(splits, &spec, source.validation, observer)?;
        let preprocessing = preprocessing(&spec, &parts.train)?;
        let network = network(&spec, &preprocessing, parts.train.classes.len())?;
        refuse_late_stages(&spec, &network)?;
        let train = loader(&spec, &parts.train, &preprocessing, true)?;
        let val = loader(&spec, &parts.validation, &preprocessing, false)?;
        let source = source.clone();
        let found = None;
        Ok(Self {
            source,
            spec,
            began,
            asked,
            engine,
            parts,
            preprocessing,
            network,
            opened,
            train,
            val,
            found,
            link: None,
        })
    }

    /// Load the weights that the run starts from, if any.
    pub(crate) fn load_weights(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        let Some(path) = &self.spec.weights else {
            return Ok(());
        };
        let opened = self.opened.take();
        let open = || match weights_name(path)? {
            None => open_weights(path),
            Some(name) => {
                let store = pretrained::store(self.spec.offline);
                open_weights(&pretrained::fetch(&name, Some(&self.spec.model), &store, observer)?.path)
            }
        };
        let Opened { file, path } = opened.map_or_else(open, Ok)?;
        observer.notice(&Notice::WeightsFrom { path: path.clone() });
        take_over(&mut self.network, &file, &path, Some(self.spec.seed), observer)
    }

    /// Check that the run fits into memory, and open the cache with a share of what it leaves.
    pub(crate) fn take_memory(&mut self) -> Result<(), RunError> {
        let left = memory::check(self)?;
        let cache = open_cache(&self.spec, left)?;
        for loader in [&mut self.train, &mut self.val] {
            *loader = loader.clone().with_cache(cache.clone());
        }
        Ok(())
    }

    /// Report the network, the data and the policies to the observer.
    pub(crate) fn describe(&self, observer: &mut dyn Observer) {
        let Self { spec, parts, .. } = self;
        observer.notice(&Notice::Device { name: self.engine.name() });
        if self.asked != PrecisionName::F32 {
            observer.notice(&Notice::Precision { asked: self.asked, precision: spec.precision.resolve() });
        }
        observer.notice(&Notice::Network {
            summary: self.network.short_summary(),
            layers: self.network.summary(),
        });
        observer.notice(&Notice::Data {
            name: parts.name.clone(),
            train: parts.train.len(),
            validation: parts.validation.len(),
            test: parts.test.as_ref().map(Dataset::len),
            classes: parts.train.classes.len(),
        });
        let counts = ClassCounts::of(parts);
        observer.notice(&Notice::Classes(counts));
        let (batches, epochs) = (self.train.batches(), spec.epochs);
        observer.notice(&Notice::Length { batches, batch_size: spec.batch_size, epochs });
        if spec.shards > 1 {
            let processes = self.link.as_ref().map_or(1, |link| link.size());
            observer.notice(&Notice::Shards { shards: spec.shards, processes });
        }
        if spec.scale_lr != ScaleLr::None {
            let (rule, factor, lr) = (spec.scale_lr, spec.lr_scale(), spec.rate());
            observer.notice(&Notice::LrScaled { rule, factor, lr });
        }
        if let Some(recipe) = spec.recipe {
            observer.notice(&Notice::Recipe(spec.recipe_settings(recipe, self.source.kind(&parts.train))));
        }
        if spec.unfreeze_every > 0 {
            let (head, every, stages) = (spec.freeze_epochs, spec.unfreeze_every, self.network.stages());
            observer.notice(&Notice::Unfreezing { head, every, stages });
        }
        if let Some(start) = spec.swa_start {
            observer.notice(&Notice::Swa { start: start.epoch(epochs) });
        }
        let countless = self.train.augmentations().variants().is_none();
        if spec.freeze && countless && spec.cache != CacheName::Off && self.network.frozen_prefix() > 0 {
            observer.notice(&Notice::FeaturesNotKept);
        }
        if spec.lr_scheduler {
            observer.notice(&Notice::SchedulerOn);
        }
        if spec.early_stopping {
            observer.notice(&Notice::EarlyStoppingOn);
        }
    }

    /// Refuse batches that BatchNorm cannot normalise.
    pub(crate) fn refuse_lone_images(&self) -> Result<(), RunError> {
        let smallest = self.spec.batch_size.min(self.parts.train.len());
        if self.network.has_batch_norm() && smallest < 2 {
            let problem = "BatchNorm cannot normalise a batch of one image; take 2 or more";
            return Err(RunError::setting("batch_size", format!("`batch_size` {smallest}: {problem}")));
        }
        Ok(())
    }

    /// Refuse to watch what is 100 % in every epoch.
    pub(crate) fn refuse_constant_metric(&self) -> Result<(), RunError> {
        let (spec, classes) = (&self.spec, self.parts.train.classes.len());
        let watched = [
            ("monitor", &spec.monitor),
            ("best", &spec.best),
            ("lr_monitor", &spec.lr_monitor),
            ("checkpoint_monitor", &spec.checkpoint_monitor),
        ];
        match watched.into_iter().find(|(_, metric)| classes <= 5 && metric.ends_with("top5_accuracy")) {
            None => Ok(()),
            Some((setting, metric)) => {
                let problem = format!(
                    "`{setting}` {metric}: with {classes} classes every answer has the class among the five likeliest; \
                     take val_accuracy, val_macro_f1 or val_auc"
                );
                Err(RunError::setting(setting, problem))
            }
        }
    }

    /// The name of the data as it is kept in `run.toml`: its absolute path, or the name of built-in data.
    pub(crate) fn absolute_data(&self) -> String {
        if is_built_in(&self.source.data) {
            return self.source.data.clone();
        }
        std::path::absolute(&self.source.data)
            .map_or_else(|_| self.source.data.clone(), |path| path.to_string_lossy().into())
    }
}

/// Every setting of a run on data of that kind, as the run keeps them, and the precision as it was asked for.
pub(crate) fn settle(
    mut options: Options,
    validation: Validation,
    kind: DataKind,
) -> Result<(RunSpec, PrecisionName), RunError> {
    if kind == DataKind::Folder && validation == Validation::Split {
        options = options.with_network_at_hand();
    }
    let mut spec = match validation {
        Validation::Split => options.decide(kind)?,
        Validation::Test => options.for_lab_transfer().decide(kind)?,
    };
    let asked = spec.precision;
    // What `auto` means here is what the run keeps, wherever it is resumed.
    spec.precision = asked.resolve().into();
    spec.swa_start = spec.swa_start.map(|start| start.pinned(spec.epochs));
    pin_weights(&mut spec)?;
    Ok((spec, asked))
}

/// The device for a run of these settings.
pub(crate) fn engine(spec: &RunSpec) -> Result<Arc<dyn Engine>, RunError> {
    let device = spec.device().map_err(|problem| RunError::setting("device", problem))?;
    Ok(wellfit_gpu::open(device)?)
}

/// Cut the data into parts.
pub(crate) fn divide(
    splits: Splits,
    spec: &RunSpec,
    validation: Validation,
    observer: &mut dyn Observer,
) -> Result<Parts, RunError> {
    let Splits { name, train, val, test, .. } = splits;
    if validation == Validation::Test {
        let Some(test) = test else {
            let problem =
                "lab transfer validates on test/, which these data do not have: use `wellfit train`";
            return Err(DataError::Invalid(problem.to_owned()).into());
        };
        if spec.folds.is_some() {
            let problem =
                "`folds` are validated on training images, lab transfer on test/: use `wellfit train`";
            return Err(RunError::setting("folds", problem.to_owned()));
        }
        observer.notice(&Notice::TestDecides);
        return Ok(Parts { name, train, validation: test, test: None });
    }
    if let (Some(folds), Some(fold)) = (spec.folds, spec.fold) {
        if val.is_some() {
            observer.notice(&Notice::FoldsLeaveValidation);
        }
        let folds = folds_of(&train, folds, spec.split_seed())?;
        let (apart, rest) = fold_and_rest(&folds, fold);
        return Ok(Parts { name, train: train.subset(&rest), validation: train.subset(&apart), test });
    }
    if let Some(validation) = val {
        return Ok(Parts { name, train, validation, test });
    }
    let (rest, apart) = stratified(&train.labels, train.classes.len(), spec.val_split, spec.split_seed())?;
    Ok(Parts { name, train: train.subset(&rest), validation: train.subset(&apart), test })
}

/// The images of each fold.
pub(crate) fn folds_of(train: &Dataset, folds: u32, seed: u64) -> Result<Vec<Vec<u32>>, RunError> {
    let groups = groups_of_copies(train);
    let folds = divide::folds(&train.labels, train.classes.len(), &groups, folds, seed);
    folds.map_err(|error| RunError::setting("folds", format!("`folds`: {error}")))
}

/// The images of a fold, counted from 1, and of all others, ascending.
fn fold_and_rest(folds: &[Vec<u32>], fold: u32) -> (Vec<u32>, Vec<u32>) {
    let (mut apart, mut rest) = (Vec::new(), Vec::new());
    for (number, images) in (1..).zip(folds) {
        if number == fold { &mut apart } else { &mut rest }.extend_from_slice(images);
    }
    rest.sort_unstable();
    (apart, rest)
}

/// A fresh network.
pub(crate) fn network(spec: &RunSpec, images: &Preprocessing, classes: usize) -> Result<Network, RunError> {
    let input = Shape::image(images.size.0, images.size.1, images.channels);
    let rates = DropRates { stochastic_depth: spec.stochastic_depth, dropout: spec.dropout };
    let mut network = build_with(&spec.model, input, classes, rates)?;
    if spec.exact_conv {
        network.algorithm = Algorithm::Direct;
    }
    network.precision = spec.precision.resolve();
    network.initialise(spec.seed);
    if spec.freeze || spec.freeze_epochs > 0 {
        network.freeze_backbone();
    }
    if spec.freeze_batch_norm {
        network.fix_statistics();
    }
    network.slow_backbone(spec.backbone_lr_factor);
    if spec.sync_bn && (network.norms.is_empty() || spec.freeze || spec.freeze_batch_norm) {
        let problem = "`sync_bn`: no BatchNorm of this run follows its batches: leave it out".to_owned();
        return Err(RunError::setting("sync_bn", problem));
    }
    Ok(network)
}

/// Refuse to unfreeze so slowly that part of the network never trains, or joins an average that has begun.
fn refuse_late_stages(spec: &RunSpec, network: &Network) -> Result<(), RunError> {
    let (every, stages) = (spec.unfreeze_every, network.stages() as u32);
    if every == 0 || stages == 0 {
        return Ok(());
    }
    let first_whole = every.saturating_mul(stages - 1).saturating_add(spec.freeze_epochs).saturating_add(1);
    let name = &spec.model;
    if first_whole > spec.epochs {
        return Err(RunError::setting(
            "unfreeze_every",
            format!(
                "`unfreeze_every` {every}: {name} has {stages} stages behind the head, and the last would begin to train in \
                 epoch {first_whole} of {}: take less, or more `epochs`",
                spec.epochs
            ),
        ));
    }
    match spec.swa_start.map(|start| start.epoch(spec.epochs)) {
        Some(start) if start < first_whole => Err(RunError::setting(
            "swa_start",
            format!(
                "`swa_start` {start}: the last stage of {name} begins to train in epoch {first_whole} only"
            ),
        )),
        _ => Ok(()),
    }
}

/// The batches of a part of the data: of the training part in random order, changed at random.
pub(crate) fn loader(
    spec: &RunSpec,
    data: &Dataset,
    preprocessing: &Preprocessing,
    training: bool,
) -> Result<Loader, RunError> {
    let augmentations = if training { augmentations(spec)? } else { Augmentations::none() };
    let options = LoaderOptions {
        batch_size: spec.batch_size,
        shuffle: training,
        sampler: spec.sampler.into(),
        seed: spec.seed,
        workers: spec.workers,
        prefetch: 2 * spec.workers.max(1),
        merge_last_single: training,
    };
    Ok(Loader::new(data.clone(), preprocessing.clone(), augmentations, options)?)
}
