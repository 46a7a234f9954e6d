//! The device that computes a network's passes: the processor (CPU), or another one.
//!
//! A network, its gradients and the optimiser stay in ordinary memory on any device. So everything around a step
//! (clipping, policies, checkpoints) works the same on all of them.

use crate::graph::Value;
use crate::{DropoutKey, Gradients, ModelError, Network, Tape};
use std::fmt::Debug;
use wellfit_kernels::Buffer;

/// A device that computes the forward and backward passes of a network.
pub trait Engine: Debug + Send + Sync {
    /// The device's name, as messages show it.
    fn name(&self) -> String;

    /// Whether the result for a sample has the same bits whatever else is in its batch. Only then can the features of a
    /// sample be cached and used in other batches.
    fn rows_are_independent(&self) -> bool;

    /// As [`Network::evaluate_from`]; the images are the value 0.
    ///
    /// # Errors
    /// When the device fails.
    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError>;

    /// As [`Network::forward_from`].
    ///
    /// # Errors
    /// As there, and when the device fails.
    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError>;
}

/// A training pass after its forward half: the outputs are computed, the gradients are not yet.
pub trait TrainingPass {
    /// The network's outputs, `[N, classes]`.
    fn outputs(&self) -> &[f32];

    /// As [`Network::backward`].
    ///
    /// # Errors
    /// When the device fails.
    fn backward(self: Box<Self>, network: &Network, outputs: Buffer) -> Result<Gradients, ModelError>;
}

/// The processor, by our own kernels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

impl Engine for Cpu {
    fn name(&self) -> String {
        "cpu".to_owned()
    }

    fn rows_are_independent(&self) -> bool {
        true
    }

    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        Ok(network.evaluate_from(value, cut))
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        Ok(Box::new(network.forward_from(value, cut, key)?))
    }
}

impl TrainingPass for Tape<'_> {
    fn outputs(&self) -> &[f32] {
        Tape::outputs(self)
    }

    fn backward(self: Box<Self>, network: &Network, outputs: Buffer) -> Result<Gradients, ModelError> {
        Ok(network.backward(*self, outputs))
    }
}
