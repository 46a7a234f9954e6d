//! SiLU, or swish (Elfwing et al. 2018, arXiv:1702.03118): torch's `SiLU`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::activation::{self, Swish};
use wellfit_kernels::{Buffer, Element};

/// x·σ(x), with σ(x) = 1/(1 + e⁻ˣ); NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silu;

impl Operation for Silu {
    fn kind(&self) -> &'static str {
        "silu"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "SiLU()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(activation::swish(Swish::Sigmoid, step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            activation::swish_backward(Swish::Sigmoid, &mut dy, step.x(0));
            step.give(0, dy);
        }
    }

    /// ONNX has no such operator before opset 24: x times its sigmoid.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        let gate = graph.add_part("sigmoid", "Sigmoid", std::slice::from_ref(&input), vec![]);
        graph.add("Mul", &[input, gate], vec![])
    }
}
