//! What convolutions and linear layers share: both are a product with the weights, which is the node's first parameter.

use super::{Backward, Forward, Op};
use crate::graph::{Network, Node};
use wellfit_kernels::conv::{Conv as Shape, DepthwiseConv};
use wellfit_kernels::norm::{self, Statistics};
use wellfit_kernels::{Buffer, Element, Epilogue};

/// The kernel of a node whose output a normalisation may take over while it is written.
pub(crate) enum Kernel {
    /// A product with the weights.
    Product(Shape),
    /// A depth-wise convolution.
    Depthwise(DepthwiseConv),
}

impl Kernel {
    /// That of a node, if it has one.
    pub(crate) fn of(network: &Network, node: &Node, batch: usize) -> Option<Self> {
        match &node.op {
            Op::GroupedConv(op) => op.depthwise(batch, network.shape(node.inputs[0])).map(Self::Depthwise),
            _ => shape(network, node, batch).map(Self::Product),
        }
    }

    /// The output after an epilogue.
    pub(crate) fn forward_with<E: Element>(
        &self,
        x: &[E],
        weight: &[f32],
        epilogue: Epilogue<'_, E>,
    ) -> Buffer<E> {
        match self {
            Self::Product(shape) => shape.forward_with(x, weight, epilogue),
            Self::Depthwise(conv) if epilogue.residual.is_some() => {
                norm::affine(&conv.forward(x, weight), conv.channels, epilogue)
            }
            Self::Depthwise(conv) => conv.forward_with(x, weight, epilogue),
        }
    }

    /// The output with its statistics.
    pub(crate) fn forward_with_statistics<E: Element>(
        &self,
        x: &[E],
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> (Buffer<E>, Statistics) {
        match self {
            Self::Product(shape) => shape.forward_with_statistics(x, weight, bias),
            Self::Depthwise(conv) => conv.forward_with_statistics(x, weight),
        }
    }
}

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
        Op::PointwiseConv(super::PointwiseConv { channels }) => {
            Some(Shape::linear(batch * from.pixels(), from.channels, channels))
        }
        Op::Linear(super::Linear { features }) => Some(Shape::linear(batch, from.len(), features)),
        _ => None,
    }
}

/// The bias of a linear layer or a 1×1 convolution.
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
