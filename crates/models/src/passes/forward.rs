//! The forward pass, in evaluation and in training.

use super::Values;
use crate::ModelError;
use crate::graph::{Network, Node, Value};
use crate::ops::{Forward, Made, Memory, Op};
use crate::plan::{Mode, Plan, Precision, Request};
use std::ops::Range;
use std::sync::Arc;
use wellfit_kernels::{Bf16, Buffer, Element, elementwise};

/// What dropout masks depend on, besides the layer and the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// The training step.
    pub step: u32,
    /// The place in its batch of the first sample of the pass. A pass over a part of a batch has the part of the masks.
    pub row: u64,
}

/// What a training pass remembers for the backward pass, with its outputs.
#[derive(Debug)]
pub struct Tape<'a> {
    outputs: Buffer,
    pub(crate) recording: Recording<'a>,
}

/// A training pass that was recorded, in the precision that it was computed in.
#[derive(Debug)]
pub(crate) enum Recording<'a> {
    F32(Recorded<'a, f32>),
    Bf16(Recorded<'a, Bf16>),
}

/// A training pass with values that are stored as `E`.
#[derive(Debug)]
pub(crate) struct Recorded<'a, E: Element> {
    pub plan: Arc<Plan>,
    pub values: Values<'a, E>,
    /// The network's outputs, where they are kept apart from the values.
    pub outputs: Option<Buffer>,
    /// What each step remembers.
    pub memories: Vec<Memory>,
}

impl Tape<'_> {
    /// The network's outputs, `[N, classes]`.
    #[must_use]
    pub fn outputs(&self) -> &[f32] {
        &self.outputs
    }
}

impl<'a, E: Element> Recorded<'a, E> {
    /// Before the first step.
    pub fn new(network: &Network, value: &'a [f32], plan: Arc<Plan>) -> Self {
        let values = Values::new(value, plan.nodes.start, network.nodes.len());
        let memories = Vec::with_capacity(plan.steps.len());
        Self { plan, values, outputs: None, memories }
    }

    /// What step `at` gets.
    pub fn step<'s>(
        &'s self,
        network: &'s Network,
        at: usize,
        key: DropoutKey,
        done: &'s mut dyn FnMut(&Node),
    ) -> Forward<'s, E> {
        let (plan, step) = (&*self.plan, &self.plan.steps[at]);
        let key = (step.node >= plan.frozen).then_some(key);
        Forward { network, plan, step, values: &self.values, key, done }
    }

    /// Keep what step `at` made, and free what is of no more use.
    pub fn keep(&mut self, at: usize, made: Made<E>) {
        let step = &self.plan.steps[at];
        if let Some((place, product)) = step.product.zip(made.product) {
            self.values.put(place, product);
        }
        self.values.put(step.last(), made.value);
        self.outputs = self.outputs.take().or(made.outputs);
        self.memories.push(made.memory);
        self.plan.freed_after(at).iter().for_each(|&value| self.values.free(value));
    }

    pub fn tape(mut self, recording: impl FnOnce(Self) -> Recording<'a>) -> Tape<'a> {
        let apart = self.outputs.take();
        let outputs = apart.unwrap_or_else(|| elementwise::to_f32(self.values.get(self.plan.nodes.end)));
        Tape { outputs, recording: recording(self) }
    }
}

impl Network {
    /// The outputs `[N, classes]` for `images` `[N, H, W, C]` in evaluation mode: running statistics (folded
    /// into the convolution before them), no dropout. Every value is freed after its last reader.
    #[must_use]
    pub fn evaluate(&self, images: &[f32]) -> Buffer {
        self.evaluate_nodes(images, 0..self.output())
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
        self.evaluate_nodes(value, cut..self.output())
    }

    /// Run `nodes` in evaluation mode from the value `start`, the only one of before that they read.
    fn evaluate_nodes(&self, start: &[f32], nodes: Range<usize>) -> Buffer {
        match self.precision {
            Precision::F32 => self.evaluate_in::<f32>(start, nodes),
            Precision::Bf16 => self.evaluate_in::<Bf16>(start, nodes),
        }
    }

    fn evaluate_in<E: Element>(&self, start: &[f32], nodes: Range<usize>) -> Buffer {
        let batch = start.len() / self.shape(nodes.start).len();
        let end = nodes.end;
        let request = Request { mode: Mode::Evaluation, batch, nodes, precision: self.precision };
        let plan = self.plan(&request);
        let mut values = Values::<E>::new(start, plan.nodes.start, self.nodes.len());
        let mut outputs = None;
        for (at, step) in plan.steps.iter().enumerate() {
            let mut done = |_: &Node| ();
            let mut given =
                Forward { network: self, plan: &plan, step, values: &values, key: None, done: &mut done };
            // In evaluation every batch can be computed.
            let Ok(made) = self.nodes[step.node].op.forward(&mut given) else { continue };
            outputs = outputs.or(made.outputs);
            values.put(step.last(), made.value);
            for &value in plan.freed_after(at).iter().filter(|&&value| value != end) {
                values.free(value);
            }
        }
        outputs.unwrap_or_else(|| values.into_f32(end))
    }

    /// A training pass: batch statistics (which also move the running ones) except in frozen layers,
    /// dropout by `key`. Values that no gradient needs are freed on the way.
    ///
    /// # Errors
    /// When a BatchNorm layer gets a single value per channel.
    pub fn forward<'a>(&mut self, images: &'a [f32], key: DropoutKey) -> Result<Tape<'a>, ModelError> {
        self.train_from(images, 0, key, &mut |_| ())
    }

    /// [`Self::forward`] that calls `done` after each node, for a profile. Nodes that run together are reported as one,
    /// except for a product in training.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_watched<'a>(
        &mut self,
        images: &'a [f32],
        key: DropoutKey,
        done: &mut dyn FnMut(&Node),
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
        self.train_from(value, cut, key, &mut |_| ())
    }

    fn train_from<'a>(
        &mut self,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
        done: &mut dyn FnMut(&Node),
    ) -> Result<Tape<'a>, ModelError> {
        Ok(match self.precision {
            Precision::F32 => self.record_from(value, cut, key, done)?.tape(Recording::F32),
            Precision::Bf16 => self.record_from(value, cut, key, done)?.tape(Recording::Bf16),
        })
    }

    fn record_from<'a, E: Element>(
        &mut self,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
        done: &mut dyn FnMut(&Node),
    ) -> Result<Recorded<'a, E>, ModelError> {
        let (batch, nodes) = (value.len() / self.shape(cut).len(), cut..self.output());
        let plan = self.plan(&Request { mode: Mode::Training, batch, nodes, precision: self.precision });
        let recorded = self.record(value, &plan, key, done)?;
        for (step, memory) in recorded.plan.steps.iter().zip(&recorded.memories) {
            self.follow_statistics(step.node, batch, memory);
        }
        Ok(recorded)
    }

    /// A pass by a plan, recorded for the backward pass.
    pub(super) fn record<'a, E: Element>(
        &self,
        value: &'a [f32],
        plan: &Arc<Plan>,
        key: DropoutKey,
        done: &mut dyn FnMut(&Node),
    ) -> Result<Recorded<'a, E>, ModelError> {
        let mut recorded = Recorded::new(self, value, Arc::clone(plan));
        for (at, step) in plan.steps.iter().enumerate() {
            let made = self.nodes[step.node].op.forward(&mut recorded.step(self, at, key, done))?;
            recorded.keep(at, made);
            done(&self.nodes[step.node]);
        }
        Ok(recorded)
    }

    /// Move a normalisation's running statistics towards those that were found in a batch.
    fn follow_statistics(&mut self, place: usize, batch: usize, memory: &Memory) {
        let node = &self.nodes[place];
        if let (Op::BatchNorm(op), Memory::Statistics(statistics, true), Some(norm)) =
            (&node.op, memory, node.norm)
        {
            op.follow(&mut self.norms[norm], statistics, batch * node.shape.pixels());
        }
    }
}
