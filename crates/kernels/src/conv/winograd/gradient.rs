//! The weight gradient: dw = Gᵀ (Σ over tiles of Bᵀ d B ⊙ A dy Aᵀ) G.

use super::choice::SIDE;
use super::phases::each_phase;
use super::plan::Plan;
use super::points::{MOST, Points};
use super::transform::{Gradient, Input, WeightGradient, both_axes};
use crate::both::for_both;
use crate::product::{Operands, SMALL, add_product, in_parts, parts_of};
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{self, Shared};
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{Element, InstructionSet, Kernel, Simd, dispatch};

/// Floats of both transformed sides that a thread holds at a time, where parts of the tiles are summed apart: the
/// second-level cache. They are half as many as the sums where these are larger, which are read and written once each time.
const OWN: usize = 1 << 17;
/// Sums of up to so many floats are computed apart, if there are enough tiles for all threads.
const APART: usize = 1 << 20;
/// Tiles of a part.
const PART_TILES: usize = 128;
/// Floats of both transformed sides that are held at a time where all threads share them: the third-level cache.
const SHARED: usize = 3 << 20;
/// Tiles that one task transforms.
const TILES: usize = 16;
/// Channels of the left side (`x`) in a task of the sums.
const LEFT_CHANNELS: usize = 128;

/// `[k, k, C_in, C_out]` from `x` and `dy`.
pub(super) fn weight_gradient<E: Element>(plan: &Plan, x: &[E], dy: &[E]) -> Buffer {
    let (from, to) = (plan.from.channels, plan.to.channels);
    let set = InstructionSet::current();
    let zeros = Buffer::zeroed(plan.from.pixel.max(plan.to.pixel));
    let widths = (set.left_width(), 2 * set.lanes());
    let sums = Sums { plan, pairs: Pairs::new(plan), set, widths, x, dy, zeros };
    let du = if sums.are_apart() { sums.apart() } else { sums.together() };
    let mut dw = Buffer::scratch(plan.taps() * from * to);
    let shared = Shared::new(&mut dw);
    parallel::for_each(from, |row| {
        let watch = Watch::start();
        dispatch(RowTask { plan, pairs: &sums.pairs, row, du: &du, dw: shared });
        watch.stop(Work::Transforms);
    });
    dw
}

/// The gradient at all points: for each pair a matrix `[C_in, C_out]`.
struct Sums<'a, E: Element> {
    plan: &'a Plan,
    pairs: Pairs,
    set: InstructionSet,
    /// Of the panels of both operands.
    widths: (usize, usize),
    x: &'a [E],
    dy: &'a [E],
    zeros: Buffer<E>,
}

impl<E: Element> Sums<'_, E> {
    fn size(&self) -> usize {
        self.pairs.list.len() * self.plan.from.channels * self.plan.to.channels
    }

    /// Whether each thread keeps sums of its own. Where not, all share transformed tiles, which go through a cache that is
    /// slower, on Intel's servers by a factor.
    fn are_apart(&self) -> bool {
        self.size() <= SMALL || self.size() <= APART && self.plan.tiles() >= 8 * PART_TILES
    }

    /// Tiles whose transformed sides take so many floats, and room for them.
    fn room(&self, floats: usize) -> (usize, [Buffer; 2]) {
        let (pairs, points) = (self.pairs.list.len(), self.plan.grid());
        let most = floats / (pairs * self.plan.from.channels + points * self.plan.to.channels);
        let parts = self.plan.tiles().div_ceil(most.clamp(TILES, 1 << 12));
        let each = self.plan.tiles().div_ceil(parts);
        let left = pairs * each * self.plan.from.pixel.next_multiple_of(self.widths.0);
        let right = points * each * self.plan.to.pixel.next_multiple_of(self.widths.1);
        (each, [left, right].map(Buffer::scratch))
    }

    fn apart(&self) -> Buffer {
        let tiles = self.plan.tiles();
        in_parts(tiles, (parts_of(tiles, PART_TILES), 1), self.size(), |part, _, du| {
            let (each, [mut left, mut right]) = self.room(OWN.max(self.size() / 2));
            for first in part.clone().step_by(each) {
                let count = each.min(part.end - first);
                self.transform(first, count, 0..count, [&mut left, &mut right].map(|side| Shared::new(side)));
                for pair in 0..self.pairs.list.len() {
                    let channels = 0..self.plan.from.channels;
                    self.multiply(pair, channels, count, [&left, &right], (du, first == part.start));
                }
            }
        })
    }

    fn together(&self) -> Buffer {
        let mut du = Buffer::scratch(self.size());
        let out = Shared::new(&mut du);
        let (each, [mut left, mut right]) = self.room(SHARED);
        let in_task = LEFT_CHANNELS.next_multiple_of(self.widths.0);
        let splits = self.plan.from.channels.div_ceil(in_task);
        for first in (0..self.plan.tiles()).step_by(each) {
            let count = each.min(self.plan.tiles() - first);
            let sides = [&mut left, &mut right].map(|side| Shared::new(side));
            parallel::for_each(count.div_ceil(TILES), |task| {
                self.transform(first, count, task * TILES..count.min((task + 1) * TILES), sides);
            });
            parallel::for_each(self.pairs.list.len() * splits, |task| {
                let low = task % splits * in_task;
                let channels = low..self.plan.from.channels.min(low + in_task);
                self.multiply(task / splits, channels, count, [&left, &right], (out, first == 0));
            });
        }
        du
    }

    /// Transform the tiles `range` of the `count` that begin with `first`.
    fn transform(&self, first: usize, count: usize, range: Range<usize>, [left, right]: [Shared; 2]) {
        let watch = Watch::start();
        transform(TransformTask { sums: self, first, count, range, left, right });
        watch.stop(Work::Transforms);
    }

    /// Add the products of `count` transformed tiles for some channels of the inputs at one pair to `du`, or write them
    /// there.
    fn multiply(
        &self,
        pair: usize,
        channels: Range<usize>,
        count: usize,
        [left, right]: [&[f32]; 2],
        (du, fresh): (Shared, bool),
    ) {
        let Plan { from, to, .. } = self.plan;
        let wide = (from.pixel.next_multiple_of(self.widths.0), to.pixel.next_multiple_of(self.widths.1));
        let left = &left[(pair * wide.0 + channels.start) * count..];
        let right = &right[self.pairs.list[pair] * wide.1 * count..];
        let start = (pair * from.channels + channels.start) * to.channels;
        // SAFETY: each task has its own rows of its own pair.
        let out = unsafe { du.slice(start, channels.len() * to.channels) };
        let operands = Operands { set: self.set, left, right, height: count };
        add_product::<f32>(operands, (channels.len(), to.channels), (out, fresh));
    }
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
        for point in 0..plan.grid() {
            for phase in plan.phases_at(point, plan.from.phases) {
                pairs.number[phase][point] = pairs.list.len();
                pairs.list.push(point);
            }
        }
        pairs
    }
}

for_both! { transform(task: TransformTask) E::dispatch_on(task.sums.set, task) }

/// Both sides of some tiles, written in panels: for each point `[panel][tile][lane]`.
pub(crate) struct TransformTask<'a, E: Element> {
    sums: &'a Sums<'a, E>,
    first: usize,
    count: usize,
    range: Range<usize>,
    left: Shared,
    right: Shared,
}

impl<E: Element> Kernel for TransformTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let plan = self.sums.plan;
        // SAFETY: every tile writes its own places; pixels have whole vectors of channels.
        unsafe {
            each_phase!(plan, plan.from.phases, self.inputs::<S>());
            each_phase!(plan, plan.to.phases, self.gradients::<S>());
        }
    }
}

impl<E: Element> TransformTask<'_, E> {
    /// Where a channel of a tile lies in panels of `width`.
    #[inline(always)]
    fn place(&self, width: usize, tile: usize, channel: usize) -> usize {
        (channel / width * self.count + tile) * width + channel % width
    }

    #[inline(always)]
    unsafe fn inputs<S: Simd, Y: Points, X: Points>(&self, phase: usize) {
        let (plan, side) = (self.sums.plan, &self.sums.plan.from);
        let stride = self.count * side.pixel.next_multiple_of(self.sums.widths.0);
        let starts = self.sums.pairs.number[phase].map(|number| number * stride);
        for tile in self.range.clone() {
            let square = (Y::POINTS, X::POINTS);
            let x = plan.pointers::<E, { MOST * MOST }>(
                phase,
                self.first + tile,
                square,
                (self.sums.x, &self.sums.zeros),
            );
            for channel in (0..side.pixel).step_by(S::LANES) {
                let at = self.place(self.sums.widths.0, tile, channel);
                // SAFETY: promised by the caller.
                unsafe {
                    both_axes::<S, Input<Y>, Input<X>>(
                        |y, x_| E::load::<S>(x[y * X::POINTS + x_].add(channel)),
                        |y, x, value| self.left.store::<S>(starts[y * X::AXIS + x] + at, value),
                    );
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn gradients<S: Simd, Y: Points, X: Points>(&self, phase: usize) {
        let (plan, side) = (self.sums.plan, &self.sums.plan.to);
        let stride = self.count * side.pixel.next_multiple_of(self.sums.widths.1);
        for tile in self.range.clone() {
            let mut dy = [self.sums.zeros.as_ptr(); SIDE * SIDE];
            plan.square(side, phase, self.first + tile, (SIDE, SIDE), |i, place| {
                dy[i] = self.sums.dy[place..][..side.pixel].as_ptr();
            });
            for channel in (0..side.pixel).step_by(S::LANES) {
                let at = self.place(self.sums.widths.1, tile, channel);
                // SAFETY: promised by the caller.
                unsafe {
                    both_axes::<S, Gradient<Y>, Gradient<X>>(
                        |y, x| E::load::<S>(dy[y * SIDE + x].add(channel)),
                        |y, x, value| self.right.store::<S>((y * X::AXIS + x) * stride + at, value),
                    );
                }
            }
        }
    }
}

/// One input channel's row of the gradient, from its points.
struct RowTask<'a> {
    plan: &'a Plan,
    pairs: &'a Pairs,
    row: usize,
    du: &'a [f32],
    dw: Shared,
}

impl Kernel for RowTask<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let plan = self.plan;
        // SAFETY: a matrix of `from · to` floats a pair; each row of dw is written by one task.
        unsafe { each_phase!(plan, plan.from.phases, self.phase::<S>()) }
    }
}

impl RowTask<'_> {
    #[inline(always)]
    unsafe fn phase<S: Simd, Y: Points, X: Points>(&self, phase: usize) {
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
