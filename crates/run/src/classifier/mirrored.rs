//! Test-time augmentation: each image is also seen in a mirror.

use std::sync::Arc;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Value;
use wellfit_models::{DropoutKey, Engine, ModelError, Network, TrainingPass};
use wellfit_policy::classification::log_softmax;

/// An engine whose outputs are the logarithms of the mean of two probabilities: those of an image and of the same image
/// with left and right exchanged. Probabilities, not outputs, are averaged, so that a single certain answer does not
/// outweigh the other by the size of its outputs.
#[derive(Debug)]
pub(super) struct Mirrored(pub Arc<dyn Engine>);

impl Engine for Mirrored {
    fn name(&self) -> String {
        self.0.name()
    }

    fn rows_are_independent(&self) -> bool {
        self.0.rows_are_independent()
    }

    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        let mut outputs = self.0.evaluate(network, value, cut)?;
        // What lies behind the images has no left and right.
        if cut != 0 {
            return Ok(outputs);
        }
        let (width, channels) = (network.input.width, network.input.channels);
        let other = self.0.evaluate(network, &mirrored(value, width, channels), cut)?;
        let classes = network.outputs().max(1);
        for (row, other) in outputs.chunks_exact_mut(classes).zip(other.chunks_exact(classes)) {
            let mean = mean_of_probabilities(row, other);
            row.copy_from_slice(&mean);
        }
        Ok(outputs)
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        self.0.forward(network, value, cut, key)
    }
}

/// Images `[N, H, W, C]` with left and right exchanged.
fn mirrored(images: &[f32], width: usize, channels: usize) -> Vec<f32> {
    let line = |line: &[f32]| line.rchunks_exact(channels.max(1)).flatten().copied().collect::<Vec<f32>>();
    images.chunks_exact((width * channels).max(1)).flat_map(line).collect()
}

/// The logarithms of the mean of the probabilities of two rows of outputs. They are added as logarithms, so that small
/// ones stay numbers.
fn mean_of_probabilities(one: &[f32], other: &[f32]) -> Vec<f32> {
    let pairs = log_softmax(one, 1.0).into_iter().zip(log_softmax(other, 1.0));
    let mean = |(a, b): (f64, f64)| a.max(b) + ((-(a - b).abs()).exp() / 2.0 + 0.5).ln();
    pairs.map(|pair| mean(pair) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_change_places_and_channels_do_not() {
        let images: Vec<f32> = (0..12).map(|value| value as f32).collect();
        assert_eq!(mirrored(&images, 2, 3), [3., 4., 5., 0., 1., 2., 9., 10., 11., 6., 7., 8.]);
        assert_eq!(mirrored(&mirrored(&images, 4, 1), 4, 1), images);
    }

    #[test]
    fn probabilities_are_averaged() {
        let mean = mean_of_probabilities(&[0.25_f32.ln(), 0.75_f32.ln()], &[0.75_f32.ln(), 0.25_f32.ln()]);
        assert!(mean.iter().all(|log| (log.exp() - 0.5).abs() < 1e-6), "{mean:?}");
        // Far too small for a probability, but a number.
        let mean = mean_of_probabilities(&[0.0, -800.0], &[0.0, -900.0]);
        assert!(mean[0].abs() < 1e-6 && (mean[1] + 800.0 + 2.0_f32.ln()).abs() < 1e-3, "{mean:?}");
    }
}
