//! Test-time augmentation: each image is also seen in a mirror.

use super::mean::mean_of_probabilities;
use std::sync::Arc;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Value;
use wellfit_models::{DropoutKey, Engine, ModelError, Network, TrainingPass};

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
            let mean = mean_of_probabilities(&[row, other]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_change_places_and_channels_do_not() {
        let images: Vec<f32> = (0..12).map(|value| value as f32).collect();
        assert_eq!(mirrored(&images, 2, 3), [3., 4., 5., 0., 1., 2., 9., 10., 11., 6., 7., 8.]);
        assert_eq!(mirrored(&mirrored(&images, 4, 1), 4, 1), images);
    }
}
