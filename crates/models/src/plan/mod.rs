//! How a network is computed: steps in order, which operations run together, which buffers live when.
//!
//! A plan is made once for (mode, batch) and kept with the network. Both passes follow it, and the memory of a training
//! step is read off it.

mod fuse;
mod lifetimes;
mod store;

pub(crate) use fuse::groups;
pub(crate) use store::Plans;

use crate::graph::{Network, Value};
use crate::ops::{Op, product};
use lifetimes::Lifetimes;
use std::ops::Range;
use wellfit_kernels::activation::Swish;
use wellfit_kernels::conv::Conv;
use wellfit_kernels::{Bf16, Element};

/// What a pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Outputs: running statistics, no dropout.
    Evaluation,
    /// Outputs and gradients: batch statistics except in frozen layers, dropout.
    Training,
    /// Outputs as in evaluation, and the gradient of the value that the pass starts from.
    Explanation,
}

/// How the values of a pass and their gradients are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// IEEE 754 single precision.
    #[default]
    F32,
    /// The upper half of that: 8 bits of exponent, 8 significant bits. Products take values and weights so; a value or
    /// its gradient is rounded when it is stored. Sums, statistics, the loss, the weights themselves and their
    /// gradients are f32, as under torch's autocast.
    Bf16,
}

impl Precision {
    /// Its name, as users type it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => <f32 as Element>::NAME,
            Self::Bf16 => Bf16::NAME,
        }
    }

    /// Bytes of one stored number.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 => size_of::<f32>() as u64,
            Self::Bf16 => size_of::<Bf16>() as u64,
        }
    }
}

/// What a plan is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the pass is for.
    pub mode: Mode,
    /// Samples in the batch.
    pub batch: usize,
    /// The nodes to run, from the value at its start.
    pub nodes: Range<Value>,
    /// How values are stored.
    pub precision: Precision,
}

/// One step: a node, with those that run together with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The node that says what is computed.
    pub node: usize,
    /// The convolution or linear layer before a normalisation.
    pub product: Option<usize>,
    /// The value added behind a normalisation.
    pub residual: Option<Value>,
    /// Whether a ReLU is behind all that.
    pub relu: bool,
    /// The smooth activation right behind a normalisation, where there is neither residual nor ReLU.
    pub swish: Option<Swish>,
    /// The normalisation is part of the product: its input is never written.
    pub folded: bool,
    /// The value it makes.
    pub output: Value,
}

impl Step {
    /// Its first node.
    pub(crate) fn first(&self) -> usize {
        self.product.unwrap_or(self.node)
    }

    /// Its last node.
    pub(crate) fn last(&self) -> usize {
        self.output - 1
    }

    /// The values it reads that earlier steps made.
    pub(crate) fn reads<'a>(&self, network: &'a Network) -> impl Iterator<Item = Value> + use<'a> {
        network.nodes[self.first()].inputs.iter().copied().chain(self.residual)
    }

    /// The nodes that give gradients of their own, with their outputs, as the backward pass takes them: its own, and then the
    /// product before it. That has none to give where both went together.
    pub(crate) fn made(&self) -> impl Iterator<Item = (usize, Value)> + use<> {
        [Some((self.node, self.output)), self.product.map(|place| (place, place + 1))].into_iter().flatten()
    }

    /// The parameters of its own node, and then those of the product before it.
    pub(crate) fn parameters<'a>(&self, network: &'a Network) -> impl Iterator<Item = usize> + use<'a> {
        let nodes = [Some(self.node), self.product].into_iter().flatten();
        nodes.flat_map(|place| network.nodes[place].parameters.iter().copied())
    }

    /// The output of the product, where it is written.
    pub(crate) fn product_value(&self) -> Option<Value> {
        self.product.filter(|_| !self.folded).map(|place| place + 1)
    }
}

/// The steps of a pass with their buffers.
#[derive(Debug)]
pub struct Plan {
    /// What the pass is for.
    pub mode: Mode,
    /// Samples in the batch.
    pub batch: usize,
    /// What it starts from and ends with.
    pub nodes: Range<Value>,
    /// How values are stored.
    pub precision: Precision,
    /// The steps in order; the backward pass takes them in reverse.
    pub steps: Vec<Step>,
    /// For each value of the network, whether a gradient of it is needed.
    pub(crate) needs: Vec<bool>,
    /// Nodes before this one are of the frozen part, and run as in evaluation: see [`Network::frozen_prefix`].
    pub(crate) frozen: Value,
    lifetimes: Lifetimes,
}

impl Plan {
    /// The plan of a pass over `network`.
    #[must_use]
    pub fn new(network: &Network, request: &Request) -> Self {
        let Request { mode, batch, precision, ref nodes } = *request;
        let training = mode == Mode::Training;
        let values = 0..=network.nodes.len();
        let needs = match mode {
            Mode::Training => network.needs_gradient(),
            Mode::Evaluation => vec![false; network.nodes.len() + 1],
            Mode::Explanation => values.map(|value| value >= nodes.start).collect(),
        };
        let mut steps = groups(network);
        steps.retain(|step| step.first() >= nodes.start && step.last() < nodes.end);
        for step in &mut steps {
            let frozen = network.norm(&network.nodes[step.node]).is_some_and(|norm| norm.frozen || !training);
            step.folded = frozen && !needs[step.output];
        }
        let mut plan = Self {
            mode,
            batch,
            nodes: nodes.clone(),
            precision,
            steps,
            needs,
            frozen: match mode {
                Mode::Training => network.frozen_prefix(),
                Mode::Evaluation => 0,
                Mode::Explanation => nodes.end,
            },
            lifetimes: Lifetimes::default(),
        };
        plan.lifetimes = Lifetimes::new(network, &plan);
        plan
    }

    /// The most bytes that are alive at the same time: what the forward pass keeps, the gradients that are in use,
    /// and those of the parameters so far. The parameters themselves and the kernels' small scratch memory are not
    /// counted.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.lifetimes.peak()
    }

    /// Bytes of a value of the batch.
    pub(crate) fn value_bytes(&self, network: &Network, value: Value) -> u64 {
        (self.batch * network.shape(value).len()) as u64 * self.precision.bytes()
    }

    /// The values whose last use is at step `at` of the forward pass.
    pub(crate) fn freed_after(&self, at: usize) -> &[Value] {
        self.lifetimes.freed(at)
    }

    /// The values whose last use is step `at` of the backward pass.
    pub(crate) fn freed_behind(&self, at: usize) -> &[Value] {
        self.lifetimes.freed(2 * self.steps.len() - 1 - at)
    }

    /// The 1×1 convolution before a normalisation, where both go backward in one pass: both its gradients are wanted.
    pub(crate) fn joint(&self, network: &Network, step: &Step) -> Option<Joint> {
        let place = step.product?;
        let node = &network.nodes[place];
        let shape = product::shape(network, node, self.batch)?;
        // A smooth activation's slope is computed by the normalisation's own passes only.
        let wanted = step.swish.is_none()
            && network.parameters[node.parameters[0]].trainable
            && self.needs[node.inputs[0]];
        (matches!(node.op, Op::Conv(_)) && wanted && shape.joins_norm()).then_some(Joint { place, shape })
    }
}

/// A convolution that goes backward together with the normalisation behind it.
pub(crate) struct Joint {
    pub place: usize,
    pub shape: Conv,
}

impl Network {
    /// Bytes alive at the worst moment of one training step of `batch` samples; see [`Plan::peak_bytes`].
    #[must_use]
    pub fn step_bytes(&self, batch: usize) -> u64 {
        let nodes = 0..self.output();
        Plan::new(self, &Request { mode: Mode::Training, batch, nodes, precision: self.precision })
            .peak_bytes()
    }
}
