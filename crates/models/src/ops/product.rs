//! What convolutions and linear layers share: both are a product with the weights, which is the node's first parameter.

use super::{Backward, Forward, Op};
use crate::graph::{Network, Node};
use wellfit_kernels::conv::Conv as Shape;
use wellfit_kernels::{Buffer, Element, Epilogue};

/// The kernel's shape for a batch, if the node is a product.
pub(crate) fn shape(network: &Network, node: &Node, batch: usize) -> Option<Shape> {
    let from = network.shape(node.inputs[0]);
    match node.op {
        Op::Conv(super::Conv { channels, kernel, stride, padding }) => Some(Shape {
            batch,
            height: from.height,
            width: from.width,
            channels_in: from.channels,
            channels_out: channels,
            kernel,
            stride,
            padding,
            algorithm: network.algorithm,
        }),
        Op::Linear(super::Linear { features }) => Some(Shape::linear(batch, from.len(), features)),
        _ => None,
    }
}

/// The bias of a linear layer.
pub(crate) fn bias<'a>(network: &'a Network, node: &Node) -> Option<&'a [f32]> {
    node.parameters.get(1).map(|&place| &*network.parameters[place].value)
}

/// The product of a node that runs by itself.
pub(super) fn forward<E: Element>(step: &Forward<'_, E>) -> Buffer<E> {
    let node = step.node();
    let Some(shape) = shape(step.network, node, step.batch()) else { return Buffer::scratch(0) };
    let bias = bias(step.network, node);
    shape.forward_with(step.x(0), step.parameter(0), Epilogue { bias, ..Epilogue::default() })
}

/// The gradients of weights and input.
pub(super) fn backward<E: Element>(step: &mut Backward<'_, '_, E>, dy: &Buffer<E>) {
    let Some(shape) = shape(step.network, step.node, step.batch()) else { return };
    let (x, w) = (step.x(0), step.parameter(0));
    if step.trains(0) {
        step.give_parameter(0, shape.weight_gradient(x, dy));
    }
    if step.wants(0) {
        shape.data_gradient(dy, w, step.destination(0));
    }
}
