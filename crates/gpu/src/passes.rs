//! A network's nodes as operations on tensors; Burn's autodiff finds the gradients.
//!
//! A value is `[N, pixels, C]`, the order that images have in memory. Burn's convolutions and pools take
//! `[N, C, H, W]`: they get a view of it, and their GPU kernels turn that back into `[N, H, W, C]`, so nothing is
//! copied. Parameters too are views of their layouts on the processor, which is how their gradients come back.

use crate::link::Link;
use burn_tensor::activation::relu;
use burn_tensor::backend::{AutodiffBackend, Backend};
use burn_tensor::module::{conv2d, max_pool2d};
use burn_tensor::ops::ConvOptions;
use burn_tensor::{Tensor, s};
use wellfit_models::graph::Value;
use wellfit_models::ops::{
    Add, BatchNorm, Conv, Dropout, GlobalAveragePool, Linear, MaxPool, Relu, dropout_mask,
};
use wellfit_models::{DropoutKey, Network, Node, Op, Shape};

/// What layers do that differ between the two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// Running statistics, no dropout.
    Evaluation,
    /// Batch statistics except in frozen layers, dropout.
    Training(DropoutKey),
}

/// What a network has learned, on the device.
pub(crate) struct Weights<B: Backend> {
    /// Each parameter, in the layout that it has on the processor.
    pub parameters: Vec<Tensor<B, 1>>,
    /// The running statistics of each BatchNorm layer.
    pub running: Vec<Running<B>>,
}

/// A BatchNorm layer's running statistics.
#[derive(Clone)]
pub(crate) struct Running<B: Backend> {
    pub mean: Tensor<B, 1>,
    /// Unbiased.
    pub variance: Tensor<B, 1>,
}

impl<I: Backend> Weights<I> {
    /// The same tensors, with gradients for the parameters that are trained.
    pub(crate) fn tracked<B: AutodiffBackend<InnerBackend = I>>(&self, network: &Network) -> Weights<B> {
        let parameters = self.parameters.iter().zip(&network.parameters);
        let statistics = |running: &Running<I>| Running {
            mean: Tensor::from_inner(running.mean.clone()),
            variance: Tensor::from_inner(running.variance.clone()),
        };
        Weights {
            parameters: parameters
                .map(|(tensor, parameter)| {
                    Tensor::from_inner(tensor.clone()).set_require_grad(parameter.trainable)
                })
                .collect(),
            running: self.running.iter().map(statistics).collect(),
        }
    }
}

/// Batch statistics that a BatchNorm layer found.
pub(crate) struct Seen<B: Backend> {
    /// The layer's place in [`Network::norms`].
    pub norm: usize,
    pub op: BatchNorm,
    /// How many values a channel had.
    pub rows: usize,
    pub mean: Tensor<B, 1>,
    /// Biased.
    pub variance: Tensor<B, 1>,
}

/// Whether [`run`] has an operation.
pub(crate) fn computes(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv(_)
            | Op::Linear(_)
            | Op::BatchNorm(_)
            | Op::Add(_)
            | Op::Relu(_)
            | Op::Dropout(_)
            | Op::MaxPool(_)
            | Op::GlobalAveragePool(_)
    )
}

/// The outputs `[N·classes]` from the rows of the value `cut` (0 are the images), and what the BatchNorm layers have
/// seen.
pub(crate) fn run<B: Backend>(
    network: &Network,
    weights: &Weights<B>,
    link: &Link<B::Device>,
    (value, cut): (&[f32], Value),
    mode: Mode,
) -> (Tensor<B, 1>, Vec<Seen<B>>) {
    let shape = network.shape(cut);
    let batch = value.len() / shape.len();
    let mut values = vec![None; cut];
    values.push(Some(link.upload(value).reshape([batch, shape.pixels(), shape.channels])));
    let mut pass = Pass { network, weights, link, mode, batch, values, seen: Vec::new() };
    let last = network.last_reader();
    for (place, node) in network.nodes.iter().enumerate().skip(cut) {
        let y = pass.node(place, node);
        pass.values.push(Some(y));
        for &value in &node.inputs {
            if last[value] == place {
                pass.values[value] = None;
            }
        }
    }
    let outputs = pass.value(network.nodes.len());
    (outputs.reshape([batch * network.outputs()]), pass.seen)
}

struct Pass<'a, B: Backend> {
    network: &'a Network,
    weights: &'a Weights<B>,
    link: &'a Link<B::Device>,
    mode: Mode,
    batch: usize,
    values: Vec<Option<Tensor<B, 3>>>,
    seen: Vec<Seen<B>>,
}

impl<B: Backend> Pass<'_, B> {
    /// A value that was made and is still to be read.
    fn value(&self, value: Value) -> Tensor<B, 3> {
        match &self.values[value] {
            Some(tensor) => tensor.clone(),
            None => unreachable!("value {value} is read after its last reader"),
        }
    }

    fn node(&mut self, place: usize, node: &Node) -> Tensor<B, 3> {
        let (x, from) = (self.value(node.inputs[0]), self.network.shape(node.inputs[0]));
        match node.op {
            Op::Conv(Conv { kernel, stride, padding, .. }) => {
                let weight = self.parameter(node, 0);
                let weight = weight.reshape([kernel, kernel, from.channels, node.shape.channels]);
                let mut x = self.channels_first(x, from);
                let mut steps = stride;
                if kernel == 1 && padding == 0 && stride > 1 {
                    // Burn 0.21 finds no gradient of the input where the stride is larger than the kernel.
                    x = x.slice(s![.., .., ..;stride as isize, ..;stride as isize]);
                    steps = 1;
                }
                let options = ConvOptions::new([steps; 2], [padding; 2], [1; 2], 1);
                let y = conv2d(x, weight.permute([3, 2, 0, 1]), None, options);
                self.channels_last(y, node.shape)
            }
            Op::Linear(Linear { features }) => {
                // As a convolution of one pixel: on tensor cores Burn's matrix product has factors of 11 bits.
                let weight = self.parameter(node, 0).reshape([1, 1, from.len(), features]);
                let rows = x.reshape([self.batch, from.len(), 1, 1]);
                let options = ConvOptions::new([1; 2], [0; 2], [1; 2], 1);
                let y = conv2d(rows, weight.permute([3, 2, 0, 1]), None, options);
                y.reshape([self.batch, 1, features]) + self.channels(node, 1)
            }
            Op::BatchNorm(op) => {
                self.normalised(x, node, op) * self.channels(node, 0) + self.channels(node, 1)
            }
            Op::Add(Add) => x + self.value(node.inputs[1]),
            Op::Relu(Relu) => relu(x),
            Op::Dropout(Dropout { p }) => match self.mode {
                Mode::Training(key) if place >= self.network.frozen_prefix() => {
                    let mask =
                        dropout_mask((self.batch, self.batch * node.shape.len()), p, key, place as u32);
                    let mask = self.link.upload(&mask).reshape(x.dims());
                    x * mask
                }
                _ => x,
            },
            Op::MaxPool(MaxPool { kernel, stride, padding }) => {
                let x = self.channels_first(x, from);
                let y = max_pool2d(x, [kernel; 2], [stride; 2], [padding; 2], [1; 2], false);
                self.channels_last(y, node.shape)
            }
            Op::GlobalAveragePool(GlobalAveragePool) => x.mean_dim(1),
            #[allow(unreachable_patterns, reason = "operations may be added without a GPU's passes")]
            _ => unreachable!("`{}` was to be refused", node.name),
        }
    }

    /// (x − μ)/√(σ² + ε), by the batch's statistics or by the running ones.
    fn normalised(&mut self, x: Tensor<B, 3>, node: &Node, op: BatchNorm) -> Tensor<B, 3> {
        let place = node.norm.unwrap_or_default();
        let frozen = self.network.norms[place].frozen;
        let (centred, variance) = if frozen || matches!(self.mode, Mode::Evaluation) {
            let Running { mean, variance } = self.weights.running[place].clone();
            let channels = [1, 1, node.shape.channels];
            (x - mean.reshape(channels), variance.reshape(channels))
        } else {
            let rows = x.dims()[0] * x.dims()[1];
            let mean = mean_of_images(x.clone());
            let centred = x - mean.clone();
            let variance = mean_of_images(centred.clone() * centred.clone());
            let seen = Seen { norm: place, op, rows, mean: vector(mean), variance: vector(variance.clone()) };
            self.seen.push(seen);
            (centred, variance)
        };
        centred / (variance + op.eps).sqrt()
    }

    /// The node's parameter number `i`, as on the processor.
    fn parameter(&self, node: &Node, i: usize) -> Tensor<B, 1> {
        self.weights.parameters[node.parameters[i]].clone()
    }

    /// The node's parameter number `i`, with one number a channel.
    fn channels(&self, node: &Node, i: usize) -> Tensor<B, 3> {
        let parameter = self.parameter(node, i);
        let channels = parameter.dims()[0];
        parameter.reshape([1, 1, channels])
    }

    fn channels_first(&self, x: Tensor<B, 3>, shape: Shape) -> Tensor<B, 4> {
        x.reshape([self.batch, shape.height, shape.width, shape.channels]).permute([0, 3, 1, 2])
    }

    fn channels_last(&self, y: Tensor<B, 4>, shape: Shape) -> Tensor<B, 3> {
        y.permute([0, 2, 3, 1]).reshape([self.batch, shape.pixels(), shape.channels])
    }
}

/// The mean of each channel, image by image and then over the images: short sums round less than long ones.
fn mean_of_images<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 3> {
    x.mean_dim(1).mean_dim(0)
}

fn vector<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 1> {
    let channels = x.dims()[2];
    x.reshape([channels])
}
