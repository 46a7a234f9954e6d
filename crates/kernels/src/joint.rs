//! The backward pass of a 1×1 convolution and of the BatchNorm behind it, some pixels at a time.
//!
//! The gradient of the convolution's output is that of the normalisation's input. To write it takes a pass over three
//! tensors, and both products of the convolution read it again. Here some rows of it are computed in the second-level
//! cache, both products take them from there, and none reaches memory.

use crate::finish::Finish;
use crate::gemm::{Block, Product, Rows};
use crate::norm::InputGradient;
use crate::outer::{Shape, fetch, in_parts, most_rows, pack};
use crate::panels::Panels;
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::Shared;
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{Kernel, Simd, dispatch_on};

/// A convolution's input and the gradient of what is behind its normalisation, a pixel a row.
pub(crate) struct Joint<'a> {
    pub rows: usize,
    /// `[rows, channels_in]`.
    pub x: &'a [f32],
    pub channels_in: usize,
    /// Wᵀ: one row an output channel.
    pub weights: &'a Panels,
    /// The normalisation's input, `[rows, channels_out]`, and the gradient of its output.
    pub y: &'a [f32],
    pub dy: &'a [f32],
    pub channels_out: usize,
    pub gradient: &'a InputGradient,
    /// Where and how the gradient of `x` is written.
    pub finish: Finish<'a>,
}

/// Channels come in multiples of this: whole panels of every instruction set.
pub(crate) const CHANNELS: usize = 32;
/// Floats of a block's operands.
const BUDGET: usize = 1 << 17;

impl Joint<'_> {
    /// Write the gradient of `x` and give that of the weights, `[channels_in, channels_out]`.
    ///
    /// # Safety
    /// `finish.out` holds as many floats as `x`, which nobody else uses meanwhile.
    pub(crate) unsafe fn run(&self) -> Buffer {
        in_parts(self.rows, self.channels_in * self.channels_out, |rows, dw| {
            dispatch_on(self.weights.set, Part { joint: self, rows, dw });
        })
    }
}

struct Part<'a> {
    joint: &'a Joint<'a>,
    rows: Range<usize>,
    dw: Shared,
}

impl Kernel for Part<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let &Joint { x, channels_in, weights, y, dy, channels_out, ref finish, .. } = self.joint;
        let (left_width, width) = (weights.set.left_width(), 2 * S::LANES);
        // Whole tiles of every height.
        let block = (BUDGET / (channels_in + channels_out)).min(most_rows::<S>()) / 12 * 12;
        let mut left = Buffer::scratch(block * channels_in.next_multiple_of(left_width));
        let mut right = Buffer::scratch(block * channels_out);
        let shape = Shape { rows: channels_in, columns: channels_out, stride: channels_out, fresh: false };
        let segments = channels_out / width;
        let product = Product { rows: self.joint.rows, segments, depth: width, b: weights, finish: *finish };
        for start in self.rows.clone().step_by(block) {
            let count = block.min(self.rows.end - start);
            match width {
                32 => self.gradient_of_normalisation::<32>(start, count, &mut right),
                16 => self.gradient_of_normalisation::<16>(start, count, &mut right),
                _ => self.gradient_of_normalisation::<8>(start, count, &mut right),
            }
            let rows = Packed { panels: right.as_ptr(), start, count, segments, width, channels_in };
            let watch = Watch::start();
            // SAFETY: the panels hold `count` rows, each pixel's gradient is written once, and what is read of `x`,
            // `y` and `dy` are rows of theirs.
            unsafe {
                Block { product: &product, rows: &rows, first: 0, count, from: 0, to: weights.count() }
                    .run::<S>();
                watch.product(count * channels_in * channels_out);
                pack(
                    |row| x[(start + row) * channels_in..].as_ptr(),
                    count,
                    channels_in,
                    left_width,
                    &mut left,
                );
                let soon = |row: usize| {
                    let row = start + count + row;
                    fetch::<S>(x.as_ptr().wrapping_add(row * channels_in), channels_in);
                    fetch::<S>(y.as_ptr().wrapping_add(row * channels_out), channels_out);
                    fetch::<S>(dy.as_ptr().wrapping_add(row * channels_out), channels_out);
                };
                let next = block.min(self.rows.end - start - count);
                shape.add::<S>((&left, left_width), &right, count, self.dw, (next, soon));
            }
        }
    }
}

impl Part<'_> {
    /// Some rows of the gradient of the normalisation's input, in panels `[channels_out / N][count][N]`.
    #[inline(always)]
    fn gradient_of_normalisation<const N: usize>(&self, start: usize, count: usize, panels: &mut [f32]) {
        let &Joint { y, dy, channels_out, gradient, .. } = self.joint;
        let panels = panels.as_chunks_mut::<N>().0;
        for row in 0..count {
            let floats = (start + row) * channels_out..(start + row + 1) * channels_out;
            let write = |panel, part: &[f32; N]| panels[panel * count + row] = *part;
            gradient.row::<N>(&dy[floats.clone()], &y[floats], write);
        }
    }
}

/// Rows that lie in panels, one segment in each.
struct Packed {
    panels: *const f32,
    /// The pixel of the first row.
    start: usize,
    count: usize,
    segments: usize,
    width: usize,
    channels_in: usize,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl Sync for Packed {}

impl Rows for Packed {
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const f32],
        place: impl Fn(usize) -> usize,
        stride: usize,
    ) {
        for row in first..first + count {
            let slots = table[place(row - first)..].iter_mut().step_by(stride);
            for (segment, slot) in slots.take(self.segments).enumerate() {
                *slot = self.panels.wrapping_add((segment * self.count + row) * self.width);
            }
        }
    }

    fn step(&self) -> Option<usize> {
        None
    }

    fn output(&self, row: usize) -> usize {
        (self.start + row) * self.channels_in
    }
}
