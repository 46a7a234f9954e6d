//! Hard sigmoid (Howard et al. 2019, arXiv:1905.02244): torch's `Hardsigmoid`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::activation::{self, Gate};
use wellfit_kernels::{Buffer, Element};

/// relu6(x + 3)/6, with relu6(v) = min(max(v, 0), 6); NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardsigmoid;

impl Operation for Hardsigmoid {
    fn kind(&self) -> &'static str {
        "hardsigmoid"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "Hardsigmoid()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(activation::gate(Gate::Hard, step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            activation::gate_backward(Gate::Hard, &mut dy, step.y());
            step.give(0, dy);
        }
    }

    /// ONNX's is max(0, min(1, α·x + β)), with β = 0.5 where it is not given.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        graph.add("HardSigmoid", &[input], vec![("alpha", Attribute::Float(1.0 / 6.0))])
    }
}
