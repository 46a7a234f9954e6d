//! The rectifier: torch's `ReLU`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::{Buffer, Element, elementwise};

/// max(x, 0); NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relu;

impl Operation for Relu {
    fn kind(&self) -> &'static str {
        "relu"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "ReLU()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(elementwise::relu(step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if !step.masked {
            elementwise::relu_backward(&mut dy, step.y());
        }
        if step.wants(0) {
            step.give(0, dy);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        graph.add("Relu", &[input], vec![])
    }
}
