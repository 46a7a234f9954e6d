//! Classifiers in 8-bit integers.

use super::weights::{check, input, outputs};
use super::{Classifier, weight_file};
use crate::error::RunError;
use crate::experiment::divide;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::saved::SavedRun;
use crate::weights_name::is_name;
use std::path::Path;
use std::sync::Arc;
use wellfit_base::Shown;
use wellfit_data::{Augmentations, DataError, Dataset, Depth, Loader, LoaderOptions, Preprocessing};
use wellfit_models::build;
use wellfit_models::int8::{Calibration, Quantised};
use wellfit_record::RunDir;
use wellfit_weights::WeightFile;

/// Images that are watched to find the ranges of values: some millions of numbers for each.
pub const CALIBRATION_IMAGES: usize = 256;
/// Of them, at a time.
const BATCH: usize = 32;

impl Classifier {
    /// The same classifier in 8-bit integers, with ranges from some of `images`, spread evenly over them. The images
    /// should be those it was trained on: see [`training_images`].
    ///
    /// # Errors
    /// If it is in integers already, or computed by another device; if an image cannot be read, or the network gives
    /// numbers that are not finite.
    pub fn quantise(&self, images: &Dataset, observer: &mut dyn Observer) -> Result<Self, RunError> {
        if self.quantised.is_some() {
            return Err(RunError::Unusable("the network is in int8 already".to_owned()));
        }
        self.refuse_ensemble("int8")?;
        let count = images.len().min(CALIBRATION_IMAGES);
        observer.notice(&Notice::Calibrating { count, images: images.len() });
        let places: Vec<u32> = (0..count).map(|i| (i * images.len() / count) as u32).collect();
        let options = LoaderOptions { batch_size: BATCH, ..LoaderOptions::default() };
        let some = images.subset(&places);
        let loader = Loader::new(some, self.preprocessing.clone(), Augmentations::none(), options)?;
        let mut calibration = Calibration::new(&self.network);
        for batch in loader.epoch(0) {
            calibration.watch(&self.network, &batch?.images)?;
        }
        let quantised = Quantised::new(&self.network, &calibration.ranges(&self.network)?)?;
        Ok(Self::in_int8(quantised, self.classes.clone(), self.preprocessing.clone()))
    }

    /// The network in 8-bit integers, if it is.
    #[must_use]
    pub fn int8(&self) -> Option<&Quantised> {
        self.quantised.as_deref()
    }

    /// The network in 8-bit integers with classes and preprocessing, as a file; none if it is in floats.
    #[must_use]
    pub fn int8_file(&self) -> Option<WeightFile> {
        Some(self.description().int8_file(self.int8()?))
    }

    fn in_int8(quantised: Quantised, classes: Vec<String>, preprocessing: Preprocessing) -> Self {
        let (network, quantised) = (quantised.outline(), Arc::new(quantised));
        let engine = quantised.clone();
        Self { engine, quantised: Some(quantised), ..Self::alone(network, classes, preprocessing) }
    }

    /// What [`Classifier::int8_file`] gave.
    pub(super) fn of_int8_file(
        path: &Path,
        file: &WeightFile,
        model: &str,
        classes: Option<Vec<String>>,
        preprocessing: Preprocessing,
    ) -> Result<Self, RunError> {
        check(&preprocessing)
            .map_err(|problem| RunError::Model(format!("{}: transform: {problem}", path.shown())))?;
        let count = outputs(model, file, path, &preprocessing)?;
        super::weights::check_room(model, file, path, input(&preprocessing), count)?;
        let network = build(model, input(&preprocessing), count)?;
        let quantised = Quantised::load(network, file).map_err(|error| RunError::weights(path, &error))?;
        let classes = super::class_names(classes, count, false, path)?;
        Ok(Self::in_int8(quantised, classes, preprocessing))
    }
}

/// The images to calibrate a network with that reads grey files at this `depth`: the training part of `given`, or else what the run in `path` was trained on.
///
/// # Errors
/// If `path` is no run and nothing is given, or the images cannot be found or are no longer those of the run.
pub fn training_images(
    path: &Path,
    given: Option<&DataSource>,
    depth: Depth,
    observer: &mut dyn Observer,
) -> Result<Dataset, RunError> {
    if weight_file(path).is_some() || is_name(path) {
        let Some(source) = given else {
            return Err(RunError::Unusable(format!(
                "{} does not say what it was trained on: give the training images with `calibrate`",
                path.shown()
            )));
        };
        return Ok(source.open(false, depth, observer)?.train);
    }
    let run = RunDir::open(path)?;
    let saved = SavedRun::read(&run)?;
    let own = DataSource {
        data: saved.source.data.clone(),
        dir: saved.source.data_dir.clone(),
        validation: saved.source.validation,
        columns: saved.source.columns.clone(),
    };
    let gone = |problem: String| {
        RunError::Data(DataError::Invalid(format!(
            "{}: its training images are needed to calibrate int8, but {problem}. Say where they are with `calibrate`",
            path.shown()
        )))
    };
    let options = saved.options(&run)?;
    let skip_bad = options.skip_bad.unwrap_or_default();
    let source = given.unwrap_or(&own);
    let opened = source.open(skip_bad, depth, observer);
    let splits = match given {
        Some(_) => opened?,
        None => opened.map_err(|error| gone(error.to_string()))?,
    };
    let spec = options.decide(source.kind(&splits.train))?;
    let train = divide(splits, &spec, saved.source.validation, &mut ())?.train;
    if given.is_none() && train.fingerprint()? != saved.info.data.fingerprint {
        return Err(gone(format!("{} holds others now, or in another order", own.data)));
    }
    Ok(train)
}
