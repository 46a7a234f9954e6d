//! What a probe looks at: networks, the images that each was not trained on, and those it was.

use crate::classifier::Classifier;
use crate::error::RunError;
use crate::experiment::{Parts, divide, folds_of};
use crate::folds::folds_in;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::resume::{Changes, source_of};
use crate::saved::SavedRun;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_data::{DataError, Dataset, Splits};
use wellfit_record::{EpochRecord, RunDir, RunGroup};

/// A network and the images that judge it.
pub(super) struct Judge {
    pub classifier: Classifier,
    /// The places of its images in [`Material::judged`].
    pub places: Vec<u32>,
}

/// What is looked at.
pub(super) struct Material {
    /// The name of the data.
    pub name: String,
    pub batch_size: usize,
    /// All images with their parts: each is in one.
    pub parts: Vec<(&'static str, Dataset)>,
    /// The images of which there are answers out of sample, and which part they are.
    pub judged: (&'static str, Dataset),
    pub judges: Vec<Judge>,
    /// The best epoch; none of the runs of a cross-validation, which have one each.
    pub best: Option<EpochRecord>,
}

impl Material {
    /// Of a run, or of the runs of a cross-validation.
    pub fn of(path: &Path, observer: &mut dyn Observer) -> Result<Self, RunError> {
        match folds_in(path) {
            Some(_) => Self::of_folds(path, observer),
            None => Self::of_run(path, observer),
        }
    }

    fn of_run(path: &Path, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let classifier = Classifier::open(path)?;
        let saved = SavedRun::read(&run)?;
        let (source, splits) = opened(&run, &saved, observer)?;
        let spec = saved.options(&run)?.decide(source.kind(&splits.train))?;
        let parts = divide(splits, &spec, saved.source.validation, &mut ())?;
        if !saved.is_made_of(&parts) {
            return Err(changed(path, &source));
        }
        let Parts { name, train, validation, test } = parts;
        let places = (0..validation.len() as u32).collect();
        let test = test.map(|test| ("test", test));
        Ok(Self {
            name,
            batch_size: spec.batch_size,
            parts: [("train", train), ("val", validation.clone())].into_iter().chain(test).collect(),
            judged: ("val", validation),
            judges: vec![Judge { classifier, places }],
            best: run.outcome()?.best,
        })
    }

    fn of_folds(path: &Path, observer: &mut dyn Observer) -> Result<Self, RunError> {
        let first = RunDir::open(RunGroup::run(path, 1))?;
        let saved = SavedRun::read(&first)?;
        let (source, splits) = opened(&first, &saved, observer)?;
        let spec = saved.options(&first)?.decide(source.kind(&splits.train))?;
        if !saved.is_made_of(&divide(splits.clone(), &spec, saved.source.validation, &mut ())?) {
            return Err(changed(path, &source));
        }
        let Splits { name, train, val, test, .. } = splits;
        let folds = folds_of(&train, spec.folds.unwrap_or_default(), spec.split_seed())?;
        let mut judges = Vec::new();
        for (fold, places) in (1..).zip(folds) {
            judges.push(Judge { classifier: Classifier::open(&RunGroup::run(path, fold))?, places });
        }
        let others = [("val", val), ("test", test)].into_iter();
        let others = others.filter_map(|(name, part)| Some((name, part?)));
        Ok(Self {
            name,
            batch_size: spec.batch_size,
            parts: std::iter::once(("train", train.clone())).chain(others).collect(),
            judged: ("train", train),
            judges,
            best: None,
        })
    }

    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<&Dataset> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, data)| data)
    }

    /// The parts, borrowed.
    pub fn named(&self) -> Vec<(&'static str, &Dataset)> {
        self.parts.iter().map(|(name, data)| (*name, data)).collect()
    }
}

/// The data of a run, as it opened them.
fn opened(
    run: &RunDir,
    saved: &SavedRun,
    observer: &mut dyn Observer,
) -> Result<(DataSource, Splits), RunError> {
    let source = source_of(saved, &Changes::default());
    let options = saved.options(run)?;
    let (skip_bad, depth) = (options.skip_bad.unwrap_or_default(), options.depth.unwrap_or_default());
    let splits = source.open(skip_bad, depth, observer)?;
    Ok((source, splits))
}

fn changed(path: &Path, source: &DataSource) -> RunError {
    RunError::Data(DataError::Invalid(format!(
        "{} holds other images than {} was trained on, or in another order: what it learnt cannot be told from what it did not",
        source.data,
        path.shown()
    )))
}
