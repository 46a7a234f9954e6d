//! ReLU6 (Sandler et al. 2018, arXiv:1801.04381): torch's `ReLU6`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::activation::{self, Swish};
use wellfit_kernels::{Buffer, Element};

/// min(max(x, 0), 6); NaN stays NaN. Its slope at 0 and at 6 is 0, as torch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relu6;

impl Operation for Relu6 {
    fn kind(&self) -> &'static str {
        "relu6"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "ReLU6()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(activation::swish(Swish::Relu6, step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            activation::swish_backward(Swish::Relu6, &mut dy, step.x(0));
            step.give(0, dy);
        }
    }

    /// The ends are inputs since opset 11.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let [min, max] = [("min", 0.0), ("max", 6.0)].map(|(part, value)| {
            graph.add_part(part, "Constant", &[], vec![("value_float", Attribute::Float(value))])
        });
        let inputs = [graph.input(0), min, max];
        graph.add("Clip", &inputs, vec![])
    }
}
