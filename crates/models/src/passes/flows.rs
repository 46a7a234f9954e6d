//! The gradients during a backward pass.

use crate::graph::{Network, Value};
use crate::ops::Op;
use crate::plan::Plan;
use wellfit_kernels::conv::Destination;
use wellfit_kernels::{Buffer, Element, elementwise};

/// The gradient that has reached each value so far.
pub(crate) struct Flows<E: Element> {
    gradients: Vec<Option<Buffer<E>>>,
    /// How many gradients of each value are still to come.
    expected: Vec<usize>,
    /// The values whose ReLU lets a gradient pass where the output is positive.
    relus: Vec<bool>,
    /// Those whose gradient is already that of the ReLU's input: the layer that wrote its last part reads the value
    /// anyway, so it applied the ReLU's mask as well.
    masked: Vec<bool>,
}

impl<E: Element> Flows<E> {
    /// The start of a backward pass, with the gradient of the `outputs`.
    pub(crate) fn new(network: &Network, plan: &Plan, outputs: Buffer<E>) -> Self {
        let values = network.nodes.len() + 1;
        let mut gradients: Vec<Option<Buffer<E>>> = (0..values).map(|_| None).collect();
        gradients[plan.nodes.end] = Some(outputs);
        let (mut expected, mut relus) = (vec![0; values], vec![false; values]);
        for step in &plan.steps {
            step.reads(network).chain(step.product_value()).for_each(|value| expected[value] += 1);
            // Without a residual, the mask is computed from the normalisation's input, which has to be read anyway.
            relus[step.output] = match network.nodes[step.node].op {
                Op::Relu(_) => true,
                _ => step.relu && step.residual.is_some(),
            };
        }
        Self { gradients, expected, relus, masked: vec![false; values] }
    }

    /// The gradient of a value, if one has reached it, and whether it is that of the input of the ReLU that made it.
    pub(crate) fn take(&mut self, value: Value) -> Option<(Buffer<E>, bool)> {
        Some((self.gradients[value].take()?, self.masked[value]))
    }

    /// Where a layer is to write its part of the gradient of a value, whose numbers are `x`.
    pub(crate) fn destination<'a>(&'a mut self, value: Value, x: &'a [E]) -> Destination<'a, E> {
        self.expected[value] -= 1;
        self.masked[value] = self.relus[value] && self.expected[value] == 0;
        let passed = self.masked[value].then_some(x);
        let gradient = &mut self.gradients[value];
        let accumulate = gradient.is_some();
        Destination { dx: gradient.get_or_insert_with(|| Buffer::scratch(x.len())), accumulate, passed }
    }

    /// Add to the gradient of a value.
    pub(crate) fn add(&mut self, value: Value, gradient: Buffer<E>) {
        self.expected[value] -= 1;
        match &mut self.gradients[value] {
            Some(sum) => elementwise::add_to(sum, &gradient),
            none => *none = Some(gradient),
        }
    }
}
