//! The matrix product behind every layer: rows found through pointers times packed columns.
//!
//! `out[r][·] = epilogue(Σ_s Σ_k a(r, s)[k] · B[s·depth + k][·])`
//!
//! A row is `segments` runs of `depth` numbers. For a linear layer it is one run, for a convolution one run
//! a tap: the pixel's neighbour at that tap, or a row of zeros outside the image. So a convolution is a
//! plain product that never copies its input (the "indirect convolution" of Dukhan 2019).
//!
//! The sum of one output runs over s, then k, in one register. Its bits therefore do not depend on how
//! rows and columns are cut into tasks.

use super::panels::Panels;
use super::rows::{Rows, place};
use crate::both::for_both;
use crate::epilogue::Store;
use crate::norm::TileMoments;
use wellfit_simd::parallel;
use wellfit_simd::profile::Watch;
#[cfg(target_arch = "x86_64")]
use wellfit_simd::tiles::Amx;
use wellfit_simd::tiles::{Emulated, MatrixUnit, SIDE};
use wellfit_simd::vector::{CACHE_LINE, Element, Kernel, Simd};

/// Numbers in a cache line.
#[inline(always)]
pub(crate) const fn in_cache_line<E>() -> usize {
    CACHE_LINE * size_of::<f32>() / size_of::<E>()
}

/// One product: its shape and what is done to each sum.
pub(crate) struct Product<'a, E: Element> {
    pub rows: usize,
    pub segments: usize,
    /// Whole lanes of `E`.
    pub depth: usize,
    pub b: &'a Panels<E>,
    pub store: Store<'a, E>,
}

/// Rows in a task: a multiple of every tile height (4, 6 and 12, or twice 16), large enough to reuse a panel of B.
pub(crate) fn task_rows<E: Element>() -> usize {
    if E::matrix_unit().is_some() { 96 } else { 84 }
}
/// Tasks wanted at least: with few rows, several cores are kept busy and end together.
const WANTED_TASKS: usize = 32;

impl<E: Element> Product<'_, E> {
    /// Compute every row.
    ///
    /// # Safety
    /// `rows` must yield, for each row below `self.rows`, `segments` pointers to `depth` readable numbers,
    /// and a place for `b.columns` numbers that no other row shares and nobody else uses meanwhile.
    pub(crate) unsafe fn run(&self, rows: &dyn Rows<E>) {
        let lanes = self.segments * self.depth / E::PER_LANE;
        assert_eq!(lanes, self.b.inner, "B has one row for each lane of A's rows");
        assert!(self.depth.is_multiple_of(E::PER_LANE), "runs of whole lanes");
        let task_rows = task_rows::<E>();
        let row_tasks = self.rows.div_ceil(task_rows);
        let panels = self.b.count();
        let small = self.rows * self.b.inner * self.b.columns < 1 << 17;
        let groups = if small { 1 } else { WANTED_TASKS.div_ceil(row_tasks.max(1)).clamp(1, panels) };
        let per_group = panels.div_ceil(groups);
        let groups = panels.div_ceil(per_group);
        parallel::for_each(row_tasks * groups, |task| {
            let first = task / groups * task_rows;
            let from = task % groups * per_group;
            let count = task_rows.min(self.rows - first);
            let to = panels.min(from + per_group);
            let watch = Watch::start();
            compute(ProductTask { product: self, rows, first, count, from, to });
            let columns = self.b.columns.min(to * self.b.panel_width()) - from * self.b.panel_width();
            watch.product::<E>(count * self.segments * self.depth * columns);
        });
    }
}

for_both! {
    /// Compute a task with the instruction set that the panels are packed for.
    compute(task: ProductTask) E::dispatch_on(task.product.b.set, task)
}

/// Some rows times some panels: a task.
pub(crate) struct ProductTask<'a, E: Element> {
    pub product: &'a Product<'a, E>,
    pub rows: &'a dyn Rows<E>,
    pub first: usize,
    pub count: usize,
    pub from: usize,
    pub to: usize,
}

impl<E: Element> Kernel for ProductTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: promised by the caller of `Product::run`; a matrix unit comes with vectors of 16 lanes.
        unsafe {
            match E::matrix_unit() {
                #[cfg(target_arch = "x86_64")]
                Some(MatrixUnit::Amx) if S::LANES == SIDE => return self.tiled::<S, Amx>(),
                Some(MatrixUnit::Emulated) if S::LANES == SIDE => return self.tiled::<S, Emulated>(),
                _ => {}
            }
            // The match is on a constant: each instruction set keeps one arm.
            match S::TILE_ROWS {
                6 => self.panels::<S, 6>(),
                12 => self.panels::<S, 12>(),
                _ => self.panels::<S, 4>(),
            }
        }
    }
}

impl<E: Element> ProductTask<'_, E> {
    #[inline(always)]
    unsafe fn panels<S: Simd, const M: usize>(self) {
        let (product, segments) = (self.product, self.product.segments);
        let slots = self.count.next_multiple_of(M);
        let mut table = vec![std::ptr::null(); slots * segments];
        self.rows.inputs(self.first, self.count, &mut table, M);
        let place = |slot: usize| place(slot, segments, M);
        // Rows past the end read the last row again and are not written.
        for slot in self.count..slots {
            for segment in 0..segments {
                table[place(slot) + segment * M] = table[place(self.count - 1) + segment * M];
            }
        }
        let places = (self.first..self.first + self.count).map(|row| self.rows.output(row)).collect();
        let tiles = Tiles { table, places };
        for panel in self.from..self.to {
            // SAFETY: promised by the caller of `Product::run`.
            unsafe {
                match product.b.vectors(panel) {
                    4 if S::TILE_VECTORS == 4 => self.tiles::<S, M, 4>(&tiles, panel),
                    3 if S::TILE_VECTORS == 4 => self.tiles::<S, M, 3>(&tiles, panel),
                    2 => self.tiles::<S, M, 2>(&tiles, panel),
                    _ => self.tiles::<S, M, 1>(&tiles, panel),
                }
            }
        }
        product.store.fence::<S>();
    }

    #[inline(always)]
    unsafe fn tiles<S: Simd, const M: usize, const V: usize>(&self, tiles: &Tiles<E>, panel: usize) {
        let &Product { segments, depth, ref store, b, .. } = self.product;
        let column = panel * b.panel_width();
        let real = (b.columns - column).min(V * S::LANES);
        let columns = b.panel(panel).as_ptr();
        // The rows of the next task, which this thread most likely takes next, are fetched while this one computes,
        // a part with each panel.
        let next_rows = self.rows.step().map_or(0..0, |step| {
            let (ahead, share) = (
                self.count * step / in_cache_line::<E>(),
                (M * step).div_ceil(in_cache_line::<E>() * b.count()),
            );
            ahead + panel * share..ahead + (panel + 1) * share
        });
        let full = real == V * S::LANES;
        // SAFETY: promised by the caller of `Product::run`; the panel has `inner` rows, and the places are
        // those of real rows.
        unsafe {
            let mut moments = TileMoments::<S, V>::new();
            for (tile, places) in tiles.places.chunks(M).enumerate() {
                let pointers = tiles.table[tile * M * segments..].as_ptr();
                for line in next_rows.clone() {
                    S::prefetch_read((*pointers).wrapping_add(line * in_cache_line::<E>()).cast());
                }
                for place in places {
                    for column in (column..column + V * S::LANES).step_by(in_cache_line::<E>()) {
                        store.prefetch::<S>(place + column);
                    }
                }
                let sums = sums::<S, E, M, V>(pointers, segments, depth, columns);
                match places.first_chunk::<M>() {
                    Some(places) if full => store.tile(sums, places, column, &mut moments),
                    _ => store.edge(&mut { sums }[..places.len()], places, (column, real), &mut moments),
                }
            }
            if let Some(moments_of) = store.moments {
                moments_of.write(self.first / task_rows::<E>(), (column, real), &moments);
            }
        }
    }
}

/// What a task reads and writes.
struct Tiles<E> {
    /// Where each segment of each row begins, tile by tile.
    table: Vec<*const E>,
    /// Where each row goes in the output.
    places: Vec<usize>,
}

/// The sums of a tile of `M` rows × `V` vectors, all in registers.
///
/// # Safety
/// `table` holds `segments · M` pointers to `depth` readable numbers, whole lanes; `b` holds `V` vectors for each lane of
/// a row.
#[inline(always)]
pub(crate) unsafe fn sums<S: Simd, E: Element, const M: usize, const V: usize>(
    table: *const *const E,
    segments: usize,
    depth: usize,
    mut b: *const f32,
) -> [[S::Vector; V]; M] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut sums = [[S::splat(0.0); V]; M];
        for segment in 0..segments {
            let mut rows = [std::ptr::null::<f32>(); M];
            for (row, pointer) in rows.iter_mut().enumerate() {
                *pointer = (*table.add(segment * M + row)).cast();
            }
            for k in 0..depth / E::PER_LANE {
                let mut columns = [S::splat(0.0); V];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = S::load(b.add(v * S::LANES));
                }
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    // Numbers shorter than a lane may begin anywhere.
                    let a = S::splat(row.add(k).read_unaligned());
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = E::multiply_add::<S>(a, column, *sum);
                    }
                }
                b = b.add(V * S::LANES);
            }
        }
        sums
    }
}
