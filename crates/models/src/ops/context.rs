//! What an operation gets in a pass, and what it returns.

use crate::graph::{Network, Node, Norm, Shape, Value};
use crate::passes::{DropoutKey, Flows, Values};
use crate::plan::{Plan, Step};
use wellfit_kernels::conv::Destination;
use wellfit_kernels::norm::Statistics;
use wellfit_kernels::{Buffer, Element};

/// One step of a forward pass.
pub struct Forward<'a, E: Element> {
    pub(crate) network: &'a Network,
    pub(crate) plan: &'a Plan,
    pub(crate) step: &'a Step,
    pub(crate) values: &'a Values<'a, E>,
    /// In training, what dropout masks depend on.
    pub(crate) key: Option<DropoutKey>,
    /// Called with each node after it has run.
    pub(crate) done: &'a mut dyn FnMut(&Node),
}

/// The result of a node's forward pass.
#[derive(Debug)]
pub struct Made<E: Element> {
    /// Its output.
    pub value: Buffer<E>,
    /// The output of the convolution or linear layer that ran with it, if the backward pass needs it.
    pub product: Option<Buffer<E>>,
    /// What else the backward pass needs.
    pub memory: Memory,
}

impl<E: Element> From<Buffer<E>> for Made<E> {
    fn from(value: Buffer<E>) -> Self {
        Self { value, product: None, memory: Memory::Nothing }
    }
}

/// What one node keeps for its backward pass besides its input and output.
#[derive(Debug)]
pub enum Memory {
    /// Nothing.
    Nothing,
    /// The statistics that normalised each channel, and whether they are those of this batch.
    Statistics(Statistics, bool),
    /// A float for each output, such as a mask.
    Floats(Buffer),
    /// A byte for each output, such as the tap that was the largest.
    Bytes(Vec<u8>),
}

impl<'a, E: Element> Forward<'a, E> {
    pub(crate) fn node(&self) -> &'a Node {
        &self.network.nodes[self.step.node]
    }

    /// Samples in the batch.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.plan.batch
    }

    /// Its input number `i`, `[N, …]`.
    #[must_use]
    pub fn x(&self, i: usize) -> &'a [E] {
        self.value(self.node().inputs[i])
    }

    pub(crate) fn value(&self, value: Value) -> &'a [E] {
        self.values.get(value)
    }

    /// The shape of its input number `i`.
    #[must_use]
    pub fn input(&self, i: usize) -> Shape {
        self.network.shape(self.node().inputs[i])
    }

    /// The values of its parameter number `i`.
    #[must_use]
    pub fn parameter(&self, i: usize) -> &'a [f32] {
        &self.network.parameters[self.node().parameters[i]].value
    }

    /// Its running statistics.
    #[must_use]
    pub fn norm(&self) -> Option<&'a Norm> {
        self.network.norm(self.node())
    }
}

/// One node's part of a backward pass.
pub struct Backward<'a, 'v, E: Element> {
    pub(crate) network: &'a Network,
    pub(crate) plan: &'a Plan,
    pub(crate) step: &'a Step,
    pub(crate) node: &'a Node,
    /// The value whose gradient is given.
    pub(crate) output: Value,
    pub(crate) values: &'a Values<'v, E>,
    pub(crate) memory: &'a Memory,
    pub(crate) flows: &'a mut Flows<E>,
    pub(crate) parameters: &'a mut [Option<Buffer>],
    /// The gradient given is already that of the ReLU's own input.
    pub(crate) masked: bool,
    /// Called with each node after its part is done.
    pub(crate) done: &'a mut dyn FnMut(&Node),
}

impl<'a, E: Element> Backward<'a, '_, E> {
    /// Samples in the batch.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.plan.batch
    }

    /// Its input number `i`, `[N, …]`.
    #[must_use]
    pub fn x(&self, i: usize) -> &'a [E] {
        self.values.get(self.node.inputs[i])
    }

    /// Its output.
    #[must_use]
    pub fn y(&self) -> &'a [E] {
        self.values.get(self.output)
    }

    /// The shape of its input number `i`.
    #[must_use]
    pub fn input(&self, i: usize) -> Shape {
        self.network.shape(self.node.inputs[i])
    }

    /// What its forward pass remembered.
    #[must_use]
    pub fn memory(&self) -> &'a Memory {
        self.memory
    }

    /// The values of its parameter number `i`.
    #[must_use]
    pub fn parameter(&self, i: usize) -> &'a [f32] {
        &self.network.parameters[self.node.parameters[i]].value
    }

    /// Whether training changes its parameter number `i`.
    #[must_use]
    pub fn trains(&self, i: usize) -> bool {
        self.network.parameters[self.node.parameters[i]].trainable
    }

    /// Give the gradient of its parameter number `i`.
    pub fn give_parameter(&mut self, i: usize, gradient: Buffer) {
        self.parameters[self.node.parameters[i]] = Some(gradient);
    }

    /// Whether the gradient of its input number `i` is asked for.
    #[must_use]
    pub fn wants(&self, i: usize) -> bool {
        self.plan.needs[self.node.inputs[i]]
    }

    /// Give the gradient of its input number `i`; it is added to what other readers of that value gave.
    pub fn give(&mut self, i: usize, gradient: Buffer<E>) {
        self.flows.add(self.node.inputs[i], gradient);
    }

    /// Where a kernel may write the gradient of its input number `i` itself.
    pub fn destination(&mut self, i: usize) -> Destination<'_, E> {
        let value = self.node.inputs[i];
        self.flows.destination(value, self.values.get(value))
    }
}
