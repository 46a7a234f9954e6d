//! Tensors of weights, and how torch's layout maps to ours.

use super::Shape;
use wellfit_kernels::Buffer;

/// How torch's layout of a parameter maps to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The same.
    Plain,
    /// torch `[out, in, k, k]`, ours `[k, k, in, out]`.
    Conv,
    /// torch `[out, in/G, k, k]`, ours `[G, k, k, in/G, out/G]`: each group as a convolution of its own.
    GroupedConv {
        /// G.
        groups: usize,
    },
    /// torch `[out, C·H·W]`, ours `[H·W·C, out]`, for an input of this shape.
    Linear(Shape),
}

/// How fresh values are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All the same.
    Constant(f32),
    /// N(0, 2/fan_out), torchvision's for convolutions (He et al. 2015, arXiv:1502.01852).
    HeNormal {
        /// Outputs that one weight's input reaches: channels out × taps.
        fan_out: usize,
    },
    /// N(0, deviation²), torchvision's for MobileNet's linear layers.
    Normal {
        /// The standard deviation.
        deviation: f32,
    },
    /// U(±bound), torchvision's for EfficientNet's linear layer.
    Within {
        /// The largest value.
        bound: f32,
    },
    /// U(±1/√fan_in), torch's default for linear layers.
    Uniform {
        /// Inputs of one output.
        fan_in: usize,
    },
}

/// What an operation asks for: a tensor of weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// The part of torch's name behind the layer's, such as `weight`.
    pub suffix: &'static str,
    /// torch's shape.
    pub shape: Vec<usize>,
    /// From torch's layout to ours.
    pub layout: Layout,
    /// How fresh values are drawn.
    pub init: Init,
}

/// A tensor of weights.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// torch's name, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// torch's shape.
    pub shape: Vec<usize>,
    /// From torch's layout to ours.
    pub layout: Layout,
    /// How fresh values are drawn.
    pub init: Init,
    /// The values in our layout.
    pub value: Buffer,
    /// Whether training changes it.
    pub trainable: bool,
    /// What the learning rate is multiplied by for it.
    pub lr_factor: f64,
}

impl Parameter {
    /// How many numbers it has; no overflow, whatever the shape.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shape.iter().fold(1, |product, &extent| product.saturating_mul(extent))
    }

    /// `ours` (the values, a gradient or a moment) in torch's layout.
    #[must_use]
    pub fn to_torch(&self, ours: &[f32]) -> Vec<f32> {
        let mut torch = vec![0.0; ours.len()];
        self.write_torch(ours, &mut torch, |value| value);
        torch
    }

    /// `ours` in torch's layout, each number as `encode` makes it.
    pub(crate) fn write_torch<T>(&self, ours: &[f32], torch: &mut [T], encode: impl Fn(f32) -> T) {
        let Some((groups, sizes)) = self.groups() else {
            return torch.iter_mut().zip(ours).for_each(|(torch, &value)| *torch = encode(value));
        };
        let length = (ours.len() / groups).max(1);
        for (ours, torch) in ours.chunks(length).zip(torch.chunks_mut(length)) {
            write_group(ours, torch, sizes, &encode);
        }
    }

    /// Take over values in torch's layout.
    pub fn set_from_torch(&mut self, torch: &[f32]) {
        let mut value = std::mem::replace(&mut self.value, Buffer::scratch(0));
        self.permute(torch, &mut value);
        self.value = value;
    }

    /// Values in torch's layout as `ours`.
    pub(crate) fn permute(&self, torch: &[f32], ours: &mut [f32]) {
        self.each_place(|theirs, place| ours[place] = torch[theirs]);
    }

    /// Visit (place in torch's layout, place in ours).
    fn each_place(&self, mut visit: impl FnMut(usize, usize)) {
        let Some((groups, (out, channels, taps))) = self.groups() else {
            return (0..self.shape.iter().product()).for_each(|place| visit(place, place));
        };
        for group in 0..groups {
            let start = group * out * channels * taps;
            each_place(out, channels, taps, |theirs, ours| visit(start + theirs, start + ours));
        }
    }

    /// The number of groups, and O, I and taps of one: `[O, I, taps]` in torch's layout, `[taps, I, O]` in ours, the
    /// pixels of a flattened image being taps too. Groups follow each other in both. None where the layouts are the
    /// same.
    fn groups(&self) -> Option<(usize, (usize, usize, usize))> {
        match (self.layout, &self.shape[..]) {
            (Layout::Conv, &[out, channels, kernel, _]) => Some((1, (out, channels, kernel * kernel))),
            (Layout::GroupedConv { groups }, &[out, channels, kernel, _]) => {
                Some((groups, (out / groups, channels, kernel * kernel)))
            }
            (Layout::Linear(from), &[out, _]) => Some((1, (out, from.channels, from.pixels()))),
            _ => None,
        }
    }
}

/// One group of ours, `[taps, I, O]`, as torch's `[O, I, taps]`.
///
/// A row of theirs is that of one output. Blocks of some rows are written from left to right, so that the lines of
/// theirs and of ours that are in use together fit into the processor's first cache.
fn write_group<T>(
    ours: &[f32],
    torch: &mut [T],
    (out, channels, taps): (usize, usize, usize),
    encode: impl Fn(f32) -> T,
) {
    /// A cache line of ours.
    const ROWS: usize = 16;
    let width = channels * taps;
    if width == 0 {
        return;
    }
    for (block, rows) in torch.chunks_mut(ROWS * width).enumerate() {
        let mut rows: Vec<&mut [T]> = rows.chunks_mut(width).collect();
        for (channel, tap) in (0..channels).flat_map(|channel| (0..taps).map(move |tap| (channel, tap))) {
            let line = &ours[(tap * channels + channel) * out + block * ROWS..][..rows.len()];
            let column = channel * taps + tap;
            rows.iter_mut().zip(line).for_each(|(row, &value)| row[column] = encode(value));
        }
    }
}

/// Visit (place in torch's layout, place in ours) of one group.
fn each_place(out: usize, channels: usize, taps: usize, mut visit: impl FnMut(usize, usize)) {
    // A cache line of ours at a time, and as many lines of theirs side by side.
    for first in (0..out).step_by(16) {
        for (channel, tap) in (0..channels).flat_map(|c| (0..taps).map(move |tap| (c, tap))) {
            for o in first..out.min(first + 16) {
                visit((o * channels + channel) * taps + tap, (tap * channels + channel) * out + o);
            }
        }
    }
}
