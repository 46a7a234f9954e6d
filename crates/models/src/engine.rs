//! Who computes a network's passes: the processor, or another device.
//!
//! A network, its gradients and the optimiser stay in ordinary memory whoever computes, so that everything around
//! a step (clipping, policies, checkpoints) knows nothing of devices.

use crate::graph::Value;
use crate::{DropoutKey, Gradients, ModelError, Network, Tape};
use std::fmt::Debug;
use wellfit_kernels::Buffer;

/// Computes passes.
pub trait Engine: Debug + Send + Sync {
    /// The device, for people.
    fn name(&self) -> String;

    /// Whether what comes of a sample is the same to the bit whatever else is in its batch. Only then can a sample's
    /// features be kept for other batches.
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

/// A training pass on its way: the outputs are there, the gradients are not.
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
