//! What mobile networks are built of: the inverted residual block (Sandler et al. 2018, arXiv:1801.04381) with
//! squeeze-and-excitation (Hu et al. 2018, arXiv:1709.01507), under torchvision's names.

use crate::graph::{Builder, Shape, Value};
use crate::ops::{BatchNorm, GroupedConv, Op, PointwiseConv, ScaleChannels, StochasticDepth, ZeroPad};

/// The zeros around images before a k×k convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// k/2 on each side, as torch's own networks have it.
    Even,
    /// TensorFlow's `SAME`: as many as ⌈size / stride⌉ outputs need; where their number is odd, the last is at the end.
    Same,
}

impl Padding {
    /// The zeros before and behind an axis of `size` pixels.
    fn sides(self, size: usize, kernel: usize, stride: usize) -> [usize; 2] {
        match self {
            Self::Even => [kernel / 2; 2],
            Self::Same => {
                let all = ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
                [all / 2, all.div_ceil(2)]
            }
        }
    }

    /// What a convolution over `input` reads, and the padding on all sides that is left to it.
    fn apply(
        self,
        net: &mut Builder,
        name: &str,
        input: Value,
        (kernel, stride): (usize, usize),
    ) -> (Value, usize) {
        let Shape { height, width, .. } = net.shape(input);
        let sides = [height, width].map(|size| self.sides(size, kernel, stride));
        let common = sides.as_flattened().iter().copied().min().unwrap_or(0);
        let [rows, columns] = sides.map(|sides| sides.map(|zeros| zeros - common));
        if [rows, columns] == [[0; 2]; 2] {
            return (input, common);
        }
        (net.op(&format!("{name}.pad"), ZeroPad { rows, columns }, &[input]), common)
    }
}

/// Squeeze-and-excitation: the means of the channels, two layers, and a gate for each channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excitation {
    /// Channels between the two layers.
    pub squeeze: usize,
    /// The activation there.
    pub inside: Op,
    /// The function that makes the gates.
    pub gate: Op,
}

/// An inverted residual block: 1×1 to more channels, depth-wise, excitation, 1×1 to fewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Channels of its input.
    pub channels: usize,
    /// Channels of the depth-wise convolution; where they are those of the input, there is no 1×1 before it.
    pub inner: usize,
    /// Channels of its output. Where input and output have one shape, the input is added.
    pub out: usize,
    /// k of the depth-wise k×k.
    pub kernel: usize,
    /// Its stride.
    pub stride: usize,
    /// Its padding.
    pub padding: Padding,
    /// The activation behind the first two convolutions.
    pub activation: Op,
    pub excitation: Option<Excitation>,
    pub norm: BatchNorm,
    /// The probability with which a sample skips the block in training, where the input is added.
    pub dropped: f32,
}

/// A convolution (channels, kernel, stride) without bias, its normalisation and an activation: `NAME.0` to `NAME.2`.
pub(super) fn conv_norm(
    net: &mut Builder,
    name: &str,
    input: Value,
    (channels, kernel, stride): (usize, usize, usize),
    padding: Padding,
    norm: BatchNorm,
    activation: Option<Op>,
) -> Value {
    let (input, padding) = padding.apply(net, name, input, (kernel, stride));
    let value = net.conv(&format!("{name}.0"), input, channels, kernel, stride, padding);
    normalised(net, name, value, norm, activation)
}

fn normalised(net: &mut Builder, name: &str, value: Value, norm: BatchNorm, activation: Option<Op>) -> Value {
    let value = net.op(&format!("{name}.1"), norm, &[value]);
    activation.map_or(value, |activation| net.op(&format!("{name}.2"), activation, &[value]))
}

/// A [`Block`]: its layers are `NAME.block.0` and so on.
pub(super) fn inverted_residual(net: &mut Builder, name: &str, input: Value, block: &Block) -> Value {
    let &Block { channels, inner, out, kernel, stride, padding, activation, excitation, norm, dropped } =
        block;
    let mut layers = (0..).map(|place| format!("{name}.block.{place}"));
    let mut layer = || layers.next().unwrap_or_default();
    let mut value = input;
    if inner != channels {
        value = conv_norm(net, &layer(), value, (inner, 1, 1), padding, norm, Some(activation));
    }
    let depthwise = layer();
    let (padded, border) = padding.apply(net, &depthwise, value, (kernel, stride));
    let conv = GroupedConv { channels: inner, groups: inner, kernel, stride, padding: border };
    value = net.op(&format!("{depthwise}.0"), conv, &[padded]);
    value = normalised(net, &depthwise, value, norm, Some(activation));
    if let Some(excitation) = excitation {
        value = squeeze_and_excite(net, &layer(), value, inner, excitation);
    }
    value = conv_norm(net, &layer(), value, (out, 1, 1), padding, norm, None);
    if stride != 1 || channels != out {
        return value;
    }
    if dropped > 0.0 {
        value = net.op(&format!("{name}.stochastic_depth"), StochasticDepth { p: dropped }, &[value]);
    }
    net.add(&format!("{name}.add"), value, input)
}

fn squeeze_and_excite(
    net: &mut Builder,
    name: &str,
    input: Value,
    channels: usize,
    excitation: Excitation,
) -> Value {
    let Excitation { squeeze, inside, gate } = excitation;
    let value = net.global_average_pool(&format!("{name}.avgpool"), input);
    let value = net.op(&format!("{name}.fc1"), PointwiseConv { channels: squeeze }, &[value]);
    let value = net.op(&format!("{name}.activation"), inside, &[value]);
    let value = net.op(&format!("{name}.fc2"), PointwiseConv { channels }, &[value]);
    let value = net.op(&format!("{name}.scale_activation"), gate, &[value]);
    net.op(&format!("{name}.scale"), ScaleChannels, &[input, value])
}
