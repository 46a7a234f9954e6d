//! What was measured, and what is said of it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a technique does to the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It makes the metric better.
    Helps,
    /// It makes the metric worse.
    Hurts,
    /// Whatever it does is less than what matters.
    NoDifferenceThatMatters,
    /// The pairs do not tell.
    NoEvidence,
    /// Both arms of every pair are the same to the bit: the switch does nothing.
    IdenticalBits,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Helps => "helps",
            Self::Hurts => "hurts",
            Self::NoDifferenceThatMatters => "no-difference-that-matters",
            Self::NoEvidence => "no-evidence",
            Self::IdenticalBits => "identical-bits",
        })
    }
}

/// What the technique costs more than the baseline, a pair; negative where it saves.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Epochs.
    pub epochs: f64,
    /// Seconds.
    pub seconds: f64,
    /// Images trained on.
    pub images: f64,
}

/// A finished pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairResult {
    /// The metric without the technique.
    pub baseline: f64,
    /// The metric with it.
    pub treated: f64,
    /// Whether both arms ended with the same weights, to the bit.
    pub same_bits: bool,
    /// For each judged image, the metric of the treated arm minus that of the baseline, images in the same order in every pair;
    /// none if the metric is no mean over images.
    pub per_image: Option<Vec<f64>>,
    /// What the treated arm cost more.
    pub cost: Cost,
}

impl PairResult {
    /// Whether the switch did nothing: the same weights, and the same result of them.
    #[must_use]
    pub fn is_identical(&self) -> bool {
        self.same_bits && self.baseline == self.treated
    }
}

/// The finished pairs of a technique, or of a declared contrast, in the order of their seeds and without gaps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Its name, one of [`Design::judged`](crate::Design::judged).
    pub name: String,
    /// The pairs.
    pub pairs: Vec<PairResult>,
}

/// What is said of a technique.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The mean of treated minus baseline, in the metric's unit.
    pub mean_difference: f64,
    /// Where the mean difference lies on these images; all techniques' intervals together hold with confidence 1 - α. None if it
    /// could be anywhere, as after a single pair.
    pub interval: Option<[f64; 2]>,
    /// The same with new images and new seeds; None also where results of single images are missing.
    pub interval_new_images: Option<[f64; 2]>,
    /// The exact sign-flip p-value, where all pairs of a fixed number are there; after a look it means nothing and is None.
    pub p: Option<f64>,
    /// The e-value; the verdict of a trial until sure is by e ≥ k/α.
    pub e: f64,
    /// With no evidence, the pairs more that a verdict needs; None if more than anyone will train, or not needed.
    pub more_seeds: Option<usize>,
    /// The mean cost of the technique, a pair.
    pub cost: Cost,
    /// What the verdict of a fixed number goes by: the larger of the p-values of the sign-flip test and of the t test, adjusted
    /// by Holm for all techniques; found if at most α.
    pub adjusted_p: Option<f64>,
    /// The pairs that the verdict is of.
    pub pairs: usize,
    /// Seeds at which it was better.
    pub won: usize,
    /// Seeds at which it was worse.
    pub lost: usize,
    /// Seeds at which it was neither.
    pub tied: usize,
    /// The correlation of the two arms over the seeds, where there is one.
    pub correlation: Option<f64>,
    /// How many times the runs an unpaired comparison would have needed, where that is finite.
    pub saving: Option<f64>,
}

/// The result of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The trial.
    pub trial: String,
    /// The pairs that are finished, those of the technique with the most.
    pub pairs: usize,
    /// What is said of each technique.
    pub techniques: Vec<Judged>,
}
