//! Predictions for images, batch by batch.

use super::finite::Finite;
use super::{Classifier, Prediction};
use crate::error::RunError;
use rayon::prelude::*;
use std::path::Path;
use wellfit_data::{DataError, ImageRef};
use wellfit_images::RawImage;
use wellfit_models::DeviceState;

/// A classifier whose weights are where it computes, for one batch after the other.
#[derive(Debug)]
pub struct Predictor<'a> {
    classifier: &'a Classifier,
    state: Option<Box<dyn DeviceState>>,
}

impl Classifier {
    /// Make ready for many images.
    ///
    /// # Errors
    /// When the device fails.
    pub fn predictor(&self) -> Result<Predictor<'_>, RunError> {
        wellfit_simd::buffer::keep_idle(4);
        Ok(Predictor { classifier: self, state: self.engine.upload(&self.network)? })
    }

    /// Predictions for decoded images, computed in batches.
    ///
    /// # Errors
    /// When the device fails.
    pub fn predict(&self, images: &[RawImage]) -> Result<Vec<Prediction>, RunError> {
        let predictor = self.predictor()?;
        let mut predictions = Vec::with_capacity(images.len());
        for batch in images.chunks(Predictor::BATCH) {
            let inputs: Vec<Vec<f32>> = batch.par_iter().map(|image| self.input(image)).collect();
            predictions.extend(predictor.compute(&inputs)?);
        }
        Ok(predictions)
    }

    /// Predictions for image files. As many decoded images are in memory as there are threads.
    ///
    /// # Errors
    /// If a file is no image, or when the device fails.
    pub fn predict_files(&self, files: &[impl AsRef<Path> + Sync]) -> Result<Vec<Prediction>, RunError> {
        let predictor = self.predictor()?;
        let mut predictions = Vec::with_capacity(files.len());
        for batch in files.chunks(Predictor::BATCH) {
            predictions.extend(predictor.files(batch)?.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
        Ok(predictions)
    }

    /// The network's input `[H, W, C]` of an image.
    pub(super) fn input(&self, image: &RawImage) -> Vec<f32> {
        let mut input = vec![0.0; self.network.input.len()];
        self.preprocessing.apply(image, &mut input);
        input
    }
}

impl Predictor<'_> {
    /// How many images are computed at a time: a good number to give.
    pub const BATCH: usize = 32;

    /// Read and decode files on all threads, each once, and compute those that are images: of each file its prediction,
    /// or why it has none. All inputs are in memory at the same time, so give them in batches.
    ///
    /// # Errors
    /// When the device fails.
    pub fn files(
        &self,
        files: &[impl AsRef<Path> + Sync],
    ) -> Result<Vec<Result<Prediction, DataError>>, RunError> {
        let images: Vec<ImageRef> = files.iter().map(|file| file.as_ref().to_path_buf().into()).collect();
        self.images(&images)
    }

    /// The same for images wherever they lie.
    ///
    /// # Errors
    /// When the device fails.
    pub fn images(&self, images: &[ImageRef]) -> Result<Vec<Result<Prediction, DataError>>, RunError> {
        let depth = self.classifier.preprocessing.depth;
        let read = |image: &ImageRef| Ok(self.classifier.input(&image.decode(depth)?));
        let read: Vec<Result<Vec<f32>, DataError>> = images.par_iter().map(read).collect();
        let mut inputs = Vec::with_capacity(images.len());
        let outcomes: Vec<Result<(), DataError>> =
            read.into_iter().map(|input| input.map(|input| inputs.push(input))).collect();
        let mut predictions = self.compute(&inputs)?.into_iter();
        let with = |outcome: Result<(), DataError>| match outcome {
            Ok(()) => predictions.next().map(Ok),
            Err(problem) => Some(Err(problem)),
        };
        Ok(outcomes.into_iter().filter_map(with).collect())
    }

    /// Predictions for inputs, in batches.
    fn compute(&self, inputs: &[Vec<f32>]) -> Result<Vec<Prediction>, RunError> {
        let Classifier { network, engine, .. } = self.classifier;
        let mut predictions = Vec::with_capacity(inputs.len());
        let mut finite = Finite::default();
        for batch in inputs.chunks(Self::BATCH) {
            let batch = batch.concat();
            let logits = match &self.state {
                Some(state) => state.evaluate(network, &batch, 0)?,
                None => engine.evaluate(network, &batch, 0)?,
            };
            finite.count(&logits);
            predictions.extend(logits.chunks_exact(network.outputs()).map(Prediction::new));
        }
        finite.check(&network.name)?;
        Ok(predictions)
    }
}
