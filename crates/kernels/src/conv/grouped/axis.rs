//! One axis of a pass: which inputs an output reads.

use crate::conv::shape::Conv;

/// Output m, of `count`, is at place `offset + apart·m`. It is the sum over k of input `first + step·m + k` times the
/// weight of tap `taps[k]`; inputs outside the image are zero.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub taps: Vec<usize>,
    pub first: isize,
    pub step: usize,
    pub offset: usize,
    pub apart: usize,
    pub count: usize,
}

impl Axis {
    /// From an image to the convolution's outputs, of which there are `count`.
    pub fn forward(conv: &Conv, count: usize) -> Self {
        let first = -(conv.padding as isize);
        Self { taps: (0..conv.kernel).collect(), first, step: conv.stride, offset: 0, apart: 1, count }
    }

    /// From the outputs' gradients back to the `size` inputs. With stride s they fall into s classes by their place modulo
    /// s, each with its own subset of the taps; a class without taps gets nothing.
    pub fn backward(conv: &Conv, size: usize) -> Vec<Self> {
        let Conv { kernel, stride, padding, .. } = *conv;
        let class = |phase: usize| {
            let start = (phase + padding) % stride;
            let taps: Vec<usize> = (start..kernel).step_by(stride).rev().collect();
            let last = ((phase + padding - start) / stride) as isize;
            let first = last + 1 - taps.len() as isize;
            Self {
                taps,
                first,
                step: 1,
                offset: phase,
                apart: stride,
                count: (size - phase).div_ceil(stride),
            }
        };
        (0..stride.min(size)).map(class).collect()
    }

    /// Inputs that `outputs` neighbours read, from the first to the last.
    pub fn reach(&self, outputs: usize) -> usize {
        (outputs - 1) * self.step + self.taps.len()
    }
}
