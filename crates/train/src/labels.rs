//! What a classifier is to learn of a batch, whose images may be mixtures of two.

use crate::step::Objective;
use wellfit_data::Mixed;
use wellfit_kernels::loss::{CrossEntropy, Loss};

/// The classes of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// The class of each sample.
    pub own: Vec<u32>,
    /// What the samples were mixed with, if they were.
    pub mixed: Option<Mixed>,
}

impl Labels {
    /// For each sample the class that has the larger share in it: what a right answer is, where answers are counted.
    #[must_use]
    pub fn largest(&self) -> &[u32] {
        match &self.mixed {
            Some(mixed) if mixed.share < 0.5 => &mixed.labels,
            _ => &self.own,
        }
    }
}

/// Cross-entropy with the shares of both classes as the target, as `torch.nn.CrossEntropyLoss` with probabilities.
///
/// The loss is linear in the target, label smoothing included, so it is the same mixture of the losses for either class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MixedCrossEntropy(pub CrossEntropy);

impl Objective for MixedCrossEntropy {
    type Targets = Labels;

    fn loss(&self, outputs: &[f32], labels: &Labels, width: usize) -> Loss {
        let mut loss = self.0.loss(outputs, &labels.own, width);
        let Some(mixed) = &labels.mixed else { return loss };
        let other = self.0.loss(outputs, &mixed.labels, width);
        // With targets that are probabilities torch divides by the number of samples, not by their weights.
        let (of_own, of_other) = if self.0.class_weights.is_empty() {
            (1.0, 1.0)
        } else {
            let samples = labels.own.len() as f64;
            (self.0.total(&labels.own) / samples, self.0.total(&mixed.labels) / samples)
        };
        let mix =
            |own: f64, other: f64| mixed.share * (own * of_own) + (1.0 - mixed.share) * (other * of_other);
        for (own, other) in loss.gradient.iter_mut().zip(other.gradient.iter()) {
            *own = mix(f64::from(*own), f64::from(*other)) as f32;
        }
        loss.value = mix(loss.value, other.value);
        if mixed.share < 0.5 {
            loss.correct = other.correct;
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch 2.15: `cross_entropy(logits, 0.3 * one_hot([0, 1]) + 0.7 * one_hot([1, 0]), weight=[1, 2, 0.5],
    /// label_smoothing=0.1)`.
    #[test]
    fn mixed_targets_with_weights_are_divided_by_the_samples() {
        let class_weights = vec![1.0, 2.0, 0.5];
        let objective = MixedCrossEntropy(CrossEntropy {
            label_smoothing: 0.1,
            class_weights,
            ..CrossEntropy::default()
        });
        let labels = Labels { own: vec![0, 1], mixed: Some(Mixed { labels: vec![1, 0], share: 0.3 }) };
        let loss = objective.loss(&[1.0, -0.5, 0.25, 0.5, 2.0, -1.0], &labels, 3);
        assert!((loss.value - 2.113_693_6).abs() < 1e-6, "{}", loss.value);
        for (got, want) in loss.gradient.iter().zip([
            0.333_933_4,
            -0.554_981_3,
            0.221_047_9,
            -0.218_896_5,
            0.202_067_4,
            0.016_829_1,
        ]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    /// torch 2.15: `cross_entropy(logits, 0.3 * one_hot([0, 1]) + 0.7 * one_hot([1, 0]), label_smoothing=0.1)`.
    #[test]
    fn mixed_targets_are_probabilities() {
        let objective = MixedCrossEntropy(CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::default() });
        let outputs = [1.0, -0.5, 0.25, 0.5, 2.0, -1.0];
        let labels = Labels { own: vec![0, 1], mixed: Some(Mixed { labels: vec![1, 0], share: 0.3 }) };
        let loss = objective.loss(&outputs, &labels, 3);
        let gradient = [0.1432321, -0.2658659, 0.1226337, -0.2440215, 0.2411318, 0.0028896];
        assert!((loss.value - 1.4421436).abs() < 1e-6, "{}", loss.value);
        for (got, want) in loss.gradient.iter().zip(gradient) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
        assert_eq!(labels.largest(), [1, 0]);
    }
}
