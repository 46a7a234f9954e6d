//! A GPU against the processor.
//!
//! Built with the feature `wgpu`, it needs Vulkan, which may be Mesa's software renderer (Debian's
//! `mesa-vulkan-drivers`); with `cuda` alone, an NVIDIA GPU. It fails where there is none.
//!
//! * `passes` single passes
//! * `state` a network that stays on the device
//!
//! The tolerances are shares of a tensor's norm. Both sides sum in f32 but in different orders: on lavapipe outputs
//! are up to 8e-6 apart, gradients up to 3e-5.

#![cfg(feature = "burn")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod passes;
mod state;

use std::sync::{Arc, LazyLock};
use wellfit_gpu::{Device, Engine, open};
use wellfit_models::graph::Builder;
use wellfit_models::{DropoutKey, Network, Shape};
use wellfit_rng::{Rng, Stream};

const DEVICE: Device = if cfg!(feature = "wgpu") { Device::Wgpu } else { Device::Cuda(0) };
static GPU: LazyLock<Arc<dyn Engine>> =
    LazyLock::new(|| open(DEVICE).unwrap_or_else(|error| panic!("{error}")));
/// How far outputs, loss and running statistics may be apart.
const FORWARD: f64 = 3e-5;
/// How far gradients, and parameters moved by them, may be apart.
const BACKWARD: f64 = 1e-4;
const KEY: DropoutKey = DropoutKey { seed: 3, step: 7, row: 0 };

fn noise(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(11, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// Initial weights, and γ, β and running statistics that are not all the same.
fn ready(mut network: Network) -> Network {
    network.initialise(5);
    for (place, parameter) in network.parameters.iter_mut().enumerate() {
        if parameter.shape.len() == 1 {
            let noise = noise(parameter.value.len(), 100 + place as u32);
            parameter.value.iter_mut().zip(noise).for_each(|(value, noise)| *value += 0.1 * noise);
        }
    }
    for (place, norm) in network.norms.iter_mut().enumerate() {
        norm.mean = noise(norm.mean.len(), 1000 + place as u32);
        norm.variance = norm.mean.iter().map(|mean| 0.5 + mean * mean).collect();
    }
    network
}

fn length(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// How far two tensors are apart, as a share of `scale` or of the second's norm if that is more.
fn apart(ours: &[f32], theirs: &[f32], scale: f64) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let difference = length(ours.iter().zip(theirs).map(|(a, b)| f64::from(a - b)));
    difference / length(theirs.iter().map(|&x| f64::from(x))).max(scale)
}

/// Linear over an image, BatchNorm, ReLU by itself, dropout, a residual sum of features.
fn mlp() -> Network {
    let mut builder = Builder::new("mlp", Shape::image(5, 4, 3));
    let mut x = builder.linear("fc1", 0, 48);
    x = builder.batch_norm("bn1", x);
    x = builder.relu("relu1", x);
    let kept = builder.dropout("drop1", x, 0.3);
    x = builder.linear("fc2", kept, 48);
    x = builder.batch_norm("bn2", x);
    x = builder.add("add2", x, kept);
    x = builder.relu("relu2", x);
    x = builder.dropout("drop2", x, 0.5);
    builder.linear("fc3", x, 10);
    builder.finish()
}
