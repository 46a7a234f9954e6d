//! Grouped convolution without bias (Xie et al. 2017, arXiv:1611.05431): torch's `Conv2d(groups=G, bias=False)`.

use super::{Backward, Forward, Made, Operation};
use crate::ModelError;
use crate::graph::{Init, Layout, Network, ParameterSpec, Shape};
use crate::onnx::{Attribute, Graph, Tensor};
use wellfit_kernels::conv::{self, DepthwiseConv};
use wellfit_kernels::{Buffer, Element};

/// The channels of x fall into groups of neighbours, and so do those of y; each group is a convolution y = x ⊛ w of its
/// own, with square windows and equal stride and zero padding on both axes. `groups` divides the channels of both. Where
/// every channel is a group, it is a depth-wise convolution, with a kernel of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupedConv {
    /// Channels it gives, of all groups together.
    pub channels: usize,
    /// How many groups.
    pub groups: usize,
    /// k of k×k.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding.
    pub padding: usize,
}

impl GroupedConv {
    /// The kernel where every channel is a group, if there is one for this shape.
    pub(crate) fn depthwise(&self, batch: usize, from: Shape) -> Option<DepthwiseConv> {
        let Self { channels, groups, kernel, stride, padding } = *self;
        let Shape { height, width, .. } = from;
        let alone = groups == channels && groups == from.channels;
        (alone && DepthwiseConv::suits(channels, kernel, stride, padding)).then_some(DepthwiseConv {
            batch,
            height,
            width,
            channels,
            kernel,
            stride,
            padding,
        })
    }

    fn kernel(&self, network: &Network, batch: usize, from: Shape) -> conv::GroupedConv {
        let Self { channels, groups, kernel, stride, padding } = *self;
        let group = conv::Conv {
            batch,
            height: from.height,
            width: from.width,
            channels_in: from.channels / groups,
            channels_out: channels / groups,
            kernel,
            stride,
            padding,
            algorithm: network.algorithm,
        };
        conv::GroupedConv { groups, group }
    }
}

impl Operation for GroupedConv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn describe(&self, inputs: &[Shape], _: Shape) -> String {
        let Self { channels, groups, kernel, stride, padding } = self;
        let from = inputs[0].channels;
        format!(
            "Conv2d({from}, {channels}, kernel_size={kernel}, stride={stride}, padding={padding}, \
             groups={groups}, bias=False)"
        )
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0].windows(self.kernel, self.stride, self.padding, self.channels)
    }

    /// torch's `kaiming_normal_(mode="fan_out")` counts the channels of all groups, and so torchvision's ResNeXt.
    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let Self { channels, groups, kernel, .. } = *self;
        // `[out, 1, k, k]` as of a convolution with one input channel is `[k, k, out]`, which the depth-wise kernel reads.
        let depthwise = self.depthwise(1, inputs[0]).is_some();
        vec![ParameterSpec {
            suffix: "weight",
            shape: vec![channels, inputs[0].channels / groups, kernel, kernel],
            layout: if depthwise { Layout::Conv } else { Layout::GroupedConv { groups } },
            init: Init::HeNormal { fan_out: channels * kernel * kernel },
        }]
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        if let Some(kernel) = self.depthwise(step.batch(), step.input(0)) {
            return Ok(kernel.forward(step.x(0), step.parameter(0)).into());
        }
        let kernel = self.kernel(step.network, step.batch(), step.input(0));
        Ok(kernel.forward(step.x(0), step.parameter(0)).into())
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, dy: Buffer<E>) {
        if let Some(kernel) = self.depthwise(step.batch(), step.input(0)) {
            if step.trains(0) {
                step.give_parameter(0, kernel.weight_gradient(step.x(0), &dy));
            }
            if step.wants(0) {
                let weight = step.parameter(0);
                kernel.data_gradient(&dy, weight, step.destination(0));
            }
            return;
        }
        let kernel = self.kernel(step.network, step.batch(), step.input(0));
        if step.trains(0) {
            step.give_parameter(0, kernel.weight_gradient(step.x(0), &dy));
        }
        if step.wants(0) {
            let weight = step.parameter(0);
            kernel.data_gradient(&dy, weight, step.destination(0));
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let mut attributes = Attribute::window(self.kernel, self.stride, self.padding);
        attributes.push(("group", Attribute::Int(self.groups as i64)));
        let inputs = [graph.input(0), graph.parameter(0)];
        graph.add("Conv", &inputs, attributes)
    }
}
