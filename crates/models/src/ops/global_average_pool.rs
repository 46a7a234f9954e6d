//! The mean of each channel over all pixels: torch's `AdaptiveAvgPool2d(1)`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::{Buffer, Element, pool};

/// `[N, H, W, C]` to `[N, C]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalAveragePool;

impl Operation for GlobalAveragePool {
    fn kind(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "AdaptiveAvgPool2d(output_size=1)".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        Shape::features(inputs[0].channels)
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let from = step.input(0);
        Ok(pool::global_average(step.x(0), from.pixels(), from.channels).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        let from = step.input(0);
        if step.wants(0) {
            pool::global_average_backward(&dy, from.pixels(), from.channels, step.destination(0));
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        graph.add("GlobalAveragePool", &[input], vec![])
    }
}
