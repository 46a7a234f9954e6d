//! The matrix product behind every layer: rows found through pointers times packed columns, as for floats.

use super::dot::{Dot, Scalar};
use super::finish::{Finish, Target};
use super::panels::Panels;
use super::patches::Patches;
use super::path::Path;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Vnni};
use crate::product::place;
use wellfit_simd::parallel;
use wellfit_simd::profile::{Watch, Work};

/// Rows in a task: a multiple of every tile height (4, 6), large enough to reuse a panel of the weights.
const TASK_ROWS: usize = 84;
/// Tasks wanted at least: with few rows, several cores are kept busy and end together.
const WANTED_TASKS: usize = 32;

/// One product.
pub(super) struct Product<'a, T> {
    pub rows: usize,
    pub patches: &'a Patches,
    pub panels: &'a Panels,
    /// What each sum begins with, for each column, with padding.
    pub offsets: &'a [i32],
    pub finish: &'a Finish<T>,
}

impl<T: Target> Product<'_, T> {
    /// Compute every row; row r is written from r·columns on.
    ///
    /// # Safety
    /// The output, and the residual if there is one, have `rows · columns` elements, and nobody else uses the output
    /// meanwhile; the patches point to as many codes as a row has, with four bytes behind them.
    pub unsafe fn run(&self) {
        let matrix = self.panels.matrix;
        let inner = matrix.segments * matrix.depth;
        let (row_tasks, panels) = (self.rows.div_ceil(TASK_ROWS), self.panels.count());
        let small = self.rows * inner * matrix.columns < 1 << 18;
        let groups = if small { 1 } else { WANTED_TASKS.div_ceil(row_tasks.max(1)).clamp(1, panels) };
        let per_group = panels.div_ceil(groups);
        let groups = panels.div_ceil(per_group);
        parallel::for_each(row_tasks * groups, |task| {
            let first = task / groups * TASK_ROWS;
            let from = task % groups * per_group;
            let count = TASK_ROWS.min(self.rows - first);
            let to = panels.min(from + per_group);
            let watch = Watch::start();
            // SAFETY: promised by the caller; a path is only made for a machine that has it.
            unsafe { Task { product: self, first, count, from, to }.dispatch() }
            watch.stop(Work::Products);
        });
    }
}

/// Some rows times some panels.
struct Task<'a, T> {
    product: &'a Product<'a, T>,
    first: usize,
    count: usize,
    from: usize,
    to: usize,
}

impl<T: Target> Task<'_, T> {
    /// # Safety
    /// The machine has the path's instructions; and as for `Product::run`.
    unsafe fn dispatch(self) {
        // SAFETY: promised by the caller.
        unsafe {
            match self.product.panels.path {
                #[cfg(target_arch = "x86_64")]
                Path::Vnni => self.vnni(),
                #[cfg(target_arch = "x86_64")]
                Path::Avx2 => self.avx2(),
                _ => self.panels::<Scalar, 4, 4>(),
            }
        }
    }

    /// # Safety
    /// As for `dispatch`.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2")]
    unsafe fn vnni(self) {
        // SAFETY: promised by the caller. 32 registers: 6 rows × 4 vectors of sums, 4 of weights, 1 of codes.
        unsafe { self.panels::<Vnni, 6, 16>() }
    }

    /// # Safety
    /// As for `dispatch`.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn avx2(self) {
        // SAFETY: promised by the caller. 16 registers: 4 rows × 2 vectors of sums, 4 of weights, 2 of codes.
        unsafe { self.panels::<Avx2, 4, 8>() }
    }

    /// In tiles of `M` rows with `N` lanes in a vector.
    ///
    /// # Safety
    /// As for `dispatch`.
    #[inline(always)]
    unsafe fn panels<D: Dot, const M: usize, const N: usize>(self) {
        let segments = self.product.panels.matrix.segments;
        let slots = self.count.next_multiple_of(M);
        let mut table = vec![std::ptr::null(); slots * segments];
        self.product.patches.inputs(self.first, self.count, &mut table, M);
        let place = |slot: usize| place(slot, segments, M);
        // Rows past the end read the last row again and are not written.
        for slot in self.count..slots {
            for segment in 0..segments {
                table[place(slot) + segment * M] = table[place(self.count - 1) + segment * M];
            }
        }
        for panel in self.from..self.to {
            // SAFETY: promised by the caller.
            unsafe {
                match self.product.panels.vectors(panel) {
                    4 => self.tiles::<D, M, 4, N>(&table, panel),
                    3 => self.tiles::<D, M, 3, N>(&table, panel),
                    2 => self.tiles::<D, M, 2, N>(&table, panel),
                    _ => self.tiles::<D, M, 1, N>(&table, panel),
                }
            }
        }
    }

    /// # Safety
    /// As for `dispatch`.
    #[inline(always)]
    unsafe fn tiles<D: Dot, const M: usize, const V: usize, const N: usize>(
        &self,
        table: &[*const u8],
        panel: usize,
    ) {
        let &Product { panels, offsets, finish, .. } = self.product;
        let matrix = panels.matrix;
        let column = panel * panels.path.panel_width();
        let weights = panels.panel(panel);
        let offsets = offsets[column..].as_ptr();
        for (tile, pointers) in table.chunks_exact(M * matrix.segments).enumerate() {
            let rows = M.min(self.count - tile * M);
            // SAFETY: promised by the caller; the panel has its vectors, and the offsets are padded.
            unsafe {
                let sums = sums::<D, M, V, N>(
                    pointers.as_ptr(),
                    (matrix.segments, matrix.groups()),
                    weights,
                    offsets,
                );
                for (row, sums) in sums.iter().enumerate().take(rows) {
                    let place = (self.first + tile * M + row) * matrix.columns + column;
                    for (v, &sums) in sums.iter().enumerate() {
                        let real = N.min(matrix.columns - column - v * N);
                        let mut lanes = [0; N];
                        D::store(lanes.as_mut_ptr(), sums);
                        finish.write::<N>(&lanes, column + v * N, place + v * N, real);
                    }
                }
            }
        }
    }
}

/// The sums of a tile of `M` rows × `V` vectors, all in registers.
///
/// # Safety
/// `table` holds `segments · M` pointers to `4 · groups` readable codes; `weights` holds `segments · groups · V`
/// vectors and `offsets` `V`.
#[inline(always)]
unsafe fn sums<D: Dot, const M: usize, const V: usize, const N: usize>(
    table: *const *const u8,
    (segments, groups): (usize, usize),
    mut weights: *const i8,
    offsets: *const i32,
) -> [[D::Sums; V]; M] {
    // SAFETY: promised by the caller.
    unsafe {
        let mut start = [D::load(offsets); V];
        for (v, start) in start.iter_mut().enumerate() {
            *start = D::load(offsets.add(v * N));
        }
        let mut sums = [start; M];
        for segment in 0..segments {
            let mut rows = [std::ptr::null::<u8>(); M];
            for (row, pointer) in rows.iter_mut().enumerate() {
                *pointer = *table.add(segment * M + row);
            }
            for group in 0..groups {
                let mut columns = [D::columns(weights); V];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = D::columns(weights.add(v * N * 4));
                }
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let left = D::left(row.add(4 * group));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = D::add(*sum, left, column);
                    }
                }
                weights = weights.add(V * N * 4);
            }
        }
        sums
    }
}
