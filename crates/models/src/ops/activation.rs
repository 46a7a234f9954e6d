//! Activations of each value besides ReLU, which a network has by the dozen: ReLU6 (Sandler et al. 2018,
//! arXiv:1801.04381), hard swish and hard sigmoid (Howard et al. 2019, arXiv:1905.02244, section 5.2), SiLU or swish
//! (Elfwing et al. 2018, arXiv:1702.03118) and the logistic function, under torch's names.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::activation::{self, Gate, Swish};
use wellfit_kernels::{Buffer, Element};

/// A function of each value; NaN stays NaN. Its slope at a kink is torch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// min(max(x, 0), 6).
    Relu6,
    /// x·relu6(x + 3)/6.
    Hardswish,
    /// x·σ(x), with σ(x) = 1/(1 + e⁻ˣ).
    Silu,
    /// relu6(x + 3)/6.
    Hardsigmoid,
    /// σ(x) = 1/(1 + e⁻ˣ).
    Sigmoid,
}

/// The kernels of an activation.
enum Kernel {
    /// Its slope follows from its input.
    Swish(Swish),
    /// Its slope follows from its output.
    Gate(Gate),
}

impl Activation {
    fn kernel(self) -> Kernel {
        match self {
            Self::Relu6 => Kernel::Swish(Swish::Relu6),
            Self::Hardswish => Kernel::Swish(Swish::Hard),
            Self::Silu => Kernel::Swish(Swish::Sigmoid),
            Self::Hardsigmoid => Kernel::Gate(Gate::Hard),
            Self::Sigmoid => Kernel::Gate(Gate::Sigmoid),
        }
    }

    /// The kernel that a normalisation before it may run with its own.
    pub(crate) fn behind_norm(self) -> Option<Swish> {
        if let Kernel::Swish(swish) = self.kernel() { Some(swish) } else { None }
    }
}

impl Operation for Activation {
    fn kind(&self) -> &'static str {
        match self {
            Self::Relu6 => "relu6",
            Self::Hardswish => "hardswish",
            Self::Silu => "silu",
            Self::Hardsigmoid => "hardsigmoid",
            Self::Sigmoid => "sigmoid",
        }
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        let name = match self {
            Self::Relu6 => "ReLU6",
            Self::Hardswish => "Hardswish",
            Self::Silu => "SiLU",
            Self::Hardsigmoid => "Hardsigmoid",
            Self::Sigmoid => "Sigmoid",
        };
        format!("{name}()")
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        Ok(match self.kernel() {
            Kernel::Swish(swish) => activation::swish(swish, step.x(0)).into(),
            Kernel::Gate(gate) => activation::gate(gate, step.x(0)).into(),
        })
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        if step.wants(0) {
            match self.kernel() {
                Kernel::Swish(swish) => activation::swish_backward(swish, &mut dy, step.x(0)),
                Kernel::Gate(gate) => activation::gate_backward(gate, &mut dy, step.y()),
            }
            step.give(0, dy);
        }
    }

    /// ReLU6's ends are inputs since opset 11; hard swish is there since opset 14, SiLU since opset 24 only, so it is x
    /// times its sigmoid. ONNX's hard sigmoid is max(0, min(1, α·x + β)), with β = 0.5 where it is not given.
    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let input = graph.input(0);
        match self {
            Self::Relu6 => {
                let [min, max] = [("min", 0.0), ("max", 6.0)].map(|(part, value)| {
                    graph.add_part(part, "Constant", &[], vec![("value_float", Attribute::Float(value))])
                });
                graph.add("Clip", &[input, min, max], vec![])
            }
            Self::Hardswish => graph.add("HardSwish", &[input], vec![]),
            Self::Silu => {
                let gate = graph.add_part("sigmoid", "Sigmoid", std::slice::from_ref(&input), vec![]);
                graph.add("Mul", &[input, gate], vec![])
            }
            Self::Hardsigmoid => {
                graph.add("HardSigmoid", &[input], vec![("alpha", Attribute::Float(1.0 / 6.0))])
            }
            Self::Sigmoid => graph.add("Sigmoid", &[input], vec![]),
        }
    }
}
