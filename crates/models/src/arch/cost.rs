//! How large a network is and what an image costs, counted without memory for its weights.

use super::architecture;
use crate::ModelError;
use crate::graph::{Network, Shape};

/// Outputs of a network that is trained on ImageNet.
const IMAGENET_CLASSES: usize = 1000;
/// What networks without ImageNet weights are counted for: Fashion-MNIST's images and classes.
const SMALL: (Shape, usize) = (Shape { height: 28, width: 28, channels: 1 }, 10);

/// How large an architecture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The images it is counted for.
    pub input: Shape,
    /// The classes it is counted for.
    pub classes: usize,
    /// Weights, running statistics not counted.
    pub parameters: usize,
    /// Numbers that are kept of running statistics.
    pub statistics: usize,
    /// Multiplications, each with its addition, for one image ([`Network::multiply_adds`]).
    pub multiply_adds: u64,
}

impl Cost {
    /// Bytes of its weights and statistics in 32-bit numbers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<f32>() * (self.parameters + self.statistics)
    }
}

/// The size of an architecture as published for ImageNet; where nothing is, for Fashion-MNIST.
///
/// # Errors
/// For an unknown name.
pub fn cost(name: &str) -> Result<Cost, ModelError> {
    let architecture = architecture(name)?;
    let imagenet = |side| (Shape::image(side, side, 3), IMAGENET_CLASSES);
    let (input, classes) = architecture.image_size.map_or(SMALL, imagenet);
    let network = (architecture.build)(architecture, input, classes).without_values();
    let statistics = network.norms.iter().map(|norm| norm.mean.len() + norm.variance.len()).sum();
    Ok(Cost {
        input,
        classes,
        parameters: network.parameter_count(),
        statistics,
        multiply_adds: network.multiply_adds(),
    })
}

impl Network {
    /// Multiplications, each with its addition, of the convolutions and linear layers for one image: what torch's
    /// `FlopCounterMode` counts and torchvision lists as GFLOPS. The rest takes next to none.
    #[must_use]
    pub fn multiply_adds(&self) -> u64 {
        let products = self.nodes.iter().filter(|node| matches!(node.op.kind(), "conv" | "linear"));
        let weights = products.filter_map(|node| Some((node.parameters.first()?, node.shape.pixels())));
        weights.map(|(&place, pixels)| self.parameters[place].count() as u64 * pixels as u64).sum()
    }
}
