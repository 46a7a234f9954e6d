//! The device that computes a network's passes: the processor (CPU), or another one.
//!
//! [`Network`] and [`Optimizer`] in ordinary memory are what checkpoints are made of on any device. A device with a
//! memory of its own may hold a copy of both, a [`DeviceState`]: it trains the copy, and what it learned is copied
//! back when somebody asks for it.

use crate::graph::Value;
use crate::{DropoutKey, Gradients, ModelError, Network, Optimizer, Ready, Tape};
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

    /// Copy the network to the memory of the device, where it stays from one pass to the next. None where there is no
    /// other memory than the processor's.
    ///
    /// # Errors
    /// When the device fails.
    fn upload(&self, network: &Network) -> Result<Option<Box<dyn DeviceState>>, ModelError> {
        let _ = network;
        Ok(None)
    }

    /// What has been copied to the device and back since it was opened.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// Bytes copied between the processor's memory and a device's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// To the device.
    pub uploaded: u64,
    /// From the device.
    pub downloaded: u64,
}

/// A copy of a network and its optimiser's moments in the memory of a device, which trains it there.
///
/// Parameters, running statistics and moments are those of the device; of the `network` that the methods take only
/// what never changes is read (nodes, shapes, which parameters are trained). [`download`](Self::download) makes the
/// two equal again.
pub trait DeviceState: Debug + Send + Sync {
    /// As [`Engine::evaluate`], with the parameters and statistics on the device.
    ///
    /// # Errors
    /// When the device fails.
    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError>;

    /// The outputs `[N, classes]` of a training pass; see [`Network::forward_from`]. It moves the running statistics
    /// on the device, and counts the batch in `network`.
    ///
    /// # Errors
    /// As there, and when the device fails.
    fn forward(
        &mut self,
        network: &mut Network,
        value: &[f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Buffer, ModelError>;

    /// The gradients of the last forward pass, from that of its outputs. They stay on the device.
    ///
    /// # Errors
    /// When the device fails, or there was no forward pass before.
    fn backward(&mut self, network: &Network, outputs: &[f32]) -> Result<(), ModelError>;

    /// Clip the gradients of the last backward pass to the common norm `clip_norm`, and move the parameters with
    /// learning rate `lr`: [`Gradients::clip`] and [`Optimizer::update`] on the device. The moments are taken from
    /// `optimizer` the first time; its step is counted here.
    ///
    /// # Errors
    /// When the device fails, or there was no backward pass before.
    fn update(
        &mut self,
        network: &Network,
        optimizer: &mut Optimizer,
        clip_norm: Option<f64>,
        lr: f64,
    ) -> Result<(), ModelError>;

    /// Copy parameters, running statistics and moments back, unless nothing has changed since the last time.
    ///
    /// # Errors
    /// When the device fails.
    fn download(&mut self, network: &mut Network, optimizer: &mut Optimizer) -> Result<(), ModelError>;

    /// Wait until the device has done all that it was given so far. Only a measurement of time needs this.
    ///
    /// # Errors
    /// When the device has failed.
    fn wait(&self) -> Result<(), ModelError>;
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

    /// As [`Network::backward_each`]; an engine may hand out all gradients in the end.
    ///
    /// # Errors
    /// When the device fails.
    fn backward_each(
        self: Box<Self>,
        network: &Network,
        outputs: Buffer,
        ready: &mut Ready<'_>,
    ) -> Result<(), ModelError> {
        let Gradients(gradients) = self.backward(network, outputs)?;
        gradients.into_iter().enumerate().for_each(|(place, gradient)| {
            gradient.into_iter().for_each(|gradient| ready(place, gradient));
        });
        Ok(())
    }
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

    fn backward_each(
        self: Box<Self>,
        network: &Network,
        outputs: Buffer,
        ready: &mut Ready<'_>,
    ) -> Result<(), ModelError> {
        network.backward_each(*self, outputs, ready);
        Ok(())
    }
}
