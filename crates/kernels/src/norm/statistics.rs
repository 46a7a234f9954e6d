//! Mean and variance of every channel of a tensor that is in memory.

use super::moments::{Moments, Statistics};
use crate::elementwise::{channel_sums, widen};
use wellfit_simd::parallel::{Shared, row_blocks, rows_in_cache};
use wellfit_simd::{Element, vectorized};

/// Mean and biased variance of each channel of `x` `[rows, channels]`.
///
/// One pass over memory: each block that fits in the cache yields its mean and its squared deviations from
/// that mean, and the blocks are combined in order in f64 (Chan, Golub & LeVeque 1979).
#[must_use]
pub fn statistics<E: Element>(x: &[E], channels: usize) -> Statistics {
    let block = rows_in_cache(channels) * channels;
    let mut partial = BandMoments::new(x.len().div_ceil(block));
    row_blocks(&mut partial.0, 1, 1, |i, place| {
        place[0] = block_moments(&x[i * block..(i * block + block).min(x.len())], channels);
    });
    partial.statistics(channels)
}

/// The moments of blocks of rows, in their order.
pub(crate) struct BandMoments(Vec<Moments>);

impl BandMoments {
    /// Room for so many.
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Moments::default()).collect())
    }

    /// Where tasks write them.
    pub(crate) fn places(&mut self) -> Shared<Moments> {
        Shared::new(&mut self.0)
    }

    /// Those of all rows.
    pub(crate) fn statistics(&self, channels: usize) -> Statistics {
        let mut total = Moments::none(channels);
        self.0.iter().for_each(|part| total.add(part));
        total.statistics()
    }
}

/// The moments of some rows that are in the cache.
pub(crate) fn block_moments<E: Element>(x: &[E], channels: usize) -> Moments {
    let rows = x.len() / channels;
    let mut sums = vec![0.0; channels];
    channel_sums(x, &mut sums);
    let mean: Vec<f32> = sums.iter().map(|&sum| sum / rows as f32).collect();
    let (mut residue, mut deviation) = (vec![0.0; channels], vec![0.0; channels]);
    deviations(x, &mean, &mut residue, &mut deviation);
    // The rounded mean is off by residue/rows; the deviations are corrected for it.
    let count = rows as f64;
    let exact = mean.iter().zip(&residue).map(|(&m, &r)| f64::from(m) + f64::from(r) / count).collect();
    let corrected =
        deviation.iter().zip(&residue).map(|(&d, &r)| f64::from(d) - f64::from(r).powi(2) / count);
    Moments { rows: count, mean: exact, deviation: corrected.collect() }
}

vectorized! {
    fn deviations<E>(x: &[E], mean: &[f32], residue: &mut [f32], squares: &mut [f32]) {
        let channels = mean.len();
        let mean = widen(mean);
        let (mut first, mut second) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        for rows in x.chunks(mean.len()) {
            for (((&x, &mean), first), second) in rows.iter().zip(&mean).zip(&mut first).zip(&mut second) {
                let d = x.to_f32() - mean;
                *first += d;
                *second += d * d;
            }
        }
        channel_sums(&first, &mut residue[..channels]);
        channel_sums(&second, &mut squares[..channels]);
    }
}
