//! Some rows times some panels, by a matrix unit.

use super::left::{Left, Run};
use super::right::Right;
use super::step;
use super::sums::Sums;
use crate::epilogue::Store;
use crate::norm::TileMoments;
use crate::product::gemm::{ProductTask, task_rows};
use wellfit_simd::tiles::{SIDE, TileUnit};
use wellfit_simd::vector::{Element, Simd};

impl<E: Element> ProductTask<'_, E> {
    /// # Safety
    /// As for [`Product::run`](crate::product::Product::run); the machine must have `S`, with 16 lanes, and `U`.
    #[inline(always)]
    pub(in crate::product) unsafe fn tiled<S: Simd, U: TileUnit>(self) {
        let (product, segments) = (self.product, self.product.segments);
        let slots = self.count.next_multiple_of(SIDE);
        let mut table = vec![std::ptr::null(); slots * segments];
        self.rows.inputs(self.first, self.count, &mut table, slots);
        // Rows past the end read the last row again and are not written.
        for rows in table.chunks_exact_mut(slots) {
            let last = rows[self.count - 1];
            rows[self.count..].fill(last);
        }
        let places: Vec<usize> =
            (self.first..self.first + self.count).map(|row| self.rows.output(row)).collect();
        // SAFETY: promised by the caller.
        unsafe {
            let left = Left::new(&table, segments, product.depth);
            let mut unit = U::start();
            for panel in self.from..self.to {
                let vectors = product.b.vectors(panel);
                let lanes = product.depth / E::PER_LANE;
                let right = Right::new(product.b.panel(panel), segments, lanes, vectors * SIDE);
                let mut part =
                    Part { runs: &left.runs, right: &right, segments, unit: &mut unit, places: &places };
                let first = panel * product.b.panel_width();
                for from in (0..vectors * SIDE).step_by(2 * SIDE) {
                    let real = (product.b.columns - first - from).min(2 * SIDE);
                    let columns = Columns { from, first: first + from, real };
                    let block = self.first / task_rows::<E>();
                    if vectors * SIDE - from > SIDE {
                        part.columns::<S, E, 2>(&product.store, block, columns);
                    } else {
                        part.columns::<S, E, 1>(&product.store, block, columns);
                    }
                }
            }
        }
        product.store.fence::<S>();
    }
}

/// Some columns of a panel: where they begin in it and in the output, and how many of them there are.
#[derive(Clone, Copy)]
struct Columns {
    from: usize,
    first: usize,
    real: usize,
}

/// The rows of a task and a panel.
struct Part<'a, U> {
    /// `[tiles of rows][segments]`.
    runs: &'a [Run],
    right: &'a Right<'a>,
    segments: usize,
    unit: &'a mut U,
    /// Where each row goes in the output.
    places: &'a [usize],
}

impl<U: TileUnit> Part<'_, U> {
    /// All rows of `V` vectors of columns.
    ///
    /// # Safety
    /// As for [`ProductTask::tiled`].
    #[inline(always)]
    unsafe fn columns<S: Simd, E: Element, const V: usize>(
        &mut self,
        store: &Store<'_, E>,
        block: usize,
        columns: Columns,
    ) {
        let mut sums = Sums::new();
        // SAFETY: promised by the caller.
        unsafe {
            let mut moments = TileMoments::<S, V>::new();
            for (pair, places) in self.places.chunks(2 * SIDE).enumerate() {
                if places.len() > SIDE {
                    self.sums::<V, true>(2 * pair, columns.from);
                } else {
                    self.sums::<V, false>(2 * pair, columns.from);
                }
                sums.take::<U, V>(self.unit, places.len() > SIDE);
                sums.write::<S, E, V>(store, places, (columns.first, columns.real), &mut moments);
            }
            if let Some(moments_of) = store.moments {
                moments_of.write(block, (columns.first, columns.real), &moments);
            }
        }
    }

    /// The sums of one tile of rows, or of `TWO`, and `V` tiles of columns, in the unit's tiles 0 to 3.
    ///
    /// # Safety
    /// As for [`ProductTask::tiled`].
    #[inline(always)]
    unsafe fn sums<const V: usize, const TWO: bool>(&mut self, tile: usize, column: usize) {
        let (unit, stride) = (&mut *self.unit, self.right.stride());
        // SAFETY: promised by the caller.
        unsafe {
            step::clear(unit);
            for segment in 0..self.segments {
                let upper = self.runs[tile * self.segments + segment];
                let lower = if TWO { self.runs[(tile + 1) * self.segments + segment] } else { upper };
                for chunk in 0..self.right.chunks() {
                    let at = |run: Run| (run.first.wrapping_add(chunk * run.step), run.stride);
                    let columns = (self.right.tile(segment, chunk, column), stride);
                    step::add::<U, V, TWO>(unit, at(upper), at(lower), columns);
                }
            }
        }
    }
}
