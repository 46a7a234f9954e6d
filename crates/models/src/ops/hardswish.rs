//! Hard swish (Howard et al. 2019, arXiv:1905.02244, section 5.2): torch's `Hardswish`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::activation::{self, Swish};
use wellfit_kernels::{Buffer, Element};

/// x·relu6(x + 3)/6, with relu6(v) = min(max(v, 0), 6); NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardswish;

impl Operation for Hardswish {
    fn kind(&self) -> &'static str {
        "hardswish"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "Hardswish()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(activation::swish(Swish::Hard, step.x(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            activation::swish_backward(Swish::Hard, &mut dy, step.x(0));
            step.give(0, dy);
        }
    }

    /// In ONNX since opset 14.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        graph.add("HardSwish", &[input], vec![])
    }
}
