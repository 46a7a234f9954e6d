//! Stochastic depth (Huang et al. 2016, arXiv:1603.09382): torchvision's `StochasticDepth(mode="row")`.

use super::{Backward, Forward, Made, Memory, Operation, dropout_mask};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::{Buffer, Element, activation};

/// In training a sample is dropped whole with probability p and else divided by 1 − p; in evaluation it stays as it is.
///
/// The samples' numbers are drawn as those of a dropout layer with one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StochasticDepth {
    /// The share of samples dropped.
    pub p: f32,
}

impl Operation for StochasticDepth {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        format!("StochasticDepth(p={}, mode=row)", self.p)
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn is_random(&self) -> bool {
        true
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let x = step.x(0);
        let Some(key) = step.key else { return Ok(Buffer::from_slice(x).into()) };
        let factors = dropout_mask((step.batch(), step.batch()), self.p, key, step.step.node as u32);
        let value = activation::scale_images(x, &factors);
        Ok(Made { memory: Memory::Floats(factors), ..Made::from(value) })
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.wants(0) {
            // Where it was off in the forward pass, there is nothing to remember.
            let dx = if let Memory::Floats(factors) = step.memory() { activation::scale_images(&dy, factors) } else { dy };
            step.give(0, dx);
        }
    }

    /// ONNX files are for evaluation.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        graph.input(0)
    }
}
