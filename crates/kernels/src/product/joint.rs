//! The backward pass of a 1×1 convolution and of the BatchNorm behind it, some pixels at a time.
//!
//! The gradient of the convolution's output is that of the normalisation's input. To write it takes a pass over three
//! tensors, and both products of the convolution read it again. Here some rows of it are computed in the second-level
//! cache, both products take them from there, and none reaches memory.

use super::gemm::{self, Product, ProductTask};
use super::outer::{PART_ROWS, in_parts, parts_of};
use super::pack::{fetch, lane_row, pack};
use super::panels::Panels;
use super::rectangle::{Operands, Rectangle, most_rows};
use super::rows::{Rows, place};
use crate::both::for_both;
use crate::epilogue::Store;
use crate::norm::InputGradient;
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::Shared;
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{Element, Kernel, Simd};

/// A convolution's input and the gradient of what is behind its normalisation, a pixel a row.
pub(crate) struct Joint<'a, E: Element> {
    pub rows: usize,
    /// `[rows, channels_in]`.
    pub x: &'a [E],
    pub channels_in: usize,
    /// Wᵀ: one row an output channel.
    pub weights: &'a Panels<E>,
    /// The normalisation's input, `[rows, channels_out]`, and the gradient of its output.
    pub y: &'a [E],
    pub dy: &'a [E],
    pub channels_out: usize,
    pub gradient: &'a InputGradient,
    /// Where and how the gradient of `x` is written.
    pub store: Store<'a, E>,
}

/// Channels come in multiples of this: whole panels of every instruction set.
pub(crate) const CHANNELS: usize = 32;
/// Lanes of a block's operands.
const BUDGET: usize = 1 << 17;

impl<E: Element> Joint<'_, E> {
    /// Write the gradient of `x` and give that of the weights, `[channels_in, channels_out]`.
    ///
    /// # Safety
    /// `store.out` holds as many numbers as `x`, which nobody else uses meanwhile.
    pub(crate) unsafe fn run(&self) -> Buffer {
        let parts = parts_of(self.rows, PART_ROWS);
        in_parts(self.rows, (parts, 1), self.channels_in * self.channels_out, |rows, _, dw| {
            compute(JointPart { joint: self, rows, dw });
        })
    }
}

for_both! { compute(part: JointPart) E::dispatch_on(part.joint.weights.set, part) }

pub(crate) struct JointPart<'a, E: Element> {
    joint: &'a Joint<'a, E>,
    rows: Range<usize>,
    dw: Shared,
}

impl<E: Element> Kernel for JointPart<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let &Joint { x, channels_in, weights, y, dy, channels_out, ref store, .. } = self.joint;
        let (left_width, width) = (weights.set.left_width(), 2 * S::LANES);
        // Whole tiles of every height.
        let lanes = (BUDGET / (channels_in + channels_out)).min(most_rows::<S>()) / 12 * 12;
        let block = lanes * E::PER_LANE;
        let mut left = Buffer::scratch(lanes * channels_in.next_multiple_of(left_width));
        let mut right = Gradients::new(block, channels_out);
        let segments = channels_out / width;
        let product = Product { rows: self.joint.rows, segments, depth: width, b: weights, store: *store };
        for start in self.rows.clone().step_by(block) {
            let count = block.min(self.rows.end - start);
            // SAFETY: `count` rows from `start` on exist.
            unsafe { self.gradient_of_normalisation::<S>(start, count, &mut right) }
            let rows = Packed { panels: right.rows.as_ptr(), start, count, segments, width, channels_in };
            let watch = Watch::start();
            // SAFETY: the panels hold `count` rows, each pixel's gradient is written once, and what is read of `x`,
            // `y` and `dy` are rows of theirs.
            unsafe {
                let to = weights.count();
                gemm::compute(ProductTask { product: &product, rows: &rows, first: 0, count, from: 0, to });
                watch.product::<E>(count * channels_in * channels_out);
                pack::<S, E>(
                    |row| x[(start + row) * channels_in..].as_ptr(),
                    count,
                    channels_in,
                    left_width,
                    &mut left,
                );
                let fetch_row = |row: usize| {
                    let row = start + count + row;
                    fetch::<S, E>(x.as_ptr().wrapping_add(row * channels_in), channels_in);
                    fetch::<S, E>(y.as_ptr().wrapping_add(row * channels_out), channels_out);
                    fetch::<S, E>(dy.as_ptr().wrapping_add(row * channels_out), channels_out);
                };
                let next = block.min(self.rows.end - start - count);
                let height = count.div_ceil(E::PER_LANE);
                let fresh = start == self.rows.start;
                let rectangle =
                    Rectangle { rows: channels_in, columns: channels_out, stride: channels_out, fresh };
                let operands = Operands { set: weights.set, left: &left, right: right.lanes(), height };
                rectangle.add::<E>(operands, self.dw, (next, &fetch_row));
            }
        }
    }
}

impl<E: Element> JointPart<'_, E> {
    /// Some rows of the gradient of the normalisation's input, in panels of two vectors `[panels][count][2·LANES]` and, where
    /// a lane holds numbers of several rows, in lanes `[panels][count / PER_LANE][2·LANES]`.
    ///
    /// # Safety
    /// The rows must exist, channels come in whole panels, and the machine must have `S`.
    #[inline(always)]
    unsafe fn gradient_of_normalisation<S: Simd>(&self, start: usize, count: usize, out: &mut Gradients<E>) {
        let &Joint { y, dy, channels_out, gradient, .. } = self.joint;
        let width = 2 * S::LANES;
        for row in 0..count {
            let from = (start + row) * channels_out;
            let (dy, y) = (dy[from..from + channels_out].as_ptr(), y[from..from + channels_out].as_ptr());
            for column in (0..channels_out).step_by(S::LANES) {
                let place = (column / width * count + row) * width + column % width;
                let to = out.rows[place..place + S::LANES].as_mut_ptr();
                // SAFETY: promised by the caller.
                unsafe {
                    let (dy, y) = (E::load::<S>(dy.add(column)), E::load::<S>(y.add(column)));
                    E::store::<S>(to, gradient.vector::<S>(column, dy, y));
                }
            }
        }
        if E::PER_LANE > 1 {
            let height = count.div_ceil(E::PER_LANE);
            for panel in 0..channels_out / width {
                let rows = &out.rows[panel * count * width..][..count * width];
                let lanes = &mut out.pairs[panel * height * width..][..height * width];
                for (pair, lanes) in rows.chunks(E::PER_LANE * width).zip(lanes.chunks_exact_mut(width)) {
                    lane_row(&pair[..width], &pair[width..], lanes);
                }
            }
        }
    }
}

/// Rows of a gradient: as the left operand of one product, and as the right one of a sum of outer products. Where a lane
/// holds one number these are the same.
struct Gradients<E: Element> {
    rows: Buffer<E>,
    pairs: Buffer,
}

impl<E: Element> Gradients<E> {
    fn new(rows: usize, columns: usize) -> Self {
        let pairs = if E::PER_LANE > 1 { rows / E::PER_LANE * columns } else { 0 };
        Self { rows: Buffer::scratch(rows * columns), pairs: Buffer::scratch(pairs) }
    }

    fn lanes(&self) -> &[f32] {
        if E::PER_LANE > 1 { &self.pairs } else { E::as_lanes(&self.rows) }
    }
}

/// Rows that lie in panels, one segment in each.
struct Packed<E> {
    panels: *const E,
    /// The pixel of the first row.
    start: usize,
    count: usize,
    segments: usize,
    width: usize,
    channels_in: usize,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl<E> Sync for Packed<E> {}

impl<E> Rows<E> for Packed<E> {
    fn inputs(&self, first: usize, count: usize, table: &mut [*const E], tile: usize) {
        for row in first..first + count {
            let slots = table[place(row - first, self.segments, tile)..].iter_mut().step_by(tile);
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
