//! What is measured of a pass: the mean of each [`Quantity`] over its samples.
//!
//! A mean is one file here, with the sum of its values over a batch, a place in `SUMS`, and one line in
//! `wellfit_record::metric` with its name, unit and direction. What is no mean, such as macro-F1, is in `answers`.

mod accuracy;
mod answers;
mod loss;

pub(crate) use answers::Answers;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wellfit_kernels::loss::Loss;
use wellfit_record::{Metric, Phase, Quantity};

/// A batch's labels with the network's outputs and loss.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// The network's outputs, `[N, classes]`.
    pub outputs: &'a [f32],
    /// The class of each sample, `[N]`.
    pub labels: &'a [u32],
    /// The mean loss over the samples.
    pub loss: &'a Loss,
}

impl Scored<'_> {
    /// The outputs of each sample.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.outputs.chunks_exact((self.outputs.len() / self.labels.len().max(1)).max(1))
    }
}

/// What sums each of [`Quantity::MEANS`] over a batch.
const SUMS: [fn(&Scored<'_>) -> f64; Quantity::MEANS.len()] = [loss::sum, accuracy::sum];

/// The mean of each quantity over samples. A batch counts by its size: a short last batch weighs no more than its
/// samples do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>", into = "BTreeMap<String, f64>")]
pub struct Average {
    /// Samples seen.
    pub samples: usize,
    sums: [f64; Quantity::MEANS.len()],
}

impl Average {
    /// Adds a batch.
    pub fn add(&mut self, batch: &Scored<'_>) {
        self.samples += batch.labels.len();
        for (sum, of) in self.sums.iter_mut().zip(SUMS) {
            *sum += of(batch);
        }
    }

    /// The mean of one of [`Quantity::MEANS`]; NaN before any sample, and for the others.
    #[must_use]
    pub fn of(&self, quantity: Quantity) -> f64 {
        self.sums.get(quantity as usize).map_or(f64::NAN, |sum| sum / self.samples as f64)
    }

    /// The mean loss.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.of(Quantity::Loss)
    }

    /// The share of right answers.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.of(Quantity::Accuracy)
    }

    /// The same as the metrics of a phase.
    pub fn metrics(self, phase: Phase) -> impl Iterator<Item = (Metric, f64)> {
        Quantity::MEANS.into_iter().map(move |quantity| (Metric { phase, quantity }, self.of(quantity)))
    }
}

const SAMPLES: &str = "samples";

/// More samples than an epoch can have, and few enough to be counted on.
const MOST_SAMPLES: f64 = 1e12;

/// As checkpoints hold it.
impl From<Average> for BTreeMap<String, f64> {
    fn from(average: Average) -> Self {
        let sums = Quantity::MEANS.iter().zip(average.sums).map(|(quantity, sum)| (key(*quantity), sum));
        sums.chain([(SAMPLES.to_owned(), average.samples as f64)]).collect()
    }
}

impl TryFrom<BTreeMap<String, f64>> for Average {
    type Error = String;

    fn try_from(map: BTreeMap<String, f64>) -> Result<Self, String> {
        let find = |key: &str| map.get(key).copied().ok_or_else(|| format!("missing field `{key}`"));
        let samples = find(SAMPLES)?;
        if !(samples.fract() == 0.0 && (0.0..=MOST_SAMPLES).contains(&samples)) {
            return Err(format!("`{SAMPLES}` {samples} is no number of samples"));
        }
        let mut average = Self { samples: samples as usize, ..Self::default() };
        for (sum, quantity) in average.sums.iter_mut().zip(Quantity::MEANS) {
            // The first version's name of the sum of right answers.
            let old = (quantity == Quantity::Accuracy).then(|| map.get("correct")).flatten();
            *sum = old.copied().map_or_else(|| find(&key(quantity)), Ok)?;
        }
        Ok(average)
    }
}

fn key(quantity: Quantity) -> String {
    format!("{}_sum", quantity.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_kernels::loss::CrossEntropy;

    fn scored() -> Average {
        let (outputs, labels) = ([0.0, 1.0, 2.0, 1.0, 0.5, 0.25], [1, 0, 1]);
        let loss = CrossEntropy::default().loss(&outputs, &labels, 2);
        let mut average = Average::default();
        average.add(&Scored { outputs: &outputs, labels: &labels, loss: &loss });
        average
    }

    #[test]
    fn a_checkpoint_holds_all_of_an_average() {
        let average = scored();
        assert_eq!((average.samples, average.accuracy()), (3, 2.0 / 3.0));
        let json = serde_json::to_string(&average).unwrap();
        assert_eq!(serde_json::from_str::<Average>(&json).unwrap(), average);
        let names: Vec<&str> = average.metrics(Phase::Train).map(|(metric, _)| metric.name()).collect();
        assert_eq!(names, ["train_loss", "train_accuracy"]);
    }

    #[test]
    fn the_first_versions_checkpoints_are_read() {
        let average: Average = serde_json::from_str(r#"{"samples":4,"correct":3,"loss_sum":2.5}"#).unwrap();
        assert_eq!((average.samples, average.accuracy(), average.loss()), (4, 0.75, 0.625));
        let bad = serde_json::from_str::<Average>(r#"{"samples":4,"correct":3}"#).unwrap_err().to_string();
        assert!(bad.contains("loss_sum"), "{bad}");
    }
}
