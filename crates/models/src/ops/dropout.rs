//! Inverted dropout (Srivastava et al. 2014): torch's `Dropout`.

use super::{Backward, Forward, Made, Memory, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use crate::passes::DropoutKey;
use wellfit_kernels::{Buffer, Element, elementwise};
use wellfit_rng::{Rng, Stream};

/// x·mask/(1 − p) in training, x in evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// The share of units dropped.
    pub p: f32,
}

impl Operation for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        format!("Dropout(p={})", self.p)
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_random(&self) -> bool {
        true
    }

    fn remembered_bytes(&self, output: usize) -> usize {
        size_of::<f32>() * output
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let x = step.x(0);
        let Some(key) = step.key else { return Ok(Buffer::from_slice(x).into()) };
        let mask = dropout_mask((step.batch(), x.len()), self.p, key, step.step.node as u32);
        let value = elementwise::multiply(x, &mask);
        Ok(Made { memory: Memory::Floats(mask), ..Made::from(value) })
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.wants(0) {
            // Where it was off in the forward pass, there is nothing to remember.
            let dx = if let Memory::Floats(mask) = step.memory() { elementwise::multiply(&dy, mask) } else { dy };
            step.give(0, dx);
        }
    }

    /// ONNX files are for evaluation.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        graph.input(0)
    }
}

/// A mask of 0 (with probability `p`) and 1/(1 − p) for the dropout node at place `layer`: `len` numbers for so many
/// `samples`. A number depends on the seed, the step, the layer, and the places of the sample in the batch and of the unit.
#[must_use]
pub fn dropout_mask((samples, len): (usize, usize), p: f32, key: DropoutKey, layer: u32) -> Buffer {
    let mut rng = Rng::new(key.seed, Stream::Dropout, key.step, layer);
    rng.skip(key.row * (len / samples.max(1)) as u64);
    let keep = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let mut mask = Buffer::scratch(len);
    rng.fill_uniform(&mut mask);
    mask.iter_mut().for_each(|m| *m = if *m < p { 0.0 } else { keep });
    mask
}
