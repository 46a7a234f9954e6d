//! The answers of a pass as plain cross-entropies.

use super::digits::{finite, rounded};
use crate::labels::Labels;
use wellfit_kernels::loss::{argmax, cross_entropy};
use wellfit_record::{EpochStatistics, Statistics};

/// The mean plain cross-entropy of the images of a training pass; of an image that is mixed, that of both its classes by
/// their shares.
pub(crate) struct PlainLoss<'a> {
    pub sum: &'a mut f64,
    pub labels: &'a Labels,
}

impl PlainLoss<'_> {
    /// Add a batch's outputs `[N, classes]`.
    pub fn add(&mut self, outputs: &[f32]) {
        let width = (outputs.len() / self.labels.own.len().max(1)).max(1);
        let sum = |labels: &[u32]| -> f64 {
            outputs.chunks_exact(width).zip(labels).map(|(row, &label)| cross_entropy(row, label)).sum()
        };
        let own = sum(&self.labels.own);
        *self.sum += match &self.labels.mixed {
            Some(mixed) => mixed.share * own + (1.0 - mixed.share) * sum(&mixed.labels),
            None => own,
        };
    }
}

/// The answers of a validation pass.
#[derive(Debug)]
pub(crate) struct ValidationAnswers {
    /// Images of the pass, and how many are seen.
    images: usize,
    seen: usize,
    right: Vec<u64>,
    sum: f64,
    losses: Vec<Option<f64>>,
}

impl ValidationAnswers {
    /// Nothing yet, of so many images and classes.
    pub fn new(images: usize, classes: usize) -> Self {
        let losses = Vec::with_capacity(images.min(Statistics::MOST_LOSSES));
        Self { images, seen: 0, right: vec![0; classes], sum: 0.0, losses }
    }

    /// Add a batch: outputs `[N, classes]` and the class of each image.
    pub fn add(&mut self, outputs: &[f32], labels: &[u32]) {
        for (row, &label) in outputs.chunks_exact(self.right.len().max(1)).zip(labels) {
            let loss = cross_entropy(row, label);
            self.sum += loss;
            self.right[label as usize] += u64::from(argmax(row) == label as usize);
            if is_listed(self.seen, self.images) {
                self.losses.push(finite(loss));
            }
            self.seen += 1;
        }
    }

    /// What it found; the mean loss where the loss is `other` than this.
    pub fn line(self, epoch: u32, other: bool) -> EpochStatistics {
        let mean = self.sum / self.seen as f64;
        EpochStatistics {
            epoch,
            val_cross_entropy: other.then(|| rounded(mean)),
            val_right: self.right,
            val_losses: self.losses,
            ..EpochStatistics::default()
        }
    }
}

/// Whether the image at that place, from 0, of so many is among those that are listed: all, or evenly spaced ones.
pub(super) fn is_listed(place: usize, images: usize) -> bool {
    let most = Statistics::MOST_LOSSES.min(images);
    (place + 1) * most / images > place * most / images
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_data::Mixed;
    use wellfit_kernels::loss::CrossEntropy;

    #[test]
    fn images_are_listed_evenly() {
        let listed = |n: usize| (0..n).filter(|&place| is_listed(place, n)).count();
        assert_eq!([1, 7, 2000, 2001, 5000].map(listed), [1, 7, 2000, 2000, 2000]);
        let places: Vec<usize> = (0..5000).filter(|&place| is_listed(place, 5000)).take(4).collect();
        assert_eq!(places, [2, 4, 7, 9]);
    }

    #[test]
    fn classes_and_images_are_told_apart() {
        let mut answers = ValidationAnswers::new(3, 2);
        answers.add(&[2.0, 0.0, 0.0, 1.0], &[0, 0]);
        answers.add(&[f32::NAN, 1.0], &[1]);
        let line = answers.line(4, true);
        assert_eq!((line.epoch, line.val_right), (4, vec![1, 0]));
        let expected = [Some((1.0 + (-2.0_f64).exp()).ln()), Some((1.0 + 1.0_f64.exp()).ln()), None];
        for (found, expected) in line.val_losses.iter().zip(expected) {
            let (found, expected) = (found.unwrap_or(-1.0), expected.unwrap_or(-1.0));
            assert!((found - expected).abs() < 1e-3 * expected.abs(), "{found} {expected}: of four digits");
        }
        assert!(line.val_cross_entropy.unwrap().is_nan());
    }

    #[test]
    fn a_mixed_image_counts_for_both_its_classes() {
        let outputs = [1.0, -0.5, 0.25, 2.0];
        let labels = Labels { own: vec![0, 1], mixed: Some(Mixed { labels: vec![1, 1], share: 0.3 }) };
        let mut sum = 0.0;
        PlainLoss { sum: &mut sum, labels: &labels }.add(&outputs);
        let loss = |labels: &[u32]| 2.0 * CrossEntropy::default().loss(&outputs, labels, 2).value;
        assert!((sum - 0.3 * loss(&[0, 1]) - 0.7 * loss(&[1, 1])).abs() < 1e-12, "{sum}");
    }
}
