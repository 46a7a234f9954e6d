//! Loss and accuracy of a classifier on labelled images.

use super::Classifier;
use super::class_names::outputs_of;
use super::finite::Finite;
use crate::error::RunError;
use crate::observer::Observer;
use wellfit_data::{Augmentations, DataError, Dataset, Loader, LoaderOptions};
use wellfit_kernels::loss::{CrossEntropy, argmax};
use wellfit_train::evaluate;

/// Loss and accuracy of a classifier on labelled images.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Images seen.
    pub images: usize,
    /// The mean loss, in nats.
    pub loss: f64,
    /// The share of right answers.
    pub accuracy: f64,
    /// For each class of the data, its images and how many of them were classified rightly.
    pub classes: Vec<(usize, usize)>,
    /// Whether each image was classified rightly, in the dataset's order.
    pub right: Vec<bool>,
    /// The network's outputs for each image, in the dataset's order: `[N, outputs]`.
    pub logits: Vec<f32>,
    /// The class of each image as an output of the network, `[N]`.
    pub labels: Vec<u32>,
}

impl Classifier {
    /// Loss and accuracy on a dataset, in batches of `batch_size`. Its classes are found by name: they may be some of the
    /// network's only, in any order.
    ///
    /// # Errors
    /// If the network does not know a class that has images, an image cannot be read, the device fails, the network gives
    /// what is no number, or the observer interrupts.
    pub fn evaluate(
        &self,
        data: &Dataset,
        batch_size: usize,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation, RunError> {
        let counts = data.class_counts();
        let outputs = outputs_of(&data.classes, &counts, &self.classes)
            .map_err(|problem| RunError::Data(DataError::Invalid(problem)))?;
        let mut as_outputs = data.clone();
        as_outputs.classes.clone_from(&self.classes);
        as_outputs.labels.iter_mut().for_each(|label| *label = outputs[*label as usize]);
        let options = LoaderOptions { batch_size, ..LoaderOptions::default() };
        let loader = Loader::new(as_outputs, self.preprocessing.clone(), Augmentations::none(), options)?;
        let found = self.evaluate_batches(&loader, observer)?;
        let mut classes: Vec<(usize, usize)> = counts.into_iter().map(|images| (images, 0)).collect();
        for (&class, &right) in data.labels.iter().zip(&found.right) {
            classes[class as usize].1 += usize::from(right);
        }
        Ok(Evaluation { classes, ..found })
    }

    /// The same of batches whose labels are the network's outputs, in the dataset's order.
    pub(crate) fn evaluate_batches(
        &self,
        loader: &Loader,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation, RunError> {
        let data = loader.dataset();
        let counts = data.class_counts();
        let mut classes: Vec<(usize, usize)> = counts.into_iter().map(|images| (images, 0)).collect();
        let mut finite = Finite::default();
        let loss = CrossEntropy::default();
        let mut answers = Vec::with_capacity(data.len());
        let (mut all_logits, mut all_labels) = (Vec::new(), Vec::with_capacity(data.len()));
        let average =
            evaluate(&*self.engine, &self.network, loader, &loss, 0, observer, |logits, labels| {
                finite.count(logits);
                all_logits.extend_from_slice(logits);
                all_labels.extend_from_slice(labels);
                for (row, &output) in logits.chunks_exact(self.classes.len()).zip(labels) {
                    let right = argmax(row) == output as usize;
                    classes[output as usize].1 += usize::from(right);
                    answers.push(right);
                }
            })?;
        finite.check(&self.network.name)?;
        let (loss, accuracy) = (average.loss(), average.accuracy());
        let (images, right, logits, labels) = (data.len(), answers, all_logits, all_labels);
        Ok(Evaluation { images, loss, accuracy, classes, right, logits, labels })
    }
}
