//! Convolution without bias: torch's `Conv2d(bias=False)`.

use super::{Backward, Forward, Made, Operation, product};
use crate::ModelError;
use crate::graph::{Init, Layout, ParameterSpec, Shape};
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::{Buffer, Element};

/// y = x ⊛ w, with square windows and equal stride and zero padding on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Channels it gives.
    pub channels: usize,
    /// k of k×k.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding.
    pub padding: usize,
}

impl Operation for Conv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn describe(&self, inputs: &[Shape], _: Shape) -> String {
        let Self { channels, kernel, stride, padding } = self;
        format!(
            "Conv2d({}, {channels}, kernel_size={kernel}, stride={stride}, padding={padding}, bias=False)",
            inputs[0].channels
        )
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0].windows(self.kernel, self.stride, self.padding, self.channels)
    }

    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let Self { channels, kernel, .. } = *self;
        vec![ParameterSpec {
            suffix: "weight",
            shape: vec![channels, inputs[0].channels, kernel, kernel],
            layout: Layout::Conv,
            init: Init::HeNormal { fan_out: channels * kernel * kernel },
        }]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(product::forward(step).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        product::backward(step, &dy);
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let window = Attribute::window(self.kernel, self.stride, self.padding);
        let inputs = [graph.input(0), graph.parameter(0)];
        graph.add("Conv", &inputs, window)
    }
}
