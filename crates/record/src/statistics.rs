//! The lines of `statistics.jsonl`: what a training records for its diagnosis. Nothing else depends on them.

use serde::{Deserialize, Serialize};
use wellfit_base::number;

/// One line. `row` says which of them it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Statistics {
    /// What the others are about; the first line.
    Run(RunStatistics),
    /// A training step.
    Step(StepStatistics),
    /// An epoch.
    Epoch(EpochStatistics),
    /// A line of a later version.
    #[serde(other)]
    Unknown,
}

/// What does not change in a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunStatistics {
    /// The names of the layers' weights, from the input to the output: those of convolutions and linear layers.
    pub layers: Vec<String>,
    /// The names of the ReLUs.
    pub relus: Vec<String>,
    /// Training images of each class.
    pub train_images: Vec<u64>,
    /// Validation images of each class.
    pub val_images: Vec<u64>,
}

/// What is recorded of a training step. Lists have a number for each layer or ReLU of [`RunStatistics`]; none where the
/// layer is frozen, and in place of a number that is not finite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepStatistics {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The step, from 1, counted over all epochs.
    pub step: u64,
    /// The Euclidean norm of all gradients together, before they are clipped.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub grad_norm: Option<f64>,
    /// Whether they were clipped; none where nothing clips them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipped: Option<bool>,
    /// Where the step lands on its line: 0 in the minimum, 1 as high on the other side, -1 where it began (cockpit,
    /// Schneider et al. 2021).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The norm of each layer's weights, before the step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Option<f64>>,
    /// The norm of each layer's gradient, before it is clipped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gradients: Vec<Option<f64>>,
    /// The norm of what the step added to each layer's weights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Option<f64>>,
    /// The share of each ReLU's outputs that are 0 on the batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zeros: Vec<Option<f64>>,
    /// The share of each ReLU's units (channels) that are 0 for every image of the batch, everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<Option<f64>>,
}

/// What is recorded of an epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EpochStatistics {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The mean plain cross-entropy of the training images, while they were trained on; only where the loss is another.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub train_cross_entropy: Option<f64>,
    /// That of the validation images.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub val_cross_entropy: Option<f64>,
    /// The mean plain cross-entropy of training images that are judged as validation images are: evaluation mode, no
    /// augmentation; only in some epochs.
    #[serde(with = "number::option", skip_serializing_if = "Option::is_none")]
    pub train_eval_loss: Option<f64>,
    /// The share of right answers on these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_eval_accuracy: Option<f64>,
    /// How many these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_eval_images: Option<u64>,
    /// Right answers of each class in validation.
    pub val_right: Vec<u64>,
    /// The plain cross-entropy of single validation images, in their order; of evenly spaced ones where there are many.
    pub val_losses: Vec<Option<f64>>,
}

impl Statistics {
    /// The most validation images whose losses are recorded one by one.
    pub const MOST_LOSSES: usize = 2000;

    /// Whether it is still true of a run that goes on from a checkpoint of that epoch and step.
    pub(crate) fn stays_after_going_back_to(&self, epoch: u32, step: u64) -> bool {
        match self {
            Self::Step(row) => row.step <= step,
            Self::Epoch(row) => row.epoch <= epoch,
            Self::Run(_) | Self::Unknown => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_what_a_later_version_adds_is_left_out() {
        let step = StepStatistics { epoch: 1, step: 7, grad_norm: Some(f64::INFINITY), ..Default::default() };
        let text = serde_json::to_string(&Statistics::Step(step.clone())).unwrap();
        assert_eq!(text, r#"{"row":"step","epoch":1,"step":7,"grad_norm":"inf"}"#);
        assert_eq!(serde_json::from_str::<Statistics>(&text).unwrap(), Statistics::Step(step));
        let later: Statistics = serde_json::from_str(r#"{"row":"probe","of":[1]}"#).unwrap();
        assert_eq!(later, Statistics::Unknown);
        let more: Statistics = serde_json::from_str(r#"{"row":"epoch","epoch":2,"more":1}"#).unwrap();
        assert_eq!(more, Statistics::Epoch(EpochStatistics { epoch: 2, ..Default::default() }));
    }
}
