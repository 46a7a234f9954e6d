//! From an experiment to a run: record, plots, the best weights.

use crate::classifier::Classifier;
use crate::error::RunError;
use crate::evaluation_json::evaluation_json;
use crate::experiment::Experiment;
use crate::machine::start_event;
use crate::notice::Notice;
use crate::observer::{Observer, Watch};
use crate::opening::{DataSource, Validation};
use crate::options::{Options, RunSpec};
use crate::plots::{PictureFormat, plots};
use crate::preprocessing::recorded;
use crate::results::confusion_pictures;
use crate::saved::SavedRun;
use crate::sheet::{SHEET_IMAGES, sheet};
use crate::shots::pictures;
use crate::tracking::Tracking;
use crate::trained_on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use wellfit_data::{Dataset, Loader};
use wellfit_models::{Engine, Network};
use wellfit_plot::Look;
use wellfit_record::{
    DataInfo, EpochRecord, Event, Metric, ModelInfo, NewestGood, RunDir, RunInfo, RunWriter, StopReason,
    TEST, data_wait_share, now,
};
use wellfit_report::{PICTURES, REPORT, RunReport, run_page};
use wellfit_train::{FitConfig, TrainError, fit, model_file, model_metadata};
use wellfit_weights::to_safetensors_bytes;

/// The figures of the best weights on the validation images.
const EVALUATION: &str = "evaluation.json";
/// The picture of what training sees.
const SHEET: &str = "augmentation.png";

/// Where a run goes.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    /// The run's directory; by default the next free `runs/<data>-<model>-<n>`.
    pub dir: Option<PathBuf>,
    /// Replace the run that is there.
    pub force: bool,
    /// The command that makes it, for `run.toml`.
    pub command: String,
}

impl From<&Path> for Destination {
    /// That directory, in which no run may be.
    fn from(dir: &Path) -> Self {
        Self { dir: Some(dir.to_path_buf()), ..Self::default() }
    }
}

/// From where a run that is resumed goes on.
pub(crate) struct Origin<'a> {
    /// Its newest good checkpoint, if there is one.
    pub newest: &'a NewestGood,
    /// Whether it goes on although it had ended.
    pub go_on_after_stop: bool,
    /// Whether it will be trained again for what it lost, once it has ended.
    pub again_at_the_end: bool,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The run's directory.
    pub run: PathBuf,
    /// The name of the data, as it was given.
    pub data: String,
    /// The file of the best weights.
    pub model: PathBuf,
    /// The figures of every epoch.
    pub epochs: Vec<EpochRecord>,
    /// Those of the best epoch, by [`RunSpec::best`].
    pub best: EpochRecord,
    /// The metric that decided which epoch that is.
    pub best_by: Metric,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// Seconds of computing, over all interruptions.
    pub seconds: f64,
    /// The share of the training passes that waited for data.
    pub data_wait_share: f64,
    /// Whether the data have a test part, which the run did not look at.
    pub test_is_untouched: bool,
    /// The network of the best epoch.
    pub network: Network,
}

/// Train a classifier: open the data, build the network, train it, and leave a run with record, plots and the best
/// weights.
///
/// Kernels use the current pool of threads: see [`Threads`](wellfit_simd::Threads).
///
/// # Errors
/// If settings, data or weights cannot be used, if the run cannot be written, if the loss is no longer a number, or if
/// the observer interrupts.
pub fn train(
    spec: &RunSpec,
    source: &DataSource,
    out: &Destination,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    Experiment::prepare(&Options::from(spec), source, observer)?.train(out, observer)
}

impl Experiment {
    /// Make the run, from the beginning.
    ///
    /// # Errors
    /// As [`train`].
    pub fn train(mut self, out: &Destination, observer: &mut dyn Observer) -> Result<Outcome, RunError> {
        self.make_ready(observer)?;
        self.begin(out, observer)
    }

    /// Load the weights, refuse what cannot be, and find the learning rate if it is to be found, before anything is
    /// written.
    pub(crate) fn make_ready(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.fit_time(observer)?;
        self.load_and_check(observer)?;
        self.decide_lr(observer)
    }

    /// Load the weights, refuse what cannot be, and warn of what cannot work.
    pub(crate) fn load_and_check(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.load_and_describe(observer)?;
        for concern in self.concerns()? {
            observer.notice(&Notice::Concern(concern));
        }
        Ok(())
    }

    /// Load the weights, and refuse what cannot be.
    pub(crate) fn load_and_describe(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.load_weights(observer)?;
        self.refuse_lone_images()?;
        self.spec.class_weights.of(&self.parts.train)?;
        self.refuse_constant_metric()?;
        self.warn_of_random_weights(observer)?;
        self.describe(observer);
        self.take_memory()
    }

    /// Make the run of what is [ready](Self::make_ready).
    pub(crate) fn begin(self, out: &Destination, observer: &mut dyn Observer) -> Result<Outcome, RunError> {
        let (run, saved) = self.make_run(out)?;
        self.train_in(run, &saved, observer)
    }

    /// Train in a run that was just made.
    pub(crate) fn train_in(
        self,
        run: RunWriter,
        saved: &SavedRun,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, RunError> {
        observer.notice(&Notice::Run { path: run.path().to_owned() });
        self.execute(run, saved, None, observer)
    }

    /// Make the run's directory, which then has all that it can be resumed from. What can go wrong with the settings or
    /// the data does so before the run stands, and so before it replaces another one.
    pub(crate) fn make_run(&self, out: &Destination) -> Result<(RunWriter, SavedRun), RunError> {
        self.make_branched(out, |_, _| Ok(()))
    }

    /// The same of a run that begins with what another one trained: `fill` puts that into it before it stands.
    pub(crate) fn make_branched(
        &self,
        out: &Destination,
        fill: impl FnOnce(&FitConfig, &mut RunWriter) -> Result<(), RunError>,
    ) -> Result<(RunWriter, SavedRun), RunError> {
        let hint = format!("{}-{}", self.parts.name, self.spec.model);
        let mut run = RunWriter::create(out.dir.as_deref(), &hint, out.force)?;
        let saved = SavedRun::new(self.run_info(&run, &out.command)?, self)?;
        let config = self.config(&saved)?;
        // All before the run stands: what an interruption left out here would never be made up for.
        self.write_companions(&run, &saved, &[])?;
        if let Some((_, search)) = &self.found {
            for (name, bytes) in search.files()? {
                run.write_file(&name, &bytes)?;
            }
        }
        run.event(&start_event())?;
        fill(&config, &mut run)?;
        run.write_run_toml(&saved)?;
        Ok((run, saved))
    }

    /// The files that a run has from its first step on; one that is resumed has them, unless it lost them or they are
    /// among the `damaged`.
    fn write_companions(
        &self,
        run: &RunWriter,
        saved: &SavedRun,
        damaged: &[String],
    ) -> Result<(), RunError> {
        let has = |name: &str| run.has_file(name) && !damaged.iter().any(|other| other == name);
        if !has(trained_on::FILE) {
            trained_on::note(run, &self.parts.train, self.spec.weights.as_deref())?;
        }
        if !has(SHEET) {
            let seen = sheet(&self.train, &saved.info.data.name, SHEET_IMAGES, Look::SCREEN)?;
            run.write_file(SHEET, &seen.to_png_bytes()?)?;
        }
        Ok(())
    }

    /// What the training loop is told.
    fn config(&self, saved: &SavedRun) -> Result<FitConfig, RunError> {
        self.config_with(model_metadata(&saved.info))
    }

    /// The same with that metadata for weight files.
    pub(crate) fn config_with(&self, metadata: BTreeMap<String, String>) -> Result<FitConfig, RunError> {
        let mut config = self.spec.fit(self.engine.clone(), self.train.batches(), metadata)?;
        config.loss.class_weights = self.spec.class_weights.of(self.train.dataset())?;
        config.team.link.clone_from(&self.link);
        Ok(config)
    }

    /// Train, from the beginning or from a checkpoint, and write plots and weights.
    pub(crate) fn execute(
        self,
        mut run: RunWriter,
        saved: &SavedRun,
        from: Option<Origin<'_>>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, RunError> {
        let test_is_untouched = self.parts.test.is_some() && self.source.validation == Validation::Split;
        self.write_companions(&run, saved, &damaged(&RunDir::open(run.path())?)?)?;
        let mut config = self.config(saved)?;
        self.tell_others()?;
        let Self { source, spec, network, train, val, .. } = self;
        if !run.is_locked() {
            observer.notice(&Notice::NoLocks { run: run.path().to_owned() });
        }
        config.go_on_after_stop = from.as_ref().is_some_and(|from| from.go_on_after_stop);
        config.restore_epochs = from.as_ref().is_none_or(|from| !from.again_at_the_end);
        observer.ready(&spec, run.path())?;
        let tracking = Tracking::new(&spec, &saved.info, run.path());
        let mut watch = Watch { cache: train.cache().clone(), tracking, observer };
        let (loaders, began) = ((&train, &val), Instant::now());
        let result = match from {
            None => fit(network, loaders, &config, &mut run, &mut watch),
            Some(from) => {
                let found = from.newest.found.as_ref();
                wellfit_train::resume(network, loaders, &config, found, &mut run, &mut watch)
            }
        };
        watch.end(result.is_ok());
        if let Some(link) = &config.team.link {
            let share = link.waited().as_secs_f64() / began.elapsed().as_secs_f64();
            watch.observer.notice(&Notice::Waited { share });
        }
        match result {
            Ok(outcome) => {
                let page = (!spec.no_report).then_some(&train);
                let finished = finish(&mut run, (saved, &config), (page, &val), outcome, observer)?;
                Ok(Outcome { data: source.data, test_is_untouched, ..finished })
            }
            Err(TrainError::Interrupted { reason }) => {
                Err(RunError::Interrupted { reason, run: run.path().to_owned() })
            }
            Err(error) => {
                observer.notice(&Notice::RunSoFar { path: run.path().to_owned() });
                Err(error.into())
            }
        }
    }

    /// The file of the best weights. A run that validates on `test/` is the lab's, whose files say which techniques
    /// were on.
    fn model_file(&self) -> String {
        let techniques = self.source.validation == Validation::Test;
        RunInfo::model_file_by_settings(
            techniques && self.spec.lr_scheduler,
            techniques && self.spec.early_stopping,
        )
    }

    fn run_info(&self, run: &RunWriter, command: &str) -> Result<RunInfo, RunError> {
        let Self { spec, parts, preprocessing, network, .. } = self;
        let value = |value: Result<toml::Value, toml::ser::Error>| {
            value.map_err(|error| RunError::Output(format!("cannot write run.toml: {error}")))
        };
        Ok(RunInfo {
            name: run.name(),
            command: command.to_owned(),
            created: now(),
            wellfit_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: spec.seed,
            lr_scheduler: spec.lr_scheduler,
            early_stopping: spec.early_stopping,
            model_file: Some(self.model_file()),
            classes: parts.train.classes.clone(),
            data: DataInfo {
                name: parts.name.clone(),
                fingerprint: parts.train.fingerprint()?,
                train: parts.train.len() as u64,
                val: parts.validation.len() as u64,
                test: parts.test.as_ref().map_or(0, Dataset::len) as u64,
            },
            model: ModelInfo {
                name: network.name.clone(),
                parameters: network.parameter_count() as u64,
                trainable: network.trainable_count() as u64,
            },
            transform: value(recorded(preprocessing, spec))?,
            config: value(toml::Value::try_from(spec))?,
        })
    }
}

/// The files that a run left in the end and that are not as they were written.
fn damaged(run: &RunDir) -> Result<Vec<String>, RunError> {
    let (dir, files) = (run.dir()?, run.files()?.unwrap_or_default());
    Ok(files.into_iter().filter(|file| file.check(&dir).is_err()).map(|file| file.name).collect())
}

/// The confusion matrix of the validation images and the figures of the best weights on them, largest losses included;
/// with the training images, where there is to be a page, its pictures. `evaluate` writes the same files of the data that it is
/// given, without these.
fn judge(
    run: &RunWriter,
    saved: &SavedRun,
    (train, val): (Option<&Loader>, &Loader),
    engine: Arc<dyn Engine>,
    network: Network,
    left: &mut Vec<String>,
) -> Result<Network, RunError> {
    let mut write = |name: &str, bytes: &[u8]| {
        left.push(name.to_owned());
        run.write_file(name, bytes)
    };
    let (classes, preprocessing) = (saved.info.classes.clone(), val.preprocessing().clone());
    let classifier = Classifier::alone(network, classes, preprocessing).on(engine);
    let found = classifier.evaluate_batches(val, &mut ())?;
    let judgement = found.judgement(classifier.classes.len());
    let part = if saved.source.validation == Validation::Test { TEST } else { "val" };
    let mut result = json!({ "part": part });
    if let Value::Object(map) = &mut result {
        map.extend(evaluation_json((&found, &judgement), val.dataset(), &classifier.classes));
    }
    write(EVALUATION, format!("{result:#}\n").as_bytes())?;
    let name = format!("{} (validation)", saved.info.data.name);
    for (name, bytes) in confusion_pictures(&judgement.confusion, &classifier.classes, &name)? {
        write(&name, &bytes)?;
    }
    if let Some(train) = train {
        let shots = pictures(&classifier, &found.answers(), (train, val.dataset()))?;
        let text = serde_json::to_vec(&shots).map_err(|error| RunError::Output(error.to_string()))?;
        write(PICTURES, &text)?;
    }
    Ok(classifier.network)
}

/// The plots and the best weights.
fn finish(
    run: &mut RunWriter,
    (saved, config): (&SavedRun, &FitConfig),
    (page, val): (Option<&Loader>, &Loader),
    outcome: wellfit_train::Outcome,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    let Some(best) = outcome.best.map(|place| outcome.epochs[place]) else {
        return Err(RunError::Diverged(format!(
            "the validation loss was NaN in each of {} epochs, so no weights are worth keeping: try a smaller \
             learning rate than {}",
            outcome.epochs.len(),
            config.lr
        )));
    };
    let (path, seconds) = (run.path().to_owned(), outcome.seconds);
    let data_wait_share = data_wait_share(&outcome.epochs);
    for notice in Notice::of_the_end(&outcome, data_wait_share) {
        observer.notice(&notice);
    }
    observer.notice(&Notice::SavingPlots);
    let plots = plots(&RunDir::open(&path)?)?;
    let mut left = vec![SHEET.to_owned(), trained_on::FILE.to_owned()];
    for (name, bytes) in plots.files(&[PictureFormat::Png, PictureFormat::Svg], false)? {
        run.write_file(&name, &bytes)?;
        left.push(name);
    }
    observer.notice(&Notice::SavingModel);
    let name = saved.info.model_file();
    let weights = to_safetensors_bytes(&model_file(&outcome.network, &config.metadata))
        .map_err(|error| RunError::Output(error.to_string()))?;
    run.write_file(&name, &weights)?;
    let model = path.join(&name);
    left.push(name);
    let wellfit_train::Outcome { epochs, stop, network, .. } = outcome;
    let network = judge(run, saved, (page, val), config.engine.clone(), network, &mut left)?;
    // The page is none of the files that belong to the run for good: `report` writes it anew, and a later version may do it
    // otherwise.
    if page.is_some() {
        run.write_file(REPORT, run_page(&RunReport::read(run.path())?)?.as_bytes())?;
    }
    // The run is finished once the record has this.
    let files = run.entries(&left)?;
    run.event(&Event::Files { files })?;
    observer.notice(&Notice::BestEpoch {
        epoch: best.epoch,
        epochs: epochs.len(),
        by: config.best,
        val_loss: best.val_loss(),
        val_accuracy: best.val_accuracy(),
    });
    observer.notice(&Notice::Complete { seconds, run: path.clone() });
    Ok(Outcome {
        run: path,
        data: String::new(),
        model,
        epochs,
        best,
        best_by: config.best,
        stop_reason: stop,
        seconds,
        data_wait_share,
        test_is_untouched: false,
        network,
    })
}
