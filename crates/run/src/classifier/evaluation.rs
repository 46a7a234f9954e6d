//! Loss and accuracy of a classifier on labelled images.

use super::Classifier;
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
    /// For each class, its images and how many of them were classified rightly.
    pub classes: Vec<(usize, usize)>,
    /// Whether each image was classified rightly, in the dataset's order.
    pub right: Vec<bool>,
}

impl Classifier {
    /// Loss and accuracy on a dataset with the same classes, in batches of `batch_size`.
    ///
    /// # Errors
    /// If the classes are others, an image cannot be read, the device fails, or the observer interrupts.
    pub fn evaluate(
        &self,
        data: &Dataset,
        batch_size: usize,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation, RunError> {
        if data.classes != self.classes {
            return Err(RunError::Data(DataError::Invalid(format!(
                "the data have the classes {}, but the network was trained on {}: give data with the same classes",
                data.classes.join(", "),
                self.classes.join(", "),
            ))));
        }
        let options = LoaderOptions { batch_size, ..LoaderOptions::default() };
        let loader = Loader::new(data.clone(), self.preprocessing.clone(), Augmentations::none(), options)?;
        let outputs = self.classes.len();
        let mut classes: Vec<(usize, usize)> = data.class_counts().into_iter().map(|n| (n, 0)).collect();
        let loss = CrossEntropy::default();
        let mut answers = Vec::with_capacity(data.len());
        let average =
            evaluate(&*self.engine, &self.network, &loader, &loss, 0, observer, |logits, labels| {
                for (row, &label) in logits.chunks_exact(outputs).zip(labels) {
                    let right = argmax(row) == label as usize;
                    classes[label as usize].1 += usize::from(right);
                    answers.push(right);
                }
            })?;
        let (loss, accuracy) = (average.loss(), average.accuracy());
        Ok(Evaluation { images: data.len(), loss, accuracy, classes, right: answers })
    }
}
