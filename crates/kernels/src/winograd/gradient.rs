//! The weight gradient: dw = Gᵀ (Σ over tiles of Bᵀ d B ⊙ A dy Aᵀ) G.

use super::points::{Line, MOST};
use super::transform::{Gradient, Input, WeightGradient, both_axes};
use super::{Plan, SIDE, Way, each_phase};
use crate::Buffer;
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

/// `[k, k, C_in, C_out]` from `x` and `dy`.
pub(super) fn weight_gradient(plan: &Plan, x: &[f32], dy: &[f32]) -> Buffer {
    let (from, to) = (plan.from.channels, plan.to.channels);
    let pairs = Pairs::new(plan);
    let most = BUDGET / (pairs.list.len() * from + plan.squares() * to);
    let parts = plan.tiles().div_ceil(most.clamp(TILES, 1 << 12));
    let each = plan.tiles().div_ceil(parts);
    let mut du = Buffer::scratch(pairs.list.len() * from * to);
    let set = InstructionSet::current();
    let widths = (set.left_width(), 2 * set.lanes());
    let wide_left = plan.from.pixel.next_multiple_of(widths.0);
    let wide_right = plan.to.pixel.next_multiple_of(widths.1);
    let mut left = Buffer::scratch(pairs.list.len() * each * wide_left);
    let mut right = Buffer::scratch(plan.squares() * each * wide_right);
    let zeros = Buffer::zeroed(plan.from.pixel.max(plan.to.pixel));
    for first in (0..plan.tiles()).step_by(each) {
        let count = each.min(plan.tiles() - first);
        let (to_left, to_right) = (Shared::new(&mut left), Shared::new(&mut right));
        parallel::for_each(count.div_ceil(TILES), |task| {
            let range = task * TILES..count.min((task + 1) * TILES);
            let transform = Transform {
                plan,
                pairs: &pairs,
                widths,
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
        let in_task = LEFT_CHANNELS.next_multiple_of(widths.0);
        let splits = from.div_ceil(in_task);
        parallel::for_each(pairs.list.len() * splits, |task| {
            let (pair, low) = (task / splits, task % splits * in_task);
            let high = from.min(low + in_task);
            // SAFETY: each task has its own rows of its own pair.
            let out = unsafe { sums.slice((pair * from + low) * to, (high - low) * to) };
            let left = &left[pair * count * wide_left + low * count..];
            let right = &right[pairs.list[pair] * count * wide_right..];
            add_product(set, left, right, count, (high - low, to), (out, first == 0));
        });
    }
    let mut dw = Buffer::scratch(plan.taps() * from * to);
    let shared = Shared::new(&mut dw);
    parallel::for_each(from, |row| {
        let watch = Watch::start();
        dispatch(Back { plan, pairs: &pairs, row, du: &du, dw: shared });
        watch.stop(Work::Transforms);
    });
    dw
}

/// The phases of the inputs at each point where they are more than zero.
struct Pairs {
    /// The point of each.
    list: Vec<usize>,
    /// Which of them a phase at a point is; 0 where it is none.
    number: [[usize; MOST * MOST]; 4],
}

impl Pairs {
    fn new(plan: &Plan) -> Self {
        let mut pairs = Self { list: Vec::new(), number: [[0; MOST * MOST]; 4] };
        for point in 0..plan.squares() {
            for phase in plan.phases_at(point, plan.from.phases) {
                pairs.number[phase][point] = pairs.list.len();
                pairs.list.push(point);
            }
        }
        pairs
    }
}

/// Both sides of some tiles, written in panels: for each point `[panel][tile][lane]`.
struct Transform<'a> {
    plan: &'a Plan,
    pairs: &'a Pairs,
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
        let plan = self.plan;
        // SAFETY: every tile writes its own places; pixels have whole vectors of channels.
        unsafe {
            each_phase!(plan, plan.from.phases, self.inputs::<S>());
            each_phase!(plan, plan.to.phases, self.gradients::<S>());
        }
    }
}

impl Transform<'_> {
    /// Where a channel of a tile lies in panels of `width`.
    #[inline(always)]
    fn place(&self, width: usize, tile: usize, channel: usize) -> usize {
        (channel / width * self.count + tile) * width + channel % width
    }

    #[inline(always)]
    unsafe fn inputs<S: Simd, Y: Line, X: Line>(&self, phase: usize) {
        let (plan, side) = (self.plan, &self.plan.from);
        let stride = self.count * side.pixel.next_multiple_of(self.widths.0);
        let starts = self.pairs.number[phase].map(|number| number * stride);
        for tile in self.range.clone() {
            let square = (Y::POINTS, X::POINTS);
            let x = plan.pointers::<{ MOST * MOST }>(phase, self.first + tile, square, (self.x, self.zeros));
            for channel in (0..side.pixel).step_by(S::LANES) {
                let at = self.place(self.widths.0, tile, channel);
                // SAFETY: promised by the caller.
                unsafe {
                    both_axes::<S, Input<Y>, Input<X>>(
                        |y, x_| S::load(x[y * X::POINTS + x_].add(channel)),
                        |y, x, value| self.left.store::<S>(starts[y * X::AXIS + x] + at, value),
                    );
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn gradients<S: Simd, Y: Line, X: Line>(&self, phase: usize) {
        let (plan, side) = (self.plan, &self.plan.to);
        let stride = self.count * side.pixel.next_multiple_of(self.widths.1);
        for tile in self.range.clone() {
            let mut dy = [self.zeros.as_ptr(); SIDE * SIDE];
            plan.square(side, phase, self.first + tile, (SIDE, SIDE), |i, place| {
                dy[i] = self.dy[place..][..side.pixel].as_ptr();
            });
            for channel in (0..side.pixel).step_by(S::LANES) {
                let at = self.place(self.widths.1, tile, channel);
                // SAFETY: promised by the caller.
                unsafe {
                    both_axes::<S, Gradient<Y>, Gradient<X>>(
                        |y, x| S::load(dy[y * SIDE + x].add(channel)),
                        |y, x, value| self.right.store::<S>((y * X::AXIS + x) * stride + at, value),
                    );
                }
            }
        }
    }
}

/// One input channel's row of the gradient, from its points.
struct Back<'a> {
    plan: &'a Plan,
    pairs: &'a Pairs,
    row: usize,
    du: &'a [f32],
    dw: Shared,
}

impl Job for Back<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let plan = self.plan;
        // SAFETY: a matrix of `from · to` floats a pair; each row of dw is written by one task.
        unsafe { each_phase!(plan, plan.from.phases, self.phase::<S>()) }
    }
}

impl Back<'_> {
    #[inline(always)]
    unsafe fn phase<S: Simd, Y: Line, X: Line>(&self, phase: usize) {
        let (plan, from, to) = (self.plan, self.plan.from.channels, self.plan.to.channels);
        let starts = self.pairs.number[phase].map(|number| number * from * to);
        for channel in (0..to).step_by(S::LANES) {
            let at = self.row * to + channel;
            // SAFETY: promised by the caller.
            unsafe {
                let u = self.du[at..].as_ptr();
                both_axes::<S, WeightGradient<Y>, WeightGradient<X>>(
                    |y, x| S::load(u.add(starts[y * X::AXIS + x])),
                    |y, x, value| self.dw.store::<S>(plan.tap(phase, y, x) * from * to + at, value),
                );
            }
        }
    }
}
