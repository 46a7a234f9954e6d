//! Mean and variance of every channel, gathered block by block while a product is written.

use crate::Buffer;
use crate::finish::TileMoments;
use crate::norm::Statistics;
use crate::parallel::Shared;
use crate::simd::Simd;

/// For each block of rows: shift, Σ (x − shift) and Σ (x − shift)² of every channel.
pub(crate) struct Partial {
    channels: usize,
    /// Rows of each block.
    rows: Vec<usize>,
    places: Shared,
    _data: Buffer,
}

impl Partial {
    /// Room for blocks of the given numbers of rows.
    pub(crate) fn new(channels: usize, rows: Vec<usize>) -> Self {
        let mut data = Buffer::zeroed(rows.len() * 3 * channels);
        Self { channels, rows, places: Shared::new(&mut data), _data: data }
    }

    /// Room for `rows` rows in blocks of `block`.
    pub(crate) fn even(channels: usize, rows: usize, block: usize) -> Self {
        let sizes = (0..rows.div_ceil(block)).map(|i| block.min(rows - i * block)).collect();
        Self::new(channels, sizes)
    }

    /// The three rows of a block: shift, Σ, Σ².
    ///
    /// # Safety
    /// Nobody else may use the same columns of this block meanwhile.
    pub(crate) unsafe fn block(&self, block: usize) -> [*mut f32; 3] {
        let start = block * 3 * self.channels;
        // SAFETY: promised by the caller; blocks are disjoint.
        let rows = unsafe { self.places.slice(start, 3 * self.channels) }.as_mut_ptr();
        // SAFETY: three rows of `channels` floats.
        unsafe { [rows, rows.add(self.channels), rows.add(2 * self.channels)] }
    }

    /// Keep the moments of `real` columns from `column` on of one block.
    ///
    /// # Safety
    /// As for `block`; the machine must have `S`.
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
                let mut whole = [0.0_f32; 32];
                for (v, &vector) in vectors.iter().enumerate() {
                    S::store(whole.as_mut_ptr().add(v * S::LANES), vector);
                }
                std::ptr::copy_nonoverlapping(whole.as_ptr(), row.add(column), real);
            }
        }
    }

    /// Take up again what `write` kept of a block.
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

    /// The statistics of all rows: the blocks are combined in order in f64 (Chan, Golub & LeVeque 1979).
    pub(crate) fn statistics(&self) -> Statistics {
        let channels = self.channels;
        let (mut mean, mut deviation) = (vec![0.0_f64; channels], vec![0.0_f64; channels]);
        let mut total = 0.0;
        for (block, &rows) in self.rows.iter().enumerate() {
            // SAFETY: the product is done; nobody else reads or writes the blocks.
            let values = unsafe { self.places.slice(block * 3 * channels, 3 * channels) };
            let (rows, before) = (rows as f64, total);
            total += rows;
            for channel in 0..channels {
                let [shift, first, second] = [0, 1, 2].map(|row| f64::from(values[row * channels + channel]));
                let difference = shift + first / rows - mean[channel];
                mean[channel] += difference * rows / total;
                deviation[channel] +=
                    second - first * first / rows + difference * difference * before * rows / total;
            }
        }
        Statistics {
            mean: mean.iter().map(|&m| m as f32).collect(),
            variance: deviation.iter().map(|&d| (d / total).max(0.0) as f32).collect(),
        }
    }
}
