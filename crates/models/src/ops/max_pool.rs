//! Max pooling: torch's `MaxPool2d`.

use super::{Backward, Forward, Made, Memory, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::{Buffer, Element, pool};

/// The largest value of each window; padding counts as −∞.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    /// Window size.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Padding.
    pub padding: usize,
}

impl MaxPool {
    fn kernel(&self, batch: usize, from: Shape) -> pool::MaxPool {
        let (Shape { height, width, channels }, Self { kernel, stride, padding }) = (from, *self);
        pool::MaxPool { batch, height, width, channels, kernel, stride, padding }
    }
}

impl Operation for MaxPool {
    fn kind(&self) -> &'static str {
        "pool"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        let Self { kernel, stride, padding } = self;
        format!("MaxPool2d(kernel_size={kernel}, stride={stride}, padding={padding})")
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0].windows(self.kernel, self.stride, self.padding, inputs[0].channels)
    }

    /// The place of the largest in its window.
    fn remembered_bytes(&self, output: usize) -> usize {
        output
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let (value, taps) = self.kernel(step.batch(), step.input(0)).forward(step.x(0));
        Ok(Made { value, product: None, memory: Memory::Bytes(taps) })
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if let Memory::Bytes(taps) = step.memory()
            && step.wants(0)
        {
            let dx = self.kernel(step.batch(), step.input(0)).backward(&dy, taps);
            step.give(0, dx);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let window = Attribute::window(self.kernel, self.stride, self.padding);
        let input = graph.input(0);
        graph.add("MaxPool", &[input], window)
    }
}
