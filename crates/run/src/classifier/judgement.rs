//! What a classifier's answers on labelled images say of it.

use super::Evaluation;
use wellfit_kernels::loss::argmax;
use wellfit_policy::classification::{
    Calibration, Confusion, Interval, auc_one_vs_rest, bootstrap_macro_f1, calibration, in_top, wilson,
};

/// The seed of the bootstrap: the same answers always have the same interval.
const SEED: u64 = 0;

/// Figures of a classifier's answers, with intervals of 95 %. Classes are the network's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Which class was taken for which.
    pub confusion: Confusion,
    /// Wilson's interval of the accuracy.
    pub accuracy: Interval,
    /// The mean F1 of the classes that occur.
    pub macro_f1: f64,
    /// Its interval, by the bootstrap.
    pub macro_f1_interval: Interval,
    /// The mean F1, each class counting by its images.
    pub weighted_f1: f64,
    /// The mean recall of the classes that have images.
    pub balanced_accuracy: f64,
    /// The area under the ROC curve, of more than two classes the mean of each against the others; NaN if not defined.
    pub auc: f64,
    /// The share of images whose class is among the five likeliest; none with up to five classes, where it is always 1.
    pub top5_accuracy: Option<f64>,
    /// Whether probabilities mean what they say.
    pub calibration: Calibration,
}

/// The answer to one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The place of the image in the dataset.
    pub image: usize,
    /// Its class, as an output of the network.
    pub class: u32,
    /// What it was taken for.
    pub predicted: u32,
    /// The probability of that.
    pub probability: f64,
    /// The probability of its class.
    pub of_class: f64,
    /// Its loss without label smoothing or weights of classes: the negative logarithm of `of_class`, in nats.
    pub loss: f64,
}

impl Evaluation {
    /// The network's outputs for each image.
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.logits.chunks_exact((self.logits.len() / self.labels.len().max(1)).max(1))
    }

    /// The answer to each image, in the dataset's order.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        let answer = |(image, (row, &class)): (usize, (&[f32], &u32))| {
            let logs = wellfit_policy::classification::log_softmax(row, 1.0);
            let (predicted, own) = (argmax(row), logs[class as usize]);
            let (probability, of_class) = (libm::exp(logs[predicted]), libm::exp(own));
            // Not `-own`: the loss of a certain answer is 0, not −0.
            Answer { image, class, predicted: predicted as u32, probability, of_class, loss: 0.0 - own }
        };
        self.rows().zip(&self.labels).enumerate().map(answer).collect()
    }

    /// All figures of the answers of a network with this many `classes`.
    #[must_use]
    pub fn judgement(&self, classes: usize) -> Judgement {
        let pairs: Vec<(u32, u32)> =
            self.labels.iter().copied().zip(self.rows().map(|row| argmax(row) as u32)).collect();
        let confusion = Confusion::of(classes, pairs.iter().copied());
        let hits = || self.rows().zip(&self.labels).filter(|(row, label)| in_top(row, **label, 5)).count();
        Judgement {
            accuracy: wilson(confusion.right(), confusion.samples()),
            macro_f1: confusion.macro_f1(),
            macro_f1_interval: bootstrap_macro_f1(&pairs, classes, SEED),
            weighted_f1: confusion.weighted_f1(),
            balanced_accuracy: confusion.balanced_accuracy(),
            auc: auc_one_vs_rest(&self.logits, &self.labels, classes),
            top5_accuracy: (classes > 5).then(|| hits() as f64 / self.labels.len() as f64),
            calibration: calibration(&self.logits, &self.labels, classes),
            confusion,
        }
    }
}
