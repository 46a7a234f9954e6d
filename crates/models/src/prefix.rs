//! The frozen beginning of a network: what it makes of an image never changes while the rest trains.

use crate::network::{Network, Op, Value};
use wellfit_kernels::Buffer;

impl Network {
    /// The last value that training cannot change and on which alone, of all before it, the rest depends: the
    /// output of a frozen backbone. 0, the images, if the first node already trains, drops or normalises by batches.
    ///
    /// In a forward pass in training mode everything up to this value runs as in evaluation.
    #[must_use]
    pub fn frozen_prefix(&self) -> Value {
        let frozen = self.nodes.iter().take_while(|node| match node.op {
            Op::Dropout { .. } => false,
            Op::BatchNorm { norm, .. } if !self.norms[norm].frozen => false,
            _ => self.node_parameters(node).iter().all(|&p| !self.parameters[p].trainable),
        });
        let last = self.last_reader(&self.joined());
        // A cut is clean if no earlier value is read behind it; a BatchNorm layer also reads its convolution's input.
        (1..=frozen.count()).rev().find(|&cut| (0..cut).all(|value| last[value] < cut)).unwrap_or(0)
    }

    /// The value `cut` for `images` in evaluation mode, `[N, …]`: see [`Network::frozen_prefix`].
    #[must_use]
    pub fn features(&self, images: &[f32], cut: Value) -> Buffer {
        self.evaluate_nodes(images, 0..cut)
    }

    /// The outputs from the value `cut`: `evaluate_from(&features(images, cut), cut)` is `evaluate(images)` to the
    /// bit, for a `cut` from [`Network::frozen_prefix`].
    #[must_use]
    pub fn evaluate_from(&self, value: &[f32], cut: Value) -> Buffer {
        self.evaluate_nodes(value, cut..self.nodes.len())
    }
}
