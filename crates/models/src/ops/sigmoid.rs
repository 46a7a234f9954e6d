//! The logistic function: torch's `Sigmoid`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::activation::{self, Gate};
use wellfit_kernels::{Buffer, Element};

/// 1/(1 + e⁻ˣ); NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sigmoid;

impl Operation for Sigmoid {
    fn kind(&self) -> &'static str {
        "sigmoid"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "Sigmoid()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(activation::gate(Gate::Sigmoid, step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            activation::gate_backward(Gate::Sigmoid, &mut dy, step.y());
            step.give(0, dy);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        graph.add("Sigmoid", &[input], vec![])
    }
}
