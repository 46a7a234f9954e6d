//! The sum of two values, as at the end of a residual block.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::{Buffer, Element, elementwise};

/// a + b, of one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add;

impl Operation for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "Add()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let mut sum = Buffer::from_slice(step.x(0));
        elementwise::add_to(&mut sum, step.x(1));
        Ok(sum.into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.wants(0) && step.wants(1) {
            step.give(0, dy.clone());
            step.give(1, dy);
        } else {
            let input = usize::from(!step.wants(0));
            step.give(input, dy);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let inputs = [graph.input(0), graph.input(1)];
        graph.add("Add", &inputs, vec![])
    }
}
