//! The sums over all rows that the gradients of a normalisation need.

use super::swish;
use crate::activation::Swish;
use crate::both::for_both;
use crate::elementwise::{channel_sums, widen};
use wellfit_simd::parallel::{Shared, row_blocks, rows_in_cache};
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{Kernel, Simd};
use wellfit_simd::{Buffer, Element};

/// Where the ReLU behind a normalisation let the gradient pass.
#[derive(Debug, Clone, Copy)]
pub enum Passed<'a, E> {
    /// Everywhere: there is none.
    All,
    /// Where this output is positive.
    Output(&'a [E]),
    /// Where scale·x + shift is positive, as [`affine`](super::affine) computed it with these two: no residual was added.
    /// Reads one tensor less than `Output`.
    Affine(&'a [f32], &'a [f32]),
    /// No ReLU but a smooth activation of scale·x + shift, as [`affine_swish`](super::affine_swish) computed it: the
    /// gradient times its slope there.
    Swish(Swish, &'a [f32], &'a [f32]),
}

/// Sums that one task adds up over the blocks.
const TOTALS: usize = 64;

/// Σ g and Σ g·(x − μ) of each channel; masks `dy` in place when an output decides.
pub(super) fn gradient_totals<E: Element>(
    dy: &mut Buffer<E>,
    x: &[E],
    passed: Passed<'_, E>,
    mean: &[f32],
) -> (Vec<f64>, Vec<f64>) {
    let channels = mean.len();
    let block = rows_in_cache(channels);
    let blocks = (dy.len() / channels).div_ceil(block);
    let mut partial: Buffer = Buffer::zeroed(blocks * 2 * channels);
    let places = Shared::new(&mut partial);
    let wide_mean = widen(mean);
    let affine = match passed {
        Passed::Affine(scale, shift) => Some((widen(scale), widen(shift))),
        _ => None,
    };
    row_blocks(dy, channels, block, |first, dy| {
        let range = first * channels..first * channels + dy.len();
        // SAFETY: every block of rows has its own 2·channels sums.
        let sums = unsafe { places.slice(first / block * 2 * channels, 2 * channels) };
        if let Passed::Swish(swish, scale, shift) = passed {
            let (of_g, of_product) = sums.split_at_mut(channels);
            let of = swish::Channels { mean, scale, shift };
            return swish::sums(swish, dy, &x[range], of, of_g, of_product);
        }
        let output = match passed {
            Passed::Output(y) => Some(&y[range.clone()]),
            _ => None,
        };
        let affine = affine.as_ref().map(|(scale, shift)| (&scale[..], &shift[..]));
        let bytes = size_of_val(dy) * if output.is_some() { 4 } else { 2 };
        let watch = Watch::start();
        add_sums(SumsTask { dy, x: &x[range], mean: &wide_mean, output, affine, sums });
        watch.pass(bytes);
    });
    let mut totals = vec![0.0_f64; 2 * channels];
    row_blocks(&mut totals, 1, TOTALS, |first, totals| {
        for part in partial.chunks_exact(2 * channels) {
            totals.iter_mut().zip(&part[first..]).for_each(|(total, &x)| *total += f64::from(x));
        }
    });
    let product = totals.split_off(channels);
    (totals, product)
}

/// The sums of a block of rows. What belongs to channels is repeated as [`widen`] does.
pub(crate) struct SumsTask<'a, E> {
    dy: &'a mut [E],
    x: &'a [E],
    mean: &'a [f32],
    /// `dy` passes where this is positive, and is 0 from then on where not.
    output: Option<&'a [E]>,
    /// `dy` passes where scale·x + shift is positive.
    affine: Option<(&'a [f32], &'a [f32])>,
    /// Those of g, then those of g·(x − μ).
    sums: &'a mut [f32],
}

for_both! { add_sums(task: SumsTask) E::dispatch(task) }

impl<E: Element> Kernel for SumsTask<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let width = self.mean.len();
        let (mut first, mut second) = (vec![0.0_f32; width], vec![0.0_f32; width]);
        let whole = width / S::LANES * S::LANES;
        // SAFETY: the columns exist.
        unsafe {
            if width == 4 * S::LANES {
                self.narrow_rows::<S, 4>(&mut first, &mut second);
            } else {
                self.wide_rows::<S>(whole, &mut first, &mut second);
            }
        }
        let rows = self.x.len() / width;
        (0..rows).for_each(|row| self.numbers(row * width, whole..width, &mut first, &mut second));
        // Part of a row of repeated channels.
        self.numbers(rows * width, 0..self.x.len() - rows * width, &mut first, &mut second);
        let channels = self.sums.len() / 2;
        let (of_g, of_product) = self.sums.split_at_mut(channels);
        channel_sums(&first, of_g);
        channel_sums(&second, of_product);
    }
}

impl<E: Element> SumsTask<'_, E> {
    /// Rows of `V` vectors, whose sums stay in registers.
    ///
    /// # Safety
    /// The machine must have `S`.
    #[inline(always)]
    unsafe fn narrow_rows<S: Simd, const V: usize>(&mut self, first: &mut [f32], second: &mut [f32]) {
        let width = V * S::LANES;
        // SAFETY: promised by the caller; all slices have the length of x, or of a row.
        unsafe {
            let (mut sums, mut products) = ([S::splat(0.0); V], [S::splat(0.0); V]);
            for start in (0..self.x.len() / width * width).step_by(width) {
                for v in 0..V {
                    let (g, product) = self.terms::<S>(start, v * S::LANES);
                    sums[v] = S::add(sums[v], g);
                    products[v] = S::add(products[v], product);
                }
            }
            for v in 0..V {
                S::store(first.as_mut_ptr().add(v * S::LANES), sums[v]);
                S::store(second.as_mut_ptr().add(v * S::LANES), products[v]);
            }
        }
    }

    /// The first `whole` columns of rows, whole vectors, whose sums stay in the first-level cache.
    ///
    /// # Safety
    /// As for `narrow_rows`.
    #[inline(always)]
    unsafe fn wide_rows<S: Simd>(&mut self, whole: usize, first: &mut [f32], second: &mut [f32]) {
        let width = self.mean.len();
        let (first, second) = (first.as_mut_ptr(), second.as_mut_ptr());
        for start in (0..self.x.len() / width * width).step_by(width) {
            for column in (0..whole).step_by(S::LANES) {
                // SAFETY: as above.
                unsafe {
                    let (g, product) = self.terms::<S>(start, column);
                    let (sum, products) = (first.add(column), second.add(column));
                    S::store(sum, S::add(S::load(sum), g));
                    S::store(products, S::add(S::load(products), product));
                }
            }
        }
    }

    /// g and g·(x − μ) of a vector of columns of the row that begins at `start`.
    ///
    /// # Safety
    /// The columns must exist and the machine must have `S`.
    #[inline(always)]
    unsafe fn terms<S: Simd>(&mut self, start: usize, column: usize) -> (S::Vector, S::Vector) {
        let i = start + column;
        // SAFETY: promised by the caller.
        unsafe {
            let at = |values: &[f32]| S::load(values.as_ptr().add(column));
            let x = E::load::<S>(self.x.as_ptr().add(i));
            let mut g = E::load::<S>(self.dy.as_ptr().add(i));
            if let Some(output) = self.output {
                g = S::where_positive(E::load::<S>(output.as_ptr().add(i)), g);
                E::store::<S>(self.dy.as_mut_ptr().add(i), g);
            } else if let Some((scale, shift)) = self.affine {
                g = S::where_positive(S::add(S::multiply(x, at(scale)), at(shift)), g);
            }
            (g, S::multiply(g, S::subtract(x, at(self.mean))))
        }
    }

    /// The same for some columns of one row, one by one.
    #[inline(always)]
    fn numbers(
        &mut self,
        start: usize,
        columns: std::ops::Range<usize>,
        first: &mut [f32],
        second: &mut [f32],
    ) {
        for column in columns {
            let i = start + column;
            let x = self.x[i].to_f32();
            let mut g = self.dy[i].to_f32();
            if let Some(output) = self.output {
                g = if output[i].to_f32() > 0.0 { g } else { 0.0 };
                self.dy[i] = E::from_f32(g);
            } else if let Some((scale, shift)) = self.affine {
                g = if x * scale[column] + shift[column] > 0.0 { g } else { 0.0 };
            }
            first[column] += g;
            second[column] += g * (x - self.mean[column]);
        }
    }
}
