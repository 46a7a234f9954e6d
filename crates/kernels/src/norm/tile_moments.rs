//! Mean and variance of every channel of a product, gathered while its tiles are in registers.

use super::moments::{Moments, Statistics};
use std::ops::Range;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{Shared, row_blocks};
use wellfit_simd::vector::Simd;

/// Channels whose blocks one task combines.
const GROUP: usize = 16;

/// The most floats in a tile's row, over all instruction sets.
const WIDEST: usize = 64;

/// Σ (x − shift) and Σ (x − shift)² of some columns, where shift is the mean of the first tile: near enough
/// to the mean for the difference of squares to be harmless.
pub(crate) struct TileMoments<S: Simd, const V: usize> {
    pub rows: usize,
    pub shift: [S::Vector; V],
    pub first: [S::Vector; V],
    pub second: [S::Vector; V],
}

impl<S: Simd, const V: usize> TileMoments<S, V> {
    /// # Safety
    /// The machine must have `S`; so for `add`.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: promised by the caller.
        let zero = unsafe { [S::splat(0.0); V] };
        Self { rows: 0, shift: zero, first: zero, second: zero }
    }

    /// # Safety
    /// As for `new`.
    #[inline(always)]
    pub(crate) unsafe fn add(&mut self, tile: &[[S::Vector; V]]) {
        // SAFETY: promised by the caller.
        unsafe {
            for v in 0..V {
                if self.rows == 0 {
                    let mut sum = S::splat(0.0);
                    for row in tile {
                        sum = S::add(sum, row[v]);
                    }
                    self.shift[v] = S::multiply(sum, S::splat(1.0 / tile.len() as f32));
                }
                for row in tile {
                    let d = S::subtract(row[v], self.shift[v]);
                    self.first[v] = S::add(self.first[v], d);
                    self.second[v] = S::multiply_add(d, d, self.second[v]);
                }
            }
        }
        self.rows += tile.len();
    }
}

/// For each block of rows: shift, Σ (x − shift) and Σ (x − shift)² of every channel.
pub(crate) struct BlockMoments {
    channels: usize,
    /// Rows of each block.
    rows: Vec<usize>,
    places: Shared,
    _data: Buffer,
}

impl BlockMoments {
    /// Room for blocks of the given numbers of rows.
    pub(crate) fn new(channels: usize, rows: Vec<usize>) -> Self {
        let mut data = Buffer::scratch(rows.len() * 3 * channels);
        Self { channels, rows, places: Shared::new(&mut data), _data: data }
    }

    /// No room, where no moments are asked for.
    pub(crate) fn none() -> Self {
        Self::new(0, Vec::new())
    }

    /// Room for `rows` rows in blocks of `block`.
    pub(crate) fn even(channels: usize, rows: usize, block: usize) -> Self {
        let sizes = (0..rows.div_ceil(block)).map(|i| block.min(rows - i * block)).collect();
        Self::new(channels, sizes)
    }

    /// Where the three rows of a block begin: shift, Σ, Σ².
    pub(crate) fn block(&self, block: usize) -> [*mut f32; 3] {
        [0, 1, 2].map(|row| self.places.from((block * 3 + row) * self.channels).pointer())
    }

    /// Write the moments of `real` columns from `column` on of one block.
    ///
    /// # Safety
    /// The columns must exist, nobody else may use them of this block meanwhile, and the machine must have `S`.
    #[inline(always)]
    pub(crate) unsafe fn write<S: Simd, const V: usize>(
        &self,
        block: usize,
        (column, real): (usize, usize),
        moments: &TileMoments<S, V>,
    ) {
        // SAFETY: promised by the caller; `real` columns from `column` on exist.
        unsafe {
            let values = [&moments.shift, &moments.first, &moments.second];
            for (row, vectors) in self.block(block).into_iter().zip(values) {
                if real == V * S::LANES {
                    for (v, &vector) in vectors.iter().enumerate() {
                        S::store(row.add(column + v * S::LANES), vector);
                    }
                    continue;
                }
                let mut whole = [0.0_f32; WIDEST];
                for (v, &vector) in vectors.iter().enumerate() {
                    S::store(whole.as_mut_ptr().add(v * S::LANES), vector);
                }
                std::ptr::copy_nonoverlapping(whole.as_ptr(), row.add(column), real);
            }
        }
    }

    /// Read back what `write` wrote of a block.
    ///
    /// # Safety
    /// As for `write`; all columns must exist.
    #[inline(always)]
    pub(crate) unsafe fn read<S: Simd, const V: usize>(
        &self,
        block: usize,
        column: usize,
        moments: &mut TileMoments<S, V>,
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            let [shift, first, second] = self.block(block);
            for v in 0..V {
                let lane = column + v * S::LANES;
                moments.shift[v] = S::load(shift.add(lane));
                moments.first[v] = S::load(first.add(lane));
                moments.second[v] = S::load(second.add(lane));
            }
        }
        moments.rows = 1;
    }

    /// The statistics of all rows, the blocks combined in order.
    pub(crate) fn statistics(&self) -> Statistics {
        let mut found = vec![(0.0, 0.0); self.channels];
        row_blocks(&mut found, 1, GROUP, |first, found| {
            let total = self.combined(first..first + found.len()).statistics();
            for (found, values) in found.iter_mut().zip(total.mean.into_iter().zip(total.variance)) {
                *found = values;
            }
        });
        let (mean, variance) = found.into_iter().unzip();
        Statistics { mean, variance }
    }

    fn combined(&self, channels: Range<usize>) -> Moments {
        let [mut total, mut part] = [(); 2].map(|()| Moments::none(channels.len()));
        for (block, &rows) in self.rows.iter().enumerate() {
            // SAFETY: the product is done, so nobody writes the blocks any more.
            let [shift, first, second] = unsafe {
                self.block(block)
                    .map(|row| std::slice::from_raw_parts(row.add(channels.start), channels.len()))
            };
            part.rows = rows as f64;
            let share = 1.0 / part.rows;
            for channel in 0..channels.len() {
                let [shift, first, second] = [shift, first, second].map(|row| f64::from(row[channel]));
                part.mean[channel] = shift + first * share;
                part.deviation[channel] = second - first * first * share;
            }
            total.add(&part);
        }
        total
    }
}
