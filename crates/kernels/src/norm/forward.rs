//! The normalisation itself: a factor and an addend for each channel.

use super::moments::Statistics;
use crate::both::for_both;
use crate::elementwise::widen;
use crate::epilogue::{Epilogue, past_caches};
use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::profile::Watch;
use wellfit_simd::vector::{CACHE_LINE, Kernel, Simd};
use wellfit_simd::{Buffer, Element, vectorized};

/// `y = relu(scale·x + bias + residual)` of `x` `[rows, channels]`, as the [`Epilogue`] says; without a scale it is 1,
/// without a bias 0.
///
/// # Panics
/// When scale or bias have another length than `channels`, or the residual another than `x`.
#[must_use]
pub fn affine<E: Element>(x: &[E], channels: usize, epilogue: Epilogue<'_, E>) -> Buffer<E> {
    let per_channel = |values: Option<&[f32]>, otherwise: f32| {
        let values = values.map_or_else(|| vec![otherwise; channels], <[f32]>::to_vec);
        assert_eq!(values.len(), channels, "a value for each channel");
        widen(&values)
    };
    let (scale, shift) = (per_channel(epilogue.scale, 1.0), per_channel(epilogue.bias, 0.0));
    assert!(epilogue.residual.is_none_or(|r| r.len() == x.len()), "the residual has the shape of x");
    let mut y = Buffer::scratch(x.len());
    let channels_block = rows_in_cache(scale.len()) * scale.len();
    let past_caches = past_caches::<E>(x.len(), scale.len());
    let whole_rows = scale.len().is_multiple_of(CACHE_LINE) && x.len().is_multiple_of(scale.len());
    row_blocks(&mut y, 1, channels_block, |first, out| {
        let (range, watch) = (first..first + out.len(), Watch::start());
        let bytes = size_of_val(out) * if epilogue.residual.is_some() { 3 } else { 2 };
        if whole_rows {
            let residual = epilogue.residual.map(|r| &r[range.clone()]);
            let (x, line) = (&x[range], (&scale[..], &shift[..]));
            affine_rows(AffineRows { x, line, residual, relu: epilogue.relu, past_caches, out });
            return watch.pass(bytes);
        }
        affine_block(
            &x[range.clone()],
            &scale,
            &shift,
            epilogue.residual.map(|r| &r[range]),
            epilogue.relu,
            out,
        );
        watch.pass(bytes);
    });
    y
}

/// Rows of whole vectors: `affine_block` with the same bits, and past the caches if that is asked for.
pub(crate) struct AffineRows<'a, E> {
    x: &'a [E],
    line: (&'a [f32], &'a [f32]),
    residual: Option<&'a [E]>,
    relu: bool,
    past_caches: bool,
    out: &'a mut [E],
}

for_both! { affine_rows(rows: AffineRows) E::dispatch(rows) }

impl<E: Element> Kernel for AffineRows<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (scale, shift) = self.line;
        let width = scale.len();
        let streams = S::STREAMS && self.past_caches;
        for row in (0..self.out.len()).step_by(width) {
            for column in (0..width).step_by(S::LANES) {
                let i = row + column;
                // SAFETY: rows are of `width` numbers, whole vectors, and begin at a vector's boundary.
                unsafe {
                    let x = E::load::<S>(self.x.as_ptr().add(i));
                    let scaled = S::multiply(x, S::load(scale.as_ptr().add(column)));
                    let mut y = S::add(scaled, S::load(shift.as_ptr().add(column)));
                    if let Some(residual) = self.residual {
                        y = S::add(y, E::load::<S>(residual.as_ptr().add(i)));
                    }
                    if self.relu {
                        y = S::relu(y);
                    }
                    let place = self.out.as_mut_ptr().add(i);
                    if streams { E::stream::<S>(place, y) } else { E::store::<S>(place, y) }
                }
            }
        }
        if streams {
            S::stream_fence();
        }
    }
}

vectorized! {
    fn affine_block<E>(
        x: &[E],
        scale: &[f32],
        shift: &[f32],
        residual: Option<&[E]>,
        relu: bool,
        out: &mut [E],
    ) {
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        let width = scale.len();
        for (i, (rows, out)) in x.chunks(width).zip(out.chunks_mut(width)).enumerate() {
            let values = rows.iter().zip(scale).zip(shift).zip(out);
            if let Some(residual) = residual {
                for ((((&x, &a), &b), out), &r) in values.zip(&residual[i * width..]) {
                    *out = E::from_f32(floor_keeping_nan(x.to_f32() * a + b + r.to_f32(), floor));
                }
            } else {
                for (((&x, &a), &b), out) in values {
                    *out = E::from_f32(floor_keeping_nan(x.to_f32() * a + b, floor));
                }
            }
        }
    }
}

/// max(x, floor), but NaN stays NaN: a network that has diverged must not look like one whose ReLUs are all 0.
#[inline(always)]
fn floor_keeping_nan(x: f32, floor: f32) -> f32 {
    if x < floor { floor } else { x }
}

/// Scale and shift of a normalisation: γ/√(σ² + ε) and β − μ·scale.
#[must_use]
pub fn scale_and_shift(
    gamma: &[f32],
    beta: &[f32],
    statistics: &Statistics,
    eps: f32,
) -> (Vec<f32>, Vec<f32>) {
    let inverse = statistics.inverse_std(eps);
    let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(g, i)| g * i).collect();
    let shift = beta.iter().zip(&statistics.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    (scale, shift)
}
