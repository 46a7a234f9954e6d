//! The part of a network that training leaves as it is.

use super::{Network, Value};
use crate::plan::groups;

impl Network {
    /// Fix everything but the head (the last layer): its weights no longer change, its BatchNorm layers use
    /// and keep their running statistics. Fixing the weights alone would leave BatchNorm following the
    /// batches.
    pub fn freeze_backbone(&mut self) {
        let head = self.head();
        self.parameters.iter_mut().for_each(|p| p.trainable = p.name.starts_with(&head));
        self.norms.iter_mut().for_each(|norm| norm.frozen = true);
    }

    /// Let everything train again, BatchNorm's statistics included.
    pub fn unfreeze(&mut self) {
        self.parameters.iter_mut().for_each(|p| p.trainable = true);
        self.norms.iter_mut().for_each(|norm| norm.frozen = false);
    }

    /// Let all layers but the head learn at `factor` times the learning rate: discriminative rates in two groups (Howard
    /// and Ruder 2018, arXiv:1801.06146), as two parameter groups of a torch optimiser.
    pub fn slow_backbone(&mut self, factor: f64) {
        let head = self.head();
        let backbone = self.parameters.iter_mut().filter(|p| !p.name.starts_with(&head));
        backbone.for_each(|p| p.lr_factor = factor);
    }

    /// The output of a frozen backbone: the last value that training cannot change, where the rest of the network reads
    /// no earlier value. 0, the images, if the first node already trains, uses dropout or normalises by the batch.
    ///
    /// In a forward pass in training mode everything up to this value runs as in evaluation.
    #[must_use]
    pub fn frozen_prefix(&self) -> Value {
        let frozen = self.nodes.iter().take_while(|node| {
            !node.op.is_random()
                && self.norm(node).is_none_or(|norm| norm.frozen)
                && node.parameters.iter().all(|&p| !self.parameters[p].trainable)
        });
        let last = self.last_reader();
        let groups = groups(self);
        // A cut is possible if no earlier value is read after it, and if it does not separate nodes that run together.
        let clean = |cut: Value| {
            (0..cut).all(|value| last[value] < cut)
                && groups.iter().all(|group| group.first() >= cut || group.last() < cut)
        };
        (1..=frozen.count()).rev().find(|&cut| clean(cut)).unwrap_or(0)
    }
}
