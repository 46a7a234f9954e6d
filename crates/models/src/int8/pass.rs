//! The pass over a network in 8-bit integers.

use super::quantised::{Product, Quantised};
use crate::Node;
use crate::graph::Value;
use crate::ops::{Forward, MaxPool, Op};
use crate::passes::Values;
use crate::plan::{Mode, Plan, Precision, Request, Step};
use wellfit_kernels::Buffer;
use wellfit_kernels::int8::{Affine, Codes, Epilogue, max_pool};

impl Quantised {
    /// The outputs `[N, classes]` for `images` `[N, H, W, C]`. Those of an image do not depend on the others.
    #[must_use]
    pub fn evaluate(&self, images: &[f32]) -> Buffer {
        let network = &self.network;
        let (batch, nodes) = (images.len() / network.input.len(), 0..network.output());
        let request = Request { mode: Mode::Evaluation, batch, nodes, precision: Precision::F32 };
        let plan = network.plan(&request);
        let codes = (0..=network.nodes.len()).map(|_| None).collect();
        let values = Values::new(images, 0, network.nodes.len());
        let mut pass = Pass { quantised: self, plan: &plan, values, codes };
        for (at, step) in plan.steps.iter().enumerate() {
            pass.step(step);
            for &value in plan.freed_after(at).iter().filter(|&&value| value != network.output()) {
                pass.values.free(value);
                pass.codes[value] = None;
            }
        }
        pass.values.into_f32(network.output())
    }
}

/// The values so far, as floats, as codes, or both.
struct Pass<'a> {
    quantised: &'a Quantised,
    plan: &'a Plan,
    values: Values<'a, f32>,
    codes: Vec<Option<Codes>>,
}

impl Pass<'_> {
    fn step(&mut self, step: &Step) {
        let node = &self.quantised.network.nodes[step.node];
        if let Some((place, product)) = self.quantised.product(step) {
            self.product(step, place, product);
        } else if let (Op::MaxPool(op), true) = (&node.op, self.quantised.stored.pooled[step.output]) {
            self.pool(step, op);
        } else {
            self.floats(step);
        }
    }

    /// A product in integers.
    fn product(&mut self, step: &Step, place: usize, product: &Product) {
        let input = self.quantised.network.nodes[place].inputs[0];
        self.quantise(input);
        step.residual.into_iter().for_each(|value| self.quantise(value));
        let Some((x, from)) = self.stored(input) else { return };
        let after = Epilogue {
            scale: product.scale.as_deref(),
            bias: product.bias.as_deref(),
            residual: step.residual.and_then(|value| self.stored(value)),
            relu: step.relu,
        };
        let batch = self.plan.batch;
        match self.quantised.affines[step.output] {
            Some(to) => {
                let made = product.layer.forward(batch, x, from, after, to);
                self.codes[step.output] = Some(made);
            }
            None => {
                let made = product.layer.forward_to_floats(batch, x, from, after);
                self.values.put(step.last(), made);
            }
        }
    }

    fn pool(&mut self, step: &Step, op: &MaxPool) {
        let network = &self.quantised.network;
        let input = network.nodes[step.node].inputs[0];
        self.quantise(input);
        let shape = op.kernel(self.plan.batch, network.shape(input));
        self.codes[step.output] = self.codes[input].as_ref().map(|x| max_pool(&shape, x));
    }

    /// A step in f32.
    fn floats(&mut self, step: &Step) {
        let network = &self.quantised.network;
        step.reads(network).for_each(|value| self.dequantise(value));
        let mut done = |_: &Node| ();
        let (plan, values) = (self.plan, &self.values);
        let mut given = Forward { network, plan, step, values, key: None, done: &mut done };
        let made = network.nodes[step.node].op.forward(&mut given);
        // In evaluation every batch can be computed.
        self.values.put(step.last(), made.map_or_else(|_| Buffer::scratch(0), |made| made.value));
    }

    /// Have a value as codes.
    fn quantise(&mut self, value: Value) {
        if let (None, Some(affine)) = (&self.codes[value], self.quantised.affines[value]) {
            self.codes[value] = Some(affine.quantise(self.values.get(value)));
        }
    }

    /// Have a value as floats.
    fn dequantise(&mut self, value: Value) {
        let Some(node) = value.checked_sub(1) else { return };
        if let (Some(codes), Some(affine), true) =
            (&self.codes[value], self.quantised.affines[value], self.values.get(value).is_empty())
        {
            self.values.put(node, affine.dequantise(codes));
        }
    }

    fn stored(&self, value: Value) -> Option<(&Codes, Affine)> {
        self.codes[value].as_ref().zip(self.quantised.affines[value])
    }
}
