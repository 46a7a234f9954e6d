//! A 1×1 convolution with bias: torch's `Conv2d(kernel_size=1)`, as in squeeze-and-excitation.

use super::{Backward, Forward, Made, Operation, product};
use crate::ModelError;
use crate::graph::{Init, Layout, ParameterSpec, Shape};
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::{Buffer, Element, elementwise};

/// y = xWᵀ + b at each pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointwiseConv {
    /// Channels it gives.
    pub channels: usize,
}

impl Operation for PointwiseConv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn describe(&self, inputs: &[Shape], _: Shape) -> String {
        format!(
            "Conv2d({}, {}, kernel_size=1, stride=1, padding=0, bias=True)",
            inputs[0].channels, self.channels
        )
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        Shape { channels: self.channels, ..inputs[0] }
    }

    /// Initial values as torchvision's for the convolutions of mobile networks: He's for the weights, 0 for the bias.
    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let channels = self.channels;
        let weight = ParameterSpec {
            suffix: "weight",
            shape: vec![channels, inputs[0].channels, 1, 1],
            layout: Layout::Conv,
            init: Init::HeNormal { fan_out: channels },
        };
        let bias = ParameterSpec {
            suffix: "bias",
            shape: vec![channels],
            layout: Layout::Plain,
            init: Init::Constant(0.0),
        };
        vec![weight, bias]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(product::forward(step).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.trains(1) {
            step.give_parameter(1, elementwise::sum_rows(&dy, self.channels));
        }
        product::backward(step, &dy);
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let inputs = [graph.input(0), graph.parameter(0), graph.parameter(1)];
        graph.add("Conv", &inputs, Attribute::window(1, 1, 0))
    }
}
