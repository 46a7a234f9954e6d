//! The matrix product behind every layer: rows found through pointers times packed columns.
//!
//! `out[r][·] = finish(Σ_s Σ_k a(r, s)[k] · B[s·depth + k][·])`
//!
//! A row is `segments` runs of `depth` floats. For a linear layer it is one run, for a convolution one run
//! a tap: the pixel's neighbour at that tap, or a row of zeros outside the image. So a convolution is a
//! plain product that never copies its input (the "indirect convolution" of Dukhan 2019).
//!
//! The sum of one output runs over s, then k, in one register. Its bits therefore do not depend on how
//! rows and columns are cut into tasks.

use crate::finish::{Finish, TileMoments};
use crate::panels::Panels;
use wellfit_simd::parallel;
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{Kernel, Simd, dispatch_on};

/// Where the rows of a product lie.
pub(crate) trait Rows: Sync {
    /// Write the start of segment `s` of row `first + i` to `table[place(i) + s·stride]`, for every `i`
    /// below `count`.
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const f32],
        place: impl Fn(usize) -> usize,
        stride: usize,
    );
    /// Floats from any row to the next, where rows are of one segment and follow each other.
    fn step(&self) -> Option<usize>;
    /// Where the result of `row` begins in the output.
    fn output(&self, row: usize) -> usize;
}

/// One product: its shape and what happens to a finished sum.
pub(crate) struct Product<'a> {
    pub rows: usize,
    pub segments: usize,
    pub depth: usize,
    pub b: &'a Panels,
    pub finish: Finish<'a>,
}

/// Rows in a task: a multiple of every tile height (4, 6, 12), large enough to reuse a panel of B.
pub(crate) const TASK_ROWS: usize = 84;
/// Tasks wanted at least: with few rows, several cores are kept busy and end together.
const WANTED_TASKS: usize = 32;

impl Product<'_> {
    /// Compute every row.
    ///
    /// # Safety
    /// `rows` must yield, for each row below `self.rows`, `segments` pointers to `depth` readable floats,
    /// and a place for `b.columns` floats that no other row shares and nobody else uses meanwhile.
    pub(crate) unsafe fn run<R: Rows>(&self, rows: &R) {
        assert_eq!(self.segments * self.depth, self.b.inner, "B has one row for each float of A's rows");
        let row_tasks = self.rows.div_ceil(TASK_ROWS);
        let panels = self.b.count();
        let small = self.rows * self.b.inner * self.b.columns < 1 << 17;
        let groups = if small { 1 } else { WANTED_TASKS.div_ceil(row_tasks.max(1)).clamp(1, panels) };
        let per_group = panels.div_ceil(groups);
        let groups = panels.div_ceil(per_group);
        parallel::for_each(row_tasks * groups, |task| {
            let first = task / groups * TASK_ROWS;
            let from = task % groups * per_group;
            let count = TASK_ROWS.min(self.rows - first);
            let to = panels.min(from + per_group);
            let watch = Watch::start();
            dispatch_on(self.b.set, Block { product: self, rows, first, count, from, to });
            let columns = self.b.columns.min(to * self.b.panel_width()) - from * self.b.panel_width();
            watch.product(count * self.b.inner * columns);
        });
    }
}

/// Some rows times some panels: a task.
pub(crate) struct Block<'a, R> {
    pub product: &'a Product<'a>,
    pub rows: &'a R,
    pub first: usize,
    pub count: usize,
    pub from: usize,
    pub to: usize,
}

impl<R: Rows> Kernel for Block<'_, R> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // The match is on a constant: each instruction set keeps one arm.
        // SAFETY: promised by the caller of `Product::run`.
        unsafe {
            match S::TILE_ROWS {
                6 => self.panels::<S, 6>(),
                12 => self.panels::<S, 12>(),
                _ => self.panels::<S, 4>(),
            }
        }
    }
}

impl<R: Rows> Block<'_, R> {
    #[inline(always)]
    unsafe fn panels<S: Simd, const M: usize>(self) {
        let (product, segments) = (self.product, self.product.segments);
        let slots = self.count.next_multiple_of(M);
        let mut table = vec![std::ptr::null(); slots * segments];
        let place = |slot: usize| slot / M * segments * M + slot % M;
        self.rows.inputs(self.first, self.count, &mut table, place, M);
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
        product.finish.written::<S>();
    }

    #[inline(always)]
    unsafe fn tiles<S: Simd, const M: usize, const V: usize>(&self, tiles: &Tiles, panel: usize) {
        let &Product { segments, depth, ref finish, b, .. } = self.product;
        let column = panel * b.panel_width();
        let real = (b.columns - column).min(V * S::LANES);
        let columns = b.panel(panel).as_ptr();
        // The rows of the next task, which this thread most likely takes next, are fetched while this one computes,
        // a part with each panel.
        let soon = self.rows.step().map_or(0..0, |step| {
            let (ahead, share) = (self.count * step / LINE, (M * step).div_ceil(LINE * b.count()));
            ahead + panel * share..ahead + (panel + 1) * share
        });
        let whole = if real == V * S::LANES { tiles.places.as_chunks::<M>().0 } else { &[] };
        // SAFETY: promised by the caller of `Product::run`; the panel has `inner` rows, and the places are
        // those of real rows.
        unsafe {
            let mut moments = TileMoments::<S, V>::new();
            for (tile, places) in whole.iter().enumerate() {
                let pointers = tiles.table[tile * M * segments..].as_ptr();
                for line in soon.clone() {
                    S::prefetch_read((*pointers).wrapping_add(line * LINE));
                }
                for place in places {
                    for line in (column..column + V * S::LANES).step_by(LINE) {
                        finish.soon::<S>(place + line);
                    }
                }
                let sums = sums::<S, M, V>(pointers, segments, depth, columns);
                finish.whole(sums, places, column, &mut moments);
            }
            let done = whole.len() * M;
            for (tile, places) in tiles.places[done..].chunks(M).enumerate() {
                let pointers = tiles.table[(done + tile * M) * segments..].as_ptr();
                let sums = sums::<S, M, V>(pointers, segments, depth, columns);
                if real == V * S::LANES {
                    finish.some(&sums, places, column, &mut moments);
                } else {
                    finish.partial(&sums, places, (column, real), &mut moments);
                }
            }
            if let Some(partial) = finish.moments {
                partial.write(self.first / TASK_ROWS, (column, real), &moments);
            }
        }
    }
}

/// Floats in a cache line.
pub(crate) const LINE: usize = 16;

/// What a task reads and writes.
struct Tiles {
    /// Where each segment of each row begins, tile by tile.
    table: Vec<*const f32>,
    /// Where each row goes in the output.
    places: Vec<usize>,
}

/// The sums of a tile of `M` rows × `V` vectors, all in registers.
///
/// # Safety
/// `table` holds `segments · M` pointers to `depth` readable floats; `b` holds `segments · depth · V`
/// vectors.
#[inline(always)]
pub(crate) unsafe fn sums<S: Simd, const M: usize, const V: usize>(
    table: *const *const f32,
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
                *pointer = *table.add(segment * M + row);
            }
            for k in 0..depth {
                let mut columns = [S::splat(0.0); V];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = S::load(b.add(v * S::LANES));
                }
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let a = S::splat(*row.add(k));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = S::multiply_add(a, column, *sum);
                    }
                }
                b = b.add(V * S::LANES);
            }
        }
        sums
    }
}
