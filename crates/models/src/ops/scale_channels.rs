//! Each channel of an image times a factor: the "excitation" of squeeze-and-excitation (Hu et al. 2018,
//! arXiv:1709.01507).

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::Shape;
use crate::onnx::{Graph, Tensor};
use wellfit_kernels::{Buffer, Element, activation};

/// y = x·g: x an image `[N, H, W, C]`, g `[N, C]`, broadcast over the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleChannels;

impl Operation for ScaleChannels {
    fn kind(&self) -> &'static str {
        "scale"
    }

    fn describe(&self, _: &[Shape], _: Shape) -> String {
        "Mul()".to_owned()
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        let Shape { channels, .. } = step.input(0);
        Ok(activation::scale_channels(step.x(0), step.x(1), step.input(0).pixels(), channels).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        let (x, g, from) = (step.x(0), step.x(1), step.input(0));
        let dg = activation::scale_channels_backward(&mut dy, x, g, from.pixels(), from.channels);
        if step.wants(1) {
            step.give(1, dg);
        }
        if step.wants(0) {
            step.give(0, dy);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let inputs = [graph.input(0), graph.input(1)];
        graph.add("Mul", &inputs, vec![])
    }
}
