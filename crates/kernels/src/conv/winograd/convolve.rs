//! Forward, and with turned weights the data gradient.

use super::choice::SIDE;
use super::phases::each_phase;
use super::plan::{Plan, point_stride};
use super::points::{MOST, Points};
use super::side::Side;
use super::transform::{Input, Output, both_axes};
use super::weights::Weights;
use crate::both::for_both;
use crate::epilogue::Store;
use crate::norm::{BlockMoments, TileMoments};
use crate::product::{in_cache_line, sums};
use wellfit_simd::Buffer;
use wellfit_simd::parallel;
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::vector::{Element, Kernel, Simd};

/// Floats of a task's two matrices at all points: the second-level cache and some of the third.
const BUDGET: usize = 1 << 17;
/// Fewer tiles would not pay for walking through the weights, more would leave cores idle.
const TILES: std::ops::RangeInclusive<usize> = 32..=84;

/// Tiles in a task; depends on the shape only.
fn tiles_in_task(plan: &Plan) -> usize {
    let floats = |side: &Side| plan.pairs(side) * side.channels;
    let most = (BUDGET / (floats(&plan.from) + floats(&plan.to))).clamp(*TILES.start(), *TILES.end());
    // Tasks of equal size, four at least.
    plan.tiles().div_ceil(plan.tiles().div_ceil(most).max(4)).max(1)
}

/// The output of a plan, for weights `[k, k, C_from, C_to]`, stored by `store`; `moments` asks for the
/// statistics of what is written.
///
/// # Safety
/// `store` must describe an output (and addend) of the shape of `plan.to` that nobody else uses.
pub(super) unsafe fn convolve<E: Element>(
    plan: &Plan,
    x: &[E],
    w: &[f32],
    store: Store<'_, E>,
    moments: bool,
) -> BlockMoments {
    let (count, each) = (plan.tiles(), tiles_in_task(plan));
    let block_moments =
        if moments { BlockMoments::new(plan.to.channels, pixels(plan, each)) } else { BlockMoments::none() };
    let weights: Vec<Weights> = (0..plan.to.phases).map(|phase| Weights::new(plan, w, phase)).collect();
    let zeros = Buffer::zeroed(plan.from.pixel);
    let store = Store { moments: moments.then_some(&block_moments), ..store };
    parallel::for_each(count.div_ceil(each), |task| {
        let first = task * each;
        let count = each.min(count - first);
        let work = TileTask { plan, x, zeros: &zeros, weights: &weights, store: &store, task, first, count };
        compute(work);
    });
    block_moments
}

/// The pixels that each task writes, where they are of one phase.
fn pixels(plan: &Plan, each: usize) -> Vec<usize> {
    let of_tile = |tile: usize| {
        let (_, top, left) = plan.origin(tile);
        SIDE.min(plan.to.height - top) * SIDE.min(plan.to.width - left)
    };
    let task = |first: usize| (first..plan.tiles().min(first + each)).map(of_tile).sum();
    (0..plan.tiles()).step_by(each).map(task).collect()
}

for_both! { compute(task: TileTask) E::dispatch_on(task.weights[0].panels.set, task) }

/// Some tiles: a task.
pub(crate) struct TileTask<'a, E: Element> {
    plan: &'a Plan,
    x: &'a [E],
    zeros: &'a [E],
    /// Those of each phase of the outputs.
    weights: &'a [Weights],
    store: &'a Store<'a, E>,
    task: usize,
    first: usize,
    count: usize,
}

impl<E: Element> Kernel for TileTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: promised by the caller of `convolve`.
        unsafe {
            match S::TILE_ROWS {
                6 => self.all::<S, 6>(),
                12 => self.all::<S, 12>(),
                _ => self.all::<S, 4>(),
            }
        }
    }
}

impl<E: Element> TileTask<'_, E> {
    #[inline(always)]
    unsafe fn all<S: Simd, const M: usize>(&self) {
        let plan = self.plan;
        let matrices =
            |side: &Side| Buffer::scratch(plan.grid() * point_stride(self.count, side.phases * side.pixel));
        let [mut v, mut m] = [&plan.from, &plan.to].map(matrices);
        // SAFETY: the matrices have room for every tile at every point.
        unsafe {
            let watch = Watch::start();
            each_phase!(plan, plan.from.phases, self.transform_inputs::<S>(&mut v));
            watch.stop(Work::Transforms);
            let watch = Watch::start();
            self.multiply::<S, M>(&v, &mut m);
            let pairs = plan.pairs(&plan.from).max(plan.pairs(&plan.to));
            watch.product::<f32>(pairs * self.count * plan.from.channels * plan.to.channels);
            let watch = Watch::start();
            each_phase!(plan, plan.to.phases, self.write_outputs::<S>(&m));
            self.store.fence::<S>();
            watch.stop(Work::Transforms);
        }
    }

    /// `V[point][tile][phase][channel]` of every tile, for one phase.
    #[inline(always)]
    unsafe fn transform_inputs<S: Simd, Y: Points, X: Points>(&self, phase: usize, v: &mut [f32]) {
        let (plan, side) = (self.plan, &self.plan.from);
        let width = side.phases * side.pixel;
        let stride = point_stride(self.count, width);
        for tile in 0..self.count {
            let pixels = plan.pointers::<E, { MOST * MOST }>(
                phase,
                self.first + tile,
                (Y::POINTS, X::POINTS),
                (self.x, self.zeros),
            );
            let out = v[tile * width + phase * side.pixel..].as_mut_ptr();
            for channel in (0..side.pixel).step_by(S::LANES) {
                // SAFETY: every pixel has `pixel` floats, in whole vectors.
                unsafe {
                    both_axes::<S, Input<Y>, Input<X>>(
                        |y, x| E::load::<S>(pixels[y * X::POINTS + x].add(channel)),
                        |y, x, value| S::store(out.add((y * X::AXIS + x) * stride + channel), value),
                    );
                }
            }
        }
    }

    /// M = V·U at every point.
    #[inline(always)]
    unsafe fn multiply<S: Simd, const M: usize>(&self, v: &[f32], m: &mut [f32]) {
        let (plan, points) = (self.plan, self.plan.grid());
        for point in 0..points {
            for phase in plan.phases_at(point, plan.to.phases) {
                let panels = &self.weights[phase].panels;
                for panel in 0..panels.count() {
                    if phase == 0 {
                        self.fetch_next::<S>(point * panels.count() + panel, points * panels.count());
                    }
                    let at = (point, phase, panel);
                    // SAFETY: as for `all`.
                    unsafe {
                        match panels.vectors(panel) {
                            4 if S::TILE_VECTORS == 4 => self.product::<S, M, 4>(v, m, at),
                            3 if S::TILE_VECTORS == 4 => self.product::<S, M, 3>(v, m, at),
                            2 => self.product::<S, M, 2>(v, m, at),
                            _ => self.product::<S, M, 1>(v, m, at),
                        }
                    }
                }
            }
        }
    }

    /// Fetch one of `parts` parts of the pixels of the next task, which this thread most likely takes next, ahead.
    #[inline(always)]
    fn fetch_next<S: Simd>(&self, part: usize, parts: usize) {
        let (plan, side, first) = (self.plan, &self.plan.from, self.first + self.count);
        // A tile has a power of two of pixels along each side.
        let wide = SIDE * side.step;
        let bits = wide.trailing_zeros();
        let pixels = self.count.min(plan.tiles() - first) << (2 * bits);
        for pixel in part * pixels / parts..(part + 1) * pixels / parts {
            let (image, top, left) = plan.origin(first + (pixel >> (2 * bits)));
            let line = top * side.step + (pixel >> bits & (wide - 1));
            let column = left * side.step + (pixel & (wide - 1));
            let place = ((image * side.height + line) * side.width + column) * side.pixel;
            for channel in (0..side.pixel).step_by(in_cache_line::<E>()) {
                S::prefetch_read(self.x.as_ptr().wrapping_add(place + channel).cast());
            }
        }
    }

    #[inline(always)]
    unsafe fn product<S: Simd, const M: usize, const V: usize>(
        &self,
        v: &[f32],
        m: &mut [f32],
        (point, phase, panel): (usize, usize, usize),
    ) {
        let Plan { from, to, .. } = self.plan;
        let Weights { panels, starts } = &self.weights[phase];
        let Some(start) = starts[point] else { return };
        let (read, written) = (from.phases * from.pixel, to.phases * to.pixel);
        let (mut runs, mut count) = ([0; 4], 0);
        for phase in self.plan.phases_at(point, from.phases) {
            runs[count] = phase * from.pixel;
            count += 1;
        }
        let product = PointProduct {
            v: &v[point * point_stride(self.count, read)..],
            read,
            runs: &runs[..count],
            depth: from.channels,
            u: panels.panel(panel)[start * V * S::LANES..].as_ptr(),
            tiles: self.count,
            written,
        };
        let at = point * point_stride(self.count, written) + phase * to.pixel + panel * panels.panel_width();
        let out = &mut m[at..];
        // SAFETY: each run has `depth` floats, the panel as many rows for it at this point; all columns are real.
        let tile = |start| unsafe {
            match self.count - start {
                ..=2 if M > 2 => product.register_tile::<S, 2, V>(out, start),
                ..=4 if M > 4 => product.register_tile::<S, 4, V>(out, start),
                _ => product.register_tile::<S, M, V>(out, start),
            }
        };
        (0..self.count).step_by(M).for_each(tile);
    }

    /// Carry every tile of one phase back to pixels and store them.
    #[inline(always)]
    unsafe fn write_outputs<S: Simd, Y: Points, X: Points>(&self, phase: usize, m: &[f32]) {
        let (plan, side) = (self.plan, &self.plan.to);
        let width = side.phases * side.pixel;
        let stride = point_stride(self.count, width);
        let of_tile = |tile| {
            let mut places = [None; SIDE * SIDE];
            plan.square(side, phase, self.first + tile, (SIDE, SIDE), |i, place| places[i] = Some(place));
            places
        };
        let mut next = of_tile(0);
        for tile in 0..self.count {
            let places = next;
            if tile + 1 < self.count {
                next = of_tile(tile + 1);
            }
            let from = m[tile * width + phase * side.pixel..].as_ptr();
            for channel in (0..side.pixel).step_by(S::LANES) {
                if channel % in_cache_line::<E>() == 0 {
                    for place in next.iter().flatten() {
                        self.store.prefetch::<S>(place + channel);
                    }
                }
                // SAFETY: the places lie within the output; channels come in whole vectors.
                unsafe {
                    let (mut values, mut real, mut count) = ([[S::splat(0.0)]; 16], [0; 16], 0);
                    both_axes::<S, Output<Y>, Output<X>>(
                        |y, x| S::load(from.add((y * X::AXIS + x) * stride + channel)),
                        |y, x, value| {
                            if let Some(place) = places[y * SIDE + x] {
                                values[count] = [value];
                                real[count] = place;
                                count += 1;
                            }
                        },
                    );
                    let mut moments = TileMoments::<S, 1>::new();
                    if let Some(blocks) = self.store.moments.filter(|_| tile > 0) {
                        blocks.read(self.task, channel, &mut moments);
                    }
                    if count == values.len() {
                        self.store.tile(values, &real, channel, &mut moments);
                    } else {
                        let whole = (channel, S::LANES);
                        self.store.edge(&mut values[..count], &real[..count], whole, &mut moments);
                    }
                    if let Some(blocks) = self.store.moments {
                        blocks.write(self.task, (channel, S::LANES), &moments);
                    }
                }
            }
        }
    }
}

/// V·U at one point, for the columns of one panel.
struct PointProduct<'a> {
    v: &'a [f32],
    /// Floats of a tile in V, and where its runs of `depth` channels begin.
    read: usize,
    runs: &'a [usize],
    depth: usize,
    u: *const f32,
    tiles: usize,
    /// Floats of a tile in M.
    written: usize,
}

impl PointProduct<'_> {
    /// Up to `M` tiles from `start` on.
    ///
    /// # Safety
    /// `u` holds `V` vectors for each float of the runs; the machine must have `S`.
    #[inline(always)]
    unsafe fn register_tile<S: Simd, const M: usize, const V: usize>(&self, out: &mut [f32], start: usize) {
        // Rows past the end read the last row again and are not written.
        let mut rows = [[std::ptr::null::<f32>(); M]; 4];
        for (rows, run) in rows.iter_mut().zip(self.runs) {
            for (i, row) in rows.iter_mut().enumerate() {
                *row = self.v[(start + i).min(self.tiles - 1) * self.read + run..].as_ptr();
            }
        }
        // SAFETY: promised by the caller.
        unsafe {
            let sums = sums::<S, f32, M, V>(rows.as_ptr().cast(), self.runs.len(), self.depth, self.u);
            for (i, sums) in sums.iter().enumerate().take(self.tiles - start) {
                let place = out[(start + i) * self.written..].as_mut_ptr();
                for (v, &sum) in sums.iter().enumerate() {
                    S::store(place.add(v * S::LANES), sum);
                }
            }
        }
    }
}
