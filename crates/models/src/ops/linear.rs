//! A linear layer over the whole sample: torch's `Flatten` and `Linear`.

use super::{Backward, Forward, Made, Operation, product};
use crate::ModelError;
use crate::graph::{Init, Layout, ParameterSpec, Shape};
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::{Buffer, Element, elementwise};

/// y = xWᵀ + b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear {
    /// Features it gives.
    pub features: usize,
}

impl Operation for Linear {
    fn kind(&self) -> &'static str {
        "linear"
    }

    fn describe(&self, inputs: &[Shape], _: Shape) -> String {
        format!("Linear(in_features={}, out_features={}, bias=True)", inputs[0].len(), self.features)
    }

    fn shape(&self, _: &[Shape]) -> Shape {
        Shape::features(self.features)
    }

    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let fan_in = inputs[0].len();
        let init = Init::Uniform { fan_in };
        let (shape, layout) = (vec![self.features, fan_in], Layout::Linear(inputs[0]));
        let weight = ParameterSpec { suffix: "weight", shape, layout, init };
        let bias = ParameterSpec { suffix: "bias", shape: vec![self.features], layout: Layout::Plain, init };
        vec![weight, bias]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(product::forward(step).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if step.trains(1) {
            step.give_parameter(1, elementwise::sum_rows(&dy, self.features));
        }
        product::backward(step, &dy);
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let inputs = [graph.flat_input(0), graph.parameter(0), graph.parameter(1)];
        graph.add("Gemm", &inputs, vec![("transB", Attribute::Int(1))])
    }
}
