//! Mean and variance of every channel from those of blocks of rows, and how they are gathered while a product
//! is written.

use crate::Buffer;
use crate::finish::TileMoments;
use crate::norm::Statistics;
use crate::parallel::Shared;
use crate::simd::Simd;

/// Count, mean and sum of squared deviations from it, for each channel.
#[derive(Default)]
pub(crate) struct Moments {
    pub rows: f64,
    pub mean: Vec<f64>,
    pub deviation: Vec<f64>,
}

impl Moments {
    /// Those of no rows.
    pub(crate) fn none(channels: usize) -> Self {
        Self { rows: 0.0, mean: vec![0.0; channels], deviation: vec![0.0; channels] }
    }

    /// Take in those of other rows (Chan, Golub & LeVeque 1979).
    pub(crate) fn add(&mut self, other: &Self) {
        let rows = self.rows + other.rows;
        for channel in 0..self.mean.len() {
            let difference = other.mean[channel] - self.mean[channel];
            self.mean[channel] += difference * other.rows / rows;
            self.deviation[channel] +=
                other.deviation[channel] + difference * difference * self.rows * other.rows / rows;
        }
        self.rows = rows;
    }

    pub(crate) fn statistics(&self) -> Statistics {
        // Rounding may leave a constant channel a variance below zero. NaN stays NaN: a diverged network must
        // not look like a dead one.
        let at_least_zero = |variance: f32| if variance < 0.0 { 0.0 } else { variance };
        Statistics {
            mean: self.mean.iter().map(|&m| m as f32).collect(),
            variance: self.deviation.iter().map(|&d| at_least_zero((d / self.rows) as f32)).collect(),
        }
    }
}

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

    /// Room for nothing, where nobody asks.
    pub(crate) fn none() -> Self {
        Self::new(0, Vec::new())
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

    /// The statistics of all rows, the blocks combined in order.
    pub(crate) fn statistics(&self) -> Statistics {
        let mut total = Moments::none(self.channels);
        for (block, &rows) in self.rows.iter().enumerate() {
            // SAFETY: the product is done; nobody else reads or writes the blocks.
            let values = unsafe { self.places.slice(block * 3 * self.channels, 3 * self.channels) };
            let (mut part, rows) = (Moments::none(self.channels), rows as f64);
            part.rows = rows;
            for channel in 0..self.channels {
                let [shift, first, second] =
                    [0, 1, 2].map(|row| f64::from(values[row * self.channels + channel]));
                part.mean[channel] = shift + first / rows;
                part.deviation[channel] = second - first * first / rows;
            }
            total.add(&part);
        }
        total.statistics()
    }
}
