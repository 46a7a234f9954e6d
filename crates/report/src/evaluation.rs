//! The figures of a run's best weights: `evaluation.json`, as far as the page shows them.

use serde::Deserialize;

/// The name of the file in the run's directory.
pub const EVALUATION: &str = "evaluation.json";

/// Figures of the answers to a part of the data. A figure that is not defined is none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Evaluation {
    /// The part of the data: `val` or `test`.
    pub part: String,
    /// How many images.
    pub images: u64,
    /// The mean loss, in nats.
    pub loss: Option<f64>,
    /// The share of right answers.
    pub accuracy: Option<f64>,
    /// Wilson's interval of it, of 95 %.
    pub accuracy_interval_95: Option<[Option<f64>; 2]>,
    /// The mean F1 of the classes.
    pub macro_f1: Option<f64>,
    /// Its interval, by the bootstrap.
    pub macro_f1_interval_95: Option<[Option<f64>; 2]>,
    /// The mean recall of the classes.
    pub balanced_accuracy: Option<f64>,
    /// The area under the ROC curve.
    pub auc: Option<f64>,
    /// The share of images whose class is among the five likeliest.
    pub top5_accuracy: Option<f64>,
    /// The classes that have images or were answered.
    pub classes: Vec<ClassFigures>,
    /// Pairs of classes that were confused, the most frequent first.
    pub confused: Vec<Confused>,
    /// Rows are classes, columns what their images were taken for; none with very many classes.
    pub confusion_matrix: Option<Vec<Vec<u64>>>,
    /// The classes of the matrix.
    pub class_names: Vec<String>,
    /// Whether probabilities mean what they say.
    pub calibration: Calibration,
}

/// Figures of a class.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// Its images.
    pub images: u64,
    /// Images that were taken for it.
    pub predicted: u64,
    /// Its images that were answered rightly.
    pub right: u64,
    /// The share of right answers among those that named it.
    pub precision: f64,
    /// The share of its images that were answered rightly.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// How often one class was taken for another.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Confused {
    /// The class of the images.
    pub class: String,
    /// What they were taken for.
    pub predicted: String,
    /// How many.
    pub images: u64,
}

/// Whether probabilities mean what they say.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Calibration {
    /// The expected calibration error.
    pub ece: Option<f64>,
    /// The temperature that would make it least.
    pub temperature: Option<f64>,
    /// The error with that temperature.
    pub ece_with_temperature: Option<f64>,
}
