//! Cross-validation: a run for each fold of the training images, in one directory.

use crate::classifier::{Classifier, Evaluation};
use crate::error::RunError;
use crate::experiment::{Experiment, folds_of};
use crate::member::{Quiet, State, state};
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::{Options, RunSpec};
use crate::resume::{Changes, RUNS, changed, source_of};
use crate::saved::SavedRun;
use crate::training::Destination;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::Shown;
use wellfit_data::Dataset;
use wellfit_models::Engine;
use wellfit_record::{EpochRecord, RunDir, RunGroup, list_runs};

/// The file that says that a cross-validation is complete; its caller writes it last.
const PREDICTIONS: &str = "predictions.csv";

/// A finished cross-validation.
#[derive(Debug)]
pub struct CrossValidation {
    /// The directory, in which each run is.
    pub group: RunGroup,
    /// The name of the data.
    pub name: String,
    /// The folds in their order.
    pub folds: Vec<FoldResult>,
    /// All images of the folds, in the order of the data.
    pub images: Dataset,
    /// The answer to each image by the network that was not trained on it.
    pub out_of_fold: Evaluation,
    /// The networks together.
    pub ensemble: Classifier,
    /// Whether the data have a part that no fold has seen.
    pub rest_is_untouched: bool,
}

/// The run of a fold.
#[derive(Debug)]
pub struct FoldResult {
    /// Its directory.
    pub run: PathBuf,
    /// The images it was validated on.
    pub images: usize,
    /// How many epochs it has.
    pub epochs: u32,
    /// Its best epoch, whose weights were kept.
    pub best: EpochRecord,
    /// Loss and share of right answers of these weights on the fold.
    pub loss: f64,
    /// The share of right answers.
    pub accuracy: f64,
    /// Seconds of computing.
    pub seconds: f64,
}

/// Train a classifier for each fold, as [`train`](crate::train()) does, in the directories `fold-1`, `fold-2`, … of one, and
/// let each answer the images it was not trained on. With `resume`, a cross-validation of the same settings and data that is
/// not complete goes on: the one in `out`, or else the newest among `runs/`. It ends with the bits of an uninterrupted one.
///
/// # Errors
/// As [`train`](crate::train()), and if a fold's run is another's.
pub fn cross_validate(
    options: &Options,
    source: &DataSource,
    out: &Destination,
    resume: bool,
    observer: &mut dyn Observer,
) -> Result<CrossValidation, RunError> {
    let of = |fold| Options { fold: Some(Some(fold)), ..options.clone() };
    let mut first = Experiment::prepare(&of(1), source, observer)?;
    let (spec, engine) = (first.spec.clone(), first.engine.clone());
    let folds = spec.folds.unwrap_or_default();
    let there = if resume { unfinished(&first, out.dir.as_deref())? } else { None };
    let mut group = match &there {
        Some(dir) => RunGroup::resume(dir)?,
        None => {
            if resume {
                let place = out.dir.clone().unwrap_or_else(|| RUNS.into());
                observer.notice(&Notice::NothingToResume { place });
            }
            // An error of the settings must not cost what `force` replaces.
            first.make_ready(observer)?;
            let hint = format!("{}-{}-folds", first.parts.name, spec.model);
            RunGroup::create(out.dir.as_deref(), &hint, out.force)?
        }
    };
    let mut waiting = Some((first, there.is_none()));
    for fold in 1..=folds {
        let dir = group.place_of(fold);
        let (experiment, ready) = match waiting.take() {
            Some(first) => first,
            None => (Experiment::prepare(&of(fold), source, &mut Quiet(observer))?, false),
        };
        let state = state(&dir, &experiment)?;
        observer.notice(&Notice::Fold { fold, folds, finished: matches!(state, State::Finished) });
        match state {
            State::Finished => {}
            State::Unfinished(run) => drop(run.resume(experiment, observer)?),
            State::Absent => {
                // Whatever of a run is there was cut off before it was one.
                let out = Destination { dir: Some(dir), force: true, command: out.command.clone() };
                let mut experiment = experiment;
                if !ready {
                    experiment.make_ready(observer)?;
                }
                let (run, saved) = experiment.make_run(&out)?;
                drop(experiment.train_in(group.begin_with(run)?, &saved, observer)?);
            }
        }
    }
    finish(group, source, (&spec, &engine), observer)
}

/// Continue the cross-validation in `dir`, with the settings and the data of its first fold. None if it is complete.
///
/// # Errors
/// If other settings are given than it has, and as [`cross_validate`].
pub fn resume_folds(
    dir: &Path,
    changes: &Changes,
    command: &str,
    observer: &mut dyn Observer,
) -> Result<Option<CrossValidation>, RunError> {
    let run = RunDir::open(RunGroup::run(dir, 1))?;
    let saved = SavedRun::read(&run)?;
    if changes.options.epochs.is_some() {
        let problem = "the folds of a cross-validation all have as many `epochs`: begin another one, or resume one of \
                       its runs";
        return Err(RunError::setting("epochs", problem.to_owned()));
    }
    if dir.join(PREDICTIONS).is_file() {
        return Ok(None);
    }
    let options = Options { fold: None, ..changed(&saved.options(&run)?, &changes.options, dir)? };
    let source = source_of(&saved, changes);
    let out = Destination { dir: Some(dir.to_path_buf()), force: false, command: command.to_owned() };
    cross_validate(&options, &source, &out, true, observer).map(Some)
}

/// The newest cross-validation with these settings and data that is not complete.
fn unfinished(first: &Experiment, dir: Option<&Path>) -> Result<Option<PathBuf>, RunError> {
    let dirs: Vec<PathBuf> = match dir {
        Some(dir) => vec![dir.to_path_buf()],
        None if Path::new(RUNS).is_dir() => {
            list_runs(Path::new(RUNS))?.into_iter().map(|run| run.path).collect()
        }
        None => Vec::new(),
    };
    let fits = |dir: &PathBuf| {
        RunGroup::settle(dir).ok()?;
        let run = RunDir::open(RunGroup::run(dir, 1)).ok()?;
        let saved = SavedRun::read(&run).ok()?;
        let open = saved.is_of(first) && !dir.join(PREDICTIONS).is_file();
        open.then_some((run.sequence(), saved.info.created))
    };
    let found = dirs.into_iter().filter_map(|dir| Some((fits(&dir)?, dir)));
    Ok(found.max().map(|(_, dir)| dir))
}

/// The results of the runs, and their answers to the images they were not trained on.
fn finish(
    group: RunGroup,
    source: &DataSource,
    (spec, engine): (&RunSpec, &Arc<dyn Engine>),
    observer: &mut dyn Observer,
) -> Result<CrossValidation, RunError> {
    let splits = source.open(spec.skip_bad, spec.depth, &mut ())?;
    let places = folds_of(&splits.train, spec.folds.unwrap_or_default(), spec.split_seed())?;
    let (mut folds, mut answers) = (Vec::new(), Vec::new());
    for (fold, places) in (1..).zip(&places) {
        let run = RunGroup::run(group.path(), fold);
        let classifier = Classifier::open(&run)?.on(engine.clone());
        let found = classifier.evaluate(&splits.train.subset(places), spec.batch_size, observer)?;
        folds.push(result(run, &found)?);
        answers.push(found);
    }
    let out_of_fold = pooled(&answers, &places, splits.train.classes.len());
    let ensemble = Classifier::open(group.path())?.on(engine.clone());
    Ok(CrossValidation {
        name: splits.name,
        folds,
        out_of_fold,
        ensemble,
        rest_is_untouched: splits.val.is_some() || splits.test.is_some(),
        images: splits.train,
        group,
    })
}

fn result(run: PathBuf, found: &Evaluation) -> Result<FoldResult, RunError> {
    let outcome = RunDir::open(&run)?.outcome()?;
    let best = outcome.best.ok_or_else(|| RunError::Output(format!("{}: no best epoch", run.shown())))?;
    let (epochs, seconds) = (outcome.epochs, outcome.seconds);
    let (images, loss, accuracy) = (found.images, found.loss, found.accuracy);
    Ok(FoldResult { run, images, epochs, best, loss, accuracy, seconds })
}

/// The answers of all folds, in the order of the images, which are at `places` for each fold.
fn pooled(folds: &[Evaluation], places: &[Vec<u32>], classes: usize) -> Evaluation {
    let images: usize = folds.iter().map(|found| found.images).sum();
    let mut order: Vec<(u32, usize, usize)> = Vec::with_capacity(images);
    for (fold, places) in places.iter().enumerate() {
        order.extend(places.iter().enumerate().map(|(row, &place)| (place, fold, row)));
    }
    order.sort_unstable();
    let mean = |of: fn(&Evaluation) -> f64| {
        folds.iter().map(|found| of(found) * found.images as f64).sum::<f64>() / images as f64
    };
    let mut all = Evaluation {
        images,
        loss: mean(|found| found.loss),
        accuracy: 0.0,
        classes: vec![(0, 0); classes],
        right: Vec::with_capacity(images),
        logits: Vec::new(),
        labels: Vec::with_capacity(images),
    };
    for (_, fold, row) in order {
        let found = &folds[fold];
        let width = found.logits.len() / found.images.max(1);
        all.right.push(found.right[row]);
        all.labels.push(found.labels[row]);
        all.logits.extend_from_slice(&found.logits[row * width..(row + 1) * width]);
    }
    for found in folds {
        for (sum, (images, right)) in all.classes.iter_mut().zip(&found.classes) {
            *sum = (sum.0 + images, sum.1 + right);
        }
    }
    let right = all.right.iter().filter(|right| **right).count();
    all.accuracy = right as f64 / images.max(1) as f64;
    all
}
