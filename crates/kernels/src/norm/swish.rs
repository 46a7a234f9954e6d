//! An activation that is not ReLU behind a normalisation, in the same passes: its input is computed again where it is needed.

use super::coefficients::Coefficients;
use crate::activation::Swish;
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
        let x = &x[first..first + out.len()];
        match swish {
            Swish::Hard => affine_hard(x, &scale, &shift, out),
            Swish::Sigmoid => affine_silu(x, &scale, &shift, out),
            Swish::Relu6 => affine_relu6(x, &scale, &shift, out),
        }
    });
    y
}

#[inline(always)]
fn affine<E: Element>(swish: Swish, x: &[E], scale: &[f32], shift: &[f32], out: &mut [E]) {
    for (x, out) in x.chunks(scale.len()).zip(out.chunks_mut(scale.len())) {
        for (((&x, &a), &b), out) in x.iter().zip(scale).zip(shift).zip(out) {
            *out = E::from_f32(swish.value(x.to_f32() * a + b));
        }
    }
}

vectorized! {
    fn affine_hard<E>(x: &[E], scale: &[f32], shift: &[f32], out: &mut [E]) {
        affine(Swish::Hard, x, scale, shift, out);
    }
}

vectorized! {
    fn affine_silu<E>(x: &[E], scale: &[f32], shift: &[f32], out: &mut [E]) {
        affine(Swish::Sigmoid, x, scale, shift, out);
    }
}

vectorized! {
    fn affine_relu6<E>(x: &[E], scale: &[f32], shift: &[f32], out: &mut [E]) {
        affine(Swish::Relu6, x, scale, shift, out);
    }
}

/// What the sums of a normalisation's backward pass need of each channel.
#[derive(Clone, Copy)]
pub(super) struct Channels<'a> {
    pub mean: &'a [f32],
    pub scale: &'a [f32],
    pub shift: &'a [f32],
}

/// Σ g and Σ g·(x − μ) over the rows, added to `beta` and `gamma`, with g = dy·swish′(scale·x + shift).
pub(super) fn sums<E: Element>(
    swish: Swish,
    dy: &[E],
    x: &[E],
    of: Channels<'_>,
    beta: &mut [f32],
    gamma: &mut [f32],
) {
    match swish {
        Swish::Hard => sums_hard(dy, x, of, beta, gamma),
        Swish::Sigmoid => sums_silu(dy, x, of, beta, gamma),
        Swish::Relu6 => sums_relu6(dy, x, of, beta, gamma),
    }
}

#[inline(always)]
fn add_sums<E: Element>(
    swish: Swish,
    dy: &[E],
    x: &[E],
    of: Channels<'_>,
    beta: &mut [f32],
    gamma: &mut [f32],
) {
    let (mean, scale, shift) = (widen(of.mean), widen(of.scale), widen(of.shift));
    let (mut sums, mut products) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
    for (dy, x) in dy.chunks(mean.len()).zip(x.chunks(mean.len())) {
        let inputs = dy.iter().zip(x).zip(&mean).zip(scale.iter().zip(&shift));
        for ((((&dy, &x), &mean), (&a, &b)), (sum, product)) in inputs.zip(sums.iter_mut().zip(&mut products))
        {
            let x = x.to_f32();
            let g = dy.to_f32() * swish.slope(x * a + b);
            *sum += g;
            *product += g * (x - mean);
        }
    }
    channel_sums(&sums, beta);
    channel_sums(&products, gamma);
}

vectorized! {
    fn sums_hard<E>(dy: &[E], x: &[E], of: Channels<'_>, beta: &mut [f32], gamma: &mut [f32]) {
        add_sums(Swish::Hard, dy, x, of, beta, gamma);
    }
}

vectorized! {
    fn sums_silu<E>(dy: &[E], x: &[E], of: Channels<'_>, beta: &mut [f32], gamma: &mut [f32]) {
        add_sums(Swish::Sigmoid, dy, x, of, beta, gamma);
    }
}

vectorized! {
    fn sums_relu6<E>(dy: &[E], x: &[E], of: Channels<'_>, beta: &mut [f32], gamma: &mut [f32]) {
        add_sums(Swish::Relu6, dy, x, of, beta, gamma);
    }
}

/// The gradient of the normalisation's input, over `dy`.
pub(super) fn combine<E: Element>(
    swish: Swish,
    dy: &mut [E],
    x: &[E],
    with: &Coefficients,
    affine: (&[f32], &[f32]),
) {
    match swish {
        Swish::Hard => combine_hard(dy, x, with, affine),
        Swish::Sigmoid => combine_silu(dy, x, with, affine),
        Swish::Relu6 => combine_relu6(dy, x, with, affine),
    }
}

#[inline(always)]
fn combined<E: Element>(swish: Swish, dy: &mut [E], x: &[E], with: &Coefficients, affine: (&[f32], &[f32])) {
    let width = with.of_g.len();
    for (dy, x) in dy.chunks_mut(width).zip(x.chunks(width)) {
        let factors = with.of_g.iter().zip(&with.of_x).zip(&with.constant);
        let affine = affine.0.iter().zip(affine.1);
        for (((dy, &x), ((&a, &b), &c)), (&scale, &shift)) in dy.iter_mut().zip(x).zip(factors).zip(affine) {
            let x = x.to_f32();
            let g = dy.to_f32() * swish.slope(x * scale + shift);
            *dy = E::from_f32(a * g + (b * x + c));
        }
    }
}

vectorized! {
    fn combine_hard<E>(dy: &mut [E], x: &[E], with: &Coefficients, affine: (&[f32], &[f32])) {
        combined(Swish::Hard, dy, x, with, affine);
    }
}

vectorized! {
    fn combine_silu<E>(dy: &mut [E], x: &[E], with: &Coefficients, affine: (&[f32], &[f32])) {
        combined(Swish::Sigmoid, dy, x, with, affine);
    }
}

vectorized! {
    fn combine_relu6<E>(dy: &mut [E], x: &[E], with: &Coefficients, affine: (&[f32], &[f32])) {
        combined(Swish::Relu6, dy, x, with, affine);
    }
}
