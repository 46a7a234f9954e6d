//! The weight gradient: dw = Gᵀ (Σ over tiles of Bᵀ d B ⊙ A dy Aᵀ) G.

use super::transform::{gradient_square, input_square, weight_gradient_square};
use super::{POINTS, SIDE, Tiles, inputs, outputs};
use crate::Buffer;
use crate::conv::Conv;
use crate::outer::add_product;
use crate::parallel::{self, Shared};
use crate::profile::{Watch, Work};
use crate::simd::{InstructionSet, Job, Simd, dispatch, dispatch_on};

/// Floats of both transformed sides that are held at a time: the third-level cache.
const BUDGET: usize = 3 << 20;
/// Tiles that one task transforms.
const TILES: usize = 16;
/// Channels of the left side (`x`) in a task of the sums.
const LEFT_CHANNELS: usize = 128;

/// `[3, 3, C_in, C_out]` from `x` and `dy`.
pub(crate) fn weight_gradient(conv: &Conv, x: &[f32], dy: &[f32]) -> Buffer {
    let (from, to) = (conv.channels_in, conv.channels_out);
    let tiles = Tiles::new(conv);
    let most = (BUDGET / (POINTS * (from + to))).clamp(TILES, 1 << 12);
    let parts = tiles.count().div_ceil(most);
    let each = tiles.count().div_ceil(parts);
    let mut du = Buffer::zeroed(POINTS * from * to);
    let set = InstructionSet::current();
    let (left_width, right_width) = (set.left_width(), 2 * set.lanes());
    let (wide_left, wide_right) = (from.next_multiple_of(left_width), to.next_multiple_of(right_width));
    let mut left = Buffer::scratch(POINTS * each * wide_left);
    let mut right = Buffer::scratch(POINTS * each * wide_right);
    let zeros = Buffer::zeroed(from.max(to));
    for first in (0..tiles.count()).step_by(each) {
        let count = each.min(tiles.count() - first);
        let (to_left, to_right) = (Shared::new(&mut left), Shared::new(&mut right));
        parallel::for_each(count.div_ceil(TILES), |task| {
            let range = task * TILES..count.min((task + 1) * TILES);
            let transform = Transform {
                conv,
                tiles,
                widths: (left_width, right_width),
                count,
                first,
                range,
                x,
                dy,
                zeros: &zeros,
                left: to_left,
                right: to_right,
            };
            let watch = Watch::start();
            dispatch_on(set, transform);
            watch.stop(Work::Transforms);
        });
        let sums = Shared::new(&mut du);
        let in_task = LEFT_CHANNELS.next_multiple_of(left_width);
        let splits = from.div_ceil(in_task);
        parallel::for_each(POINTS * splits, |task| {
            let (point, low) = (task / splits, task % splits * in_task);
            let high = from.min(low + in_task);
            // SAFETY: each task has its own rows of its own point.
            let out = unsafe { sums.slice((point * from + low) * to, (high - low) * to) };
            let left = &left[point * count * wide_left + low * count..];
            let right = &right[point * count * wide_right..];
            add_product(set, left, right, count, (high - low, to), out);
        });
    }
    let mut dw = Buffer::scratch(conv.weight_len());
    let shared = Shared::new(&mut dw);
    parallel::for_each(from, |row| {
        let watch = Watch::start();
        dispatch(Back { conv, row, du: &du, dw: shared });
        watch.stop(Work::Transforms);
    });
    dw
}

/// Both sides of some tiles, written in panels: for each point `[panel][tile][lane]`.
struct Transform<'a> {
    conv: &'a Conv,
    tiles: Tiles,
    widths: (usize, usize),
    count: usize,
    first: usize,
    range: std::ops::Range<usize>,
    x: &'a [f32],
    dy: &'a [f32],
    zeros: &'a [f32],
    left: Shared,
    right: Shared,
}

impl Job for Transform<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (from, to) = (self.conv.channels_in, self.conv.channels_out);
        let place = |width: usize, tile: usize, channel: usize| {
            (channel / width * self.count + tile) * width + channel % width
        };
        for tile in self.range.clone() {
            let x =
                inputs(self.conv).pointers::<6, POINTS>(self.tiles, self.first + tile, self.x, self.zeros);
            let stride = self.count * from.next_multiple_of(self.widths.0);
            for channel in (0..from).step_by(S::LANES) {
                let at = place(self.widths.0, tile, channel);
                // SAFETY: every tile writes its own places; pixels have whole vectors of channels.
                unsafe {
                    input_square::<S>(
                        |i| S::load(x[i].add(channel)),
                        |point, value| self.left.store::<S>(point * stride + at, value),
                    );
                }
            }
            let dy =
                outputs(self.conv).pointers::<SIDE, 16>(self.tiles, self.first + tile, self.dy, self.zeros);
            let stride = self.count * to.next_multiple_of(self.widths.1);
            for channel in (0..to).step_by(S::LANES) {
                let at = place(self.widths.1, tile, channel);
                // SAFETY: as above.
                unsafe {
                    gradient_square::<S>(
                        |i| S::load(dy[i].add(channel)),
                        |point, value| self.right.store::<S>(point * stride + at, value),
                    );
                }
            }
        }
    }
}

/// One input channel's row of the gradient, from its 36 points.
struct Back<'a> {
    conv: &'a Conv,
    row: usize,
    du: &'a [f32],
    dw: Shared,
}

impl Job for Back<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (from, to) = (self.conv.channels_in, self.conv.channels_out);
        for channel in (0..to).step_by(S::LANES) {
            let at = self.row * to + channel;
            let u = self.du[at..].as_ptr();
            // SAFETY: 36 points of `from · to` floats; each row of dw is written by one task.
            unsafe {
                weight_gradient_square::<S>(
                    |point| S::load(u.add(point * from * to)),
                    |tap, value| self.dw.store::<S>(tap * from * to + at, value),
                );
            }
        }
    }
}
