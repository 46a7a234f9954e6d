//! An activation that is not ReLU behind a normalisation, in the same passes: its input is computed again where it is needed.

use super::coefficients::Coefficients;
use crate::activation::{Swish, each_swish};
use crate::elementwise::{channel_sums, widen};
use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::{Buffer, Element, vectorized};

/// y = swish(scale·x + shift) of `x` `[rows, C]`, with a scale and a shift of each channel.
///
/// # Panics
/// When scale and shift have different lengths.
#[must_use]
pub fn affine_swish<E: Element>(x: &[E], scale: &[f32], shift: &[f32], swish: Swish) -> Buffer<E> {
    assert_eq!(scale.len(), shift.len(), "both of each channel");
    let mut y = Buffer::scratch(x.len());
    let (scale, shift) = (widen(scale), widen(shift));
    row_blocks(&mut y, 1, rows_in_cache(scale.len()) * scale.len(), |first, out| {
        affine_block(swish, &x[first..first + out.len()], &scale, &shift, out);
    });
    y
}

vectorized! {
    fn affine_block<E>(swish: Swish, x: &[E], scale: &[f32], shift: &[f32], out: &mut [E]) {
        each_swish!(swish, KIND => for (x, out) in x.chunks(scale.len()).zip(out.chunks_mut(scale.len())) {
            for (((&x, &a), &b), out) in x.iter().zip(scale).zip(shift).zip(out) {
                *out = E::from_f32(KIND.value(x.to_f32() * a + b));
            }
        });
    }
}

/// What the sums of a normalisation's backward pass need of each channel.
#[derive(Clone, Copy)]
pub(super) struct Channels<'a> {
    pub mean: &'a [f32],
    pub scale: &'a [f32],
    pub shift: &'a [f32],
}

vectorized! {
    /// Σ g and Σ g·(x − μ) over the rows, added to `beta` and `gamma`, with g = dy·swish′(scale·x + shift).
    pub(super) fn sums<E>(
        swish: Swish,
        dy: &[E],
        x: &[E],
        of: Channels<'_>,
        beta: &mut [f32],
        gamma: &mut [f32],
    ) {
        let (mean, scale, shift) = (widen(of.mean), widen(of.scale), widen(of.shift));
        let (mut sums, mut products) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        each_swish!(swish, KIND => for (dy, x) in dy.chunks(mean.len()).zip(x.chunks(mean.len())) {
            let inputs = dy.iter().zip(x).zip(&mean).zip(scale.iter().zip(&shift));
            for ((((&dy, &x), &mean), (&a, &b)), (sum, product)) in
                inputs.zip(sums.iter_mut().zip(&mut products))
            {
                let x = x.to_f32();
                let g = dy.to_f32() * KIND.slope(x * a + b);
                *sum += g;
                *product += g * (x - mean);
            }
        });
        channel_sums(&sums, beta);
        channel_sums(&products, gamma);
    }
}

vectorized! {
    /// The gradient of the normalisation's input, over `dy`.
    pub(super) fn combine<E>(
        swish: Swish,
        dy: &mut [E],
        x: &[E],
        with: &Coefficients,
        affine: (&[f32], &[f32]),
    ) {
        let width = with.of_g.len();
        each_swish!(swish, KIND => for (dy, x) in dy.chunks_mut(width).zip(x.chunks(width)) {
            let factors = with.of_g.iter().zip(&with.of_x).zip(&with.constant);
            let affine = affine.0.iter().zip(affine.1);
            for (((dy, &x), ((&a, &b), &c)), (&scale, &shift)) in dy.iter_mut().zip(x).zip(factors).zip(affine) {
                let x = x.to_f32();
                let g = dy.to_f32() * KIND.slope(x * scale + shift);
                *dy = E::from_f32(a * g + (b * x + c));
            }
        });
    }
}
