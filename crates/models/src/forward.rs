//! The forward pass, in evaluation and in training.

use crate::ModelError;
use crate::network::{NORM_EPS, NORM_MOMENTUM, Network, Node, Op, Shape, Value};
use crate::values::Values;
use std::ops::Range;
use wellfit_kernels::conv::{Conv, Then};
use wellfit_kernels::norm::{self, Epilogue, Statistics};
use wellfit_kernels::pool::{self, MaxPool};
use wellfit_kernels::{Buffer, elementwise};
use wellfit_rng::{Rng, Stream};

/// What dropout masks depend on, besides the layer and the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// The training step.
    pub step: u32,
}

/// What a training pass remembers for the backward pass.
#[derive(Debug)]
pub struct Tape<'a> {
    pub(crate) batch: usize,
    pub(crate) values: Values<'a>,
    pub(crate) memories: Vec<Memory>,
}

impl Tape<'_> {
    /// The network's outputs, `[N, classes]`.
    #[must_use]
    pub fn outputs(&self) -> &[f32] {
        self.values.last()
    }
}

/// What one node remembers besides its input and output.
#[derive(Debug)]
pub(crate) enum Memory {
    Nothing,
    /// The statistics that normalised, and whether they were the batch's.
    Statistics(Statistics, bool),
    Mask(Buffer),
    Taps(Vec<u8>),
}

impl Network {
    /// The outputs `[N, classes]` for `images` `[N, H, W, C]` in evaluation mode: running statistics (folded
    /// into the convolution before them), no dropout. Every value is freed after its last reader.
    #[must_use]
    pub fn evaluate(&self, images: &[f32]) -> Buffer {
        self.evaluate_nodes(images, 0..self.nodes.len())
    }

    /// Run `nodes` in evaluation mode from the value `start`, the only one of before that they read.
    pub(crate) fn evaluate_nodes(&self, start: &[f32], nodes: Range<usize>) -> Buffer {
        let batch = start.len() / self.shape(nodes.start).len();
        let joined = self.joined();
        let last = self.last_reader(&joined);
        let mut values = Values::new(start, nodes.start, self.nodes.len());
        for place in nodes.clone() {
            if joined[place].is_some() {
                continue;
            }
            values.put(place, self.evaluate_node(place, batch, &values, &joined));
            for value in self.read_at(place, &joined) {
                if last[value] == place {
                    values.free(value);
                }
            }
        }
        values.take(nodes.end)
    }

    /// A training pass: batch statistics (which also move the running ones) except in frozen layers,
    /// dropout by `key`. Values that no gradient needs are freed on the way.
    ///
    /// # Errors
    /// When a BatchNorm layer gets a single value per channel.
    pub fn forward<'a>(&mut self, images: &'a [f32], key: DropoutKey) -> Result<Tape<'a>, ModelError> {
        self.forward_watched(images, key, |_| ())
    }

    /// [`Self::forward`] that tells `done` of each node once it has run, for a profile. A frozen BatchNorm
    /// layer and the convolution before it run as one node, that layer.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_watched<'a>(
        &mut self,
        images: &'a [f32],
        key: DropoutKey,
        done: impl FnMut(&Node),
    ) -> Result<Tape<'a>, ModelError> {
        self.train_from(images, 0, key, done)
    }

    /// The rest of a training pass from the value `cut`: `forward_from(&features(images, cut), cut, key)` is
    /// `forward(images, key)` to the bit, for a `cut` from [`Network::frozen_prefix`].
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_from<'a>(
        &mut self,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Tape<'a>, ModelError> {
        self.train_from(value, cut, key, |_| ())
    }

    fn train_from<'a>(
        &mut self,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
        mut done: impl FnMut(&Node),
    ) -> Result<Tape<'a>, ModelError> {
        let batch = value.len() / self.shape(cut).len();
        let (needs, joined) = (self.needs_gradient(), self.joined());
        let last = self.last_reader(&joined);
        let mut values = Values::new(value, cut, self.nodes.len());
        let mut memories: Vec<Memory> = self.nodes.iter().map(|_| Memory::Nothing).collect();
        for place in cut..self.nodes.len() {
            if joined[place].is_some() {
                continue;
            }
            if self.as_in_evaluation(place, &needs) {
                values.put(place, self.evaluate_node(place, batch, &values, &joined));
            } else {
                let mut known = None;
                if let Some(producer) = self.producer(place, &joined) {
                    let (value, statistics) = self.train_producer(producer, place, batch, &values);
                    values.put(producer, value);
                    known = statistics;
                    done(&self.nodes[producer]);
                }
                let (value, memory) = self.train_node(place, batch, &values, known, key)?;
                values.put(place, value);
                memories[place] = memory;
            }
            for value in self.read_at(place, &joined) {
                if last[value] == place && !self.kept(value, &needs) {
                    values.free(value);
                }
            }
            done(&self.nodes[place]);
        }
        Ok(Tape { batch, values, memories })
    }

    /// Whether the backward pass reads a value: it or a reader of it has a gradient.
    pub(crate) fn kept(&self, value: Value, needs: &[bool]) -> bool {
        needs[value]
            || self.nodes.iter().enumerate().any(|(place, node)| node.input == value && needs[place + 1])
    }

    /// The layer that runs together with the BatchNorm layer at `place`.
    pub(crate) fn producer(&self, place: usize, joined: &[Option<usize>]) -> Option<usize> {
        self.nodes[place].input.checked_sub(1).filter(|&producer| joined[producer] == Some(place))
    }

    /// The values read at `place`.
    pub(crate) fn read_at(&self, place: usize, joined: &[Option<usize>]) -> impl Iterator<Item = Value> {
        let node = &self.nodes[place];
        let before = self.producer(place, joined).map(|producer| self.nodes[producer].input);
        [Some(node.input), before, node.residual()].into_iter().flatten()
    }

    /// Whether a training pass computes a node exactly as an evaluation does: no gradient comes back to it.
    pub(crate) fn as_in_evaluation(&self, place: usize, needs: &[bool]) -> bool {
        !needs[place + 1] && self.is_fixed(place)
    }

    /// Whether a node does in training what it does in evaluation.
    fn is_fixed(&self, place: usize) -> bool {
        match self.nodes[place].op {
            Op::BatchNorm { norm, .. } => self.norms[norm].frozen,
            Op::Dropout { .. } => false,
            _ => true,
        }
    }

    /// A convolution or linear layer before the BatchNorm layer at `place`: its output, with the statistics
    /// that layer will take unless it is frozen.
    fn train_producer(
        &self,
        producer: usize,
        place: usize,
        batch: usize,
        values: &Values<'_>,
    ) -> (Buffer, Option<Statistics>) {
        let node = &self.nodes[producer];
        if self.is_fixed(place) {
            return (self.sums(node, batch, values, self.bias(node)), None);
        }
        let (x, weight) = (values.get(node.input), self.weight(node));
        let shape = self.conv_shape(node, batch);
        let (y, statistics) = shape.forward_with_statistics(x, weight, self.bias(node).bias);
        (y, Some(statistics))
    }

    /// One node in training; `known` are the statistics of its input, where they are.
    fn train_node(
        &mut self,
        place: usize,
        batch: usize,
        values: &Values<'_>,
        known: Option<Statistics>,
        key: DropoutKey,
    ) -> Result<(Buffer, Memory), ModelError> {
        let node = &self.nodes[place];
        let x = values.get(node.input);
        match node.op {
            Op::BatchNorm { gamma, beta, norm, residual, relu } => {
                let rows = batch * node.shape.pixels();
                let frozen = self.norms[norm].frozen;
                if rows < 2 && !frozen {
                    return Err(ModelError::OneValuePerChannel { layer: node.name.clone() });
                }
                let statistics = match known {
                    _ if frozen => self.running(norm),
                    Some(known) => known,
                    None => norm::statistics(x, node.shape.channels),
                };
                let (gamma, beta) = (&self.parameters[gamma].value, &self.parameters[beta].value);
                let (scale, shift) = norm::scale_and_shift(gamma, beta, &statistics, NORM_EPS);
                let residual = residual.map(|value| values.get(value));
                let y = norm::affine(x, &scale, &shift, Epilogue { residual, relu });
                if !frozen {
                    let norm = &mut self.norms[norm];
                    statistics.update_running(&mut norm.mean, &mut norm.variance, NORM_MOMENTUM, rows);
                    norm.batches += 1;
                }
                Ok((y, Memory::Statistics(statistics, !frozen)))
            }
            Op::Dropout { p } => {
                let mask = dropout_mask(x.len(), p, key, place as u32);
                Ok((elementwise::multiply(x, &mask), Memory::Mask(mask)))
            }
            Op::MaxPool { kernel, stride, padding } => {
                let (y, taps) = max_pool(batch, self.shape(node.input), kernel, stride, padding).forward(x);
                Ok((y, Memory::Taps(taps)))
            }
            _ => Ok((self.evaluate_node(place, batch, values, &[]), Memory::Nothing)),
        }
    }

    fn evaluate_node(
        &self,
        place: usize,
        batch: usize,
        values: &Values<'_>,
        joined: &[Option<usize>],
    ) -> Buffer {
        let node = &self.nodes[place];
        let (x, from) = (values.get(node.input), self.shape(node.input));
        match node.op {
            Op::Conv { .. } | Op::Linear { .. } => self.sums(node, batch, values, self.bias(node)),
            Op::BatchNorm { gamma, beta, norm, residual, relu } => {
                let (gamma, beta) = (&self.parameters[gamma].value, &self.parameters[beta].value);
                let (scale, mut shift) = norm::scale_and_shift(gamma, beta, &self.running(norm), NORM_EPS);
                let residual = residual.map(|value| values.get(value));
                let Some(producer) = self.producer(place, joined).map(|place| &self.nodes[place]) else {
                    return norm::affine(x, &scale, &shift, Epilogue { residual, relu });
                };
                if let Some(bias) = self.bias(producer).bias {
                    shift.iter_mut().zip(bias).zip(&scale).for_each(|((shift, b), s)| *shift += b * s);
                }
                let then = Then { scale: Some(&scale), bias: Some(&shift), residual, relu };
                self.sums(producer, batch, values, then)
            }
            Op::Relu => elementwise::relu(x),
            Op::Dropout { .. } => Buffer::from_slice(x),
            Op::MaxPool { kernel, stride, padding } => {
                max_pool(batch, from, kernel, stride, padding).forward(x).0
            }
            Op::GlobalAveragePool => pool::global_average(x, from.pixels(), from.channels),
        }
    }

    /// A convolution or linear node's product.
    fn sums(&self, node: &Node, batch: usize, values: &Values<'_>, then: Then<'_>) -> Buffer {
        self.conv_shape(node, batch).forward_then(values.get(node.input), self.weight(node), then)
    }

    fn weight(&self, node: &Node) -> &[f32] {
        match node.op {
            Op::Conv { weight, .. } | Op::Linear { weight, .. } => &self.parameters[weight].value,
            _ => &[],
        }
    }

    fn bias(&self, node: &Node) -> Then<'_> {
        let bias = match node.op {
            Op::Linear { bias, .. } => Some(&*self.parameters[bias].value),
            _ => None,
        };
        Then { bias, ..Then::default() }
    }

    fn running(&self, norm: usize) -> Statistics {
        let norm = &self.norms[norm];
        Statistics { mean: norm.mean.clone(), variance: norm.variance.clone() }
    }

    /// The kernel shape of a convolution or linear node.
    pub(crate) fn conv_shape(&self, node: &Node, batch: usize) -> Conv {
        let from = self.shape(node.input);
        match node.op {
            Op::Conv { kernel, stride, padding, .. } => Conv {
                batch,
                height: from.height,
                width: from.width,
                channels_in: from.channels,
                channels_out: node.shape.channels,
                kernel,
                stride,
                padding,
                algorithm: self.algorithm,
            },
            _ => Conv::linear(batch, from.len(), node.shape.channels),
        }
    }
}

pub(crate) fn max_pool(batch: usize, from: Shape, kernel: usize, stride: usize, padding: usize) -> MaxPool {
    let Shape { height, width, channels } = from;
    MaxPool { batch, height, width, channels, kernel, stride, padding }
}

/// A mask of 0 (with probability `p`) and 1/(1 − p) for the dropout node at place `layer`; its n-th number depends on
/// the key, the layer and n.
#[must_use]
pub fn dropout_mask(len: usize, p: f32, key: DropoutKey, layer: u32) -> Buffer {
    let mut rng = Rng::new(key.seed, Stream::Dropout, key.step, layer);
    let keep = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let mut mask = Buffer::scratch(len);
    rng.fill_uniform(&mut mask);
    mask.iter_mut().for_each(|m| *m = if *m < p { 0.0 } else { keep });
    mask
}
