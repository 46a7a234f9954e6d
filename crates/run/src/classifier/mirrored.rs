//! Test-time augmentation: each image is also seen in a mirror.

use super::mean::Views;
use wellfit_kernels::Buffer;
use wellfit_models::{Engine, ModelError, Network};

/// The same images with left and right exchanged.
#[derive(Debug)]
pub(super) struct Mirrored;

impl Views for Mirrored {
    fn outputs(
        &self,
        engine: &dyn Engine,
        network: &Network,
        images: &[f32],
    ) -> Result<Vec<Buffer>, ModelError> {
        let (width, channels) = (network.input.width, network.input.channels);
        Ok(vec![engine.evaluate(network, &mirrored(images, width, channels), 0)?])
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
