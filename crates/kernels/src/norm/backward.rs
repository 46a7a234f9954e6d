//! The gradients of a normalisation.

use super::moments::Statistics;
use super::swish;
use crate::activation::Swish;
use crate::elementwise::{channel_sums, widen};
use wellfit_simd::parallel::{Shared, row_blocks, rows_in_cache};
use wellfit_simd::{Buffer, Element, vectorized};

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

/// The gradients of a normalisation.
#[derive(Debug)]
pub struct Gradients {
    /// Of γ, `[C]`.
    pub gamma: Buffer,
    /// Of β, `[C]`.
    pub beta: Buffer,
    /// Of the input, still to be computed.
    pub input: InputGradient,
}

/// Backward through a normalisation whose statistics were the batch's (`batch` = true) or constants.
///
/// With `g` the gradient `dy` where it `passed` the ReLU, x̂ the normalised input and M the rows:
/// dγ = Σ g·x̂, dβ = Σ g, dx = γ/σ · (g − dβ/M − x̂·dγ/M), without the last two terms for constants.
///
/// With [`Passed`] given by an output, `dy` becomes `g`, which is also the gradient of a residual.
#[must_use]
pub fn backward<E: Element>(
    dy: &mut Buffer<E>,
    x: &[E],
    passed: Passed<'_, E>,
    gamma: &[f32],
    statistics: &Statistics,
    eps: f32,
    batch: bool,
) -> Gradients {
    let channels = gamma.len();
    let (sum, product) = gradient_totals(dy, x, passed, &statistics.mean);
    let (mut of_gamma, mut of_beta) = (Buffer::scratch(channels), Buffer::scratch(channels));
    let rows = (x.len() / channels) as f64;
    let inverse = statistics.inverse_std(eps);
    let mut coefficients = Coefficients::default();
    for c in 0..channels {
        let inverse = f64::from(inverse[c]);
        of_gamma[c] = (product[c] * inverse) as f32;
        of_beta[c] = sum[c] as f32;
        let scale = f64::from(gamma[c]) * inverse;
        let slope = if batch { -scale * inverse * inverse * product[c] / rows } else { 0.0 };
        let constant =
            if batch { -scale * sum[c] / rows - slope * f64::from(statistics.mean[c]) } else { 0.0 };
        coefficients.of_g.push(scale as f32);
        coefficients.of_x.push(slope as f32);
        coefficients.constant.push(constant as f32);
    }
    let mask = match passed {
        Passed::Affine(scale, shift) | Passed::Swish(_, scale, shift) => Some((widen(scale), widen(shift))),
        _ => None,
    };
    let swish = if let Passed::Swish(swish, ..) = passed { Some(swish) } else { None };
    Gradients {
        gamma: of_gamma,
        beta: of_beta,
        input: InputGradient { coefficients: coefficients.widen(), mask, swish },
    }
}

/// The gradient of a normalisation's input, as a line in `dy` and `x` for each channel.
#[derive(Debug)]
pub struct InputGradient {
    coefficients: Coefficients,
    /// Scale and shift of the ReLU's input, which decides where `dy` passes; none where `dy` is masked already.
    mask: Option<(Vec<f32>, Vec<f32>)>,
    /// The activation with that input, where it is no ReLU.
    swish: Option<Swish>,
}

impl InputGradient {
    /// Write it over `dy`, the one that [`backward`] saw, which saw this `x`.
    #[must_use]
    pub fn over<E: Element>(&self, mut dy: Buffer<E>, x: &[E]) -> Buffer<E> {
        row_blocks(&mut dy, 1, self.block(), |first, dy| {
            let x = &x[first..first + dy.len()];
            match (&self.mask, self.swish) {
                (None, _) => combine_in_place(dy, x, &self.coefficients),
                (Some((scale, shift)), None) => combine_masked(dy, x, &self.coefficients, (scale, shift)),
                (Some((scale, shift)), Some(swish)) => {
                    swish::combine(swish, dy, x, &self.coefficients, (scale, shift));
                }
            }
        });
        dy
    }

    /// Write it to a buffer of its own: `dy` is the gradient of a residual too (see [`backward`]).
    #[must_use]
    pub fn beside<E: Element>(&self, dy: &[E], x: &[E]) -> Buffer<E> {
        debug_assert!(self.mask.is_none(), "with a residual the output decides");
        let mut dx = Buffer::scratch(x.len());
        row_blocks(&mut dx, 1, self.block(), |first, out| {
            let range = first..first + out.len();
            combine(&dy[range.clone()], &x[range], &self.coefficients, out);
        });
        dx
    }

    fn block(&self) -> usize {
        let channels = self.coefficients.of_g.len();
        rows_in_cache(channels) * channels
    }

    /// One row of it, `N` channels at a time (no more are left when fewer than `N` are). To be inlined where the
    /// instruction set is known.
    #[inline(always)]
    pub(crate) fn row<E: Element, const N: usize>(
        &self,
        dy: &[E],
        x: &[E],
        mut write: impl FnMut(usize, &[f32; N]),
    ) {
        let pieces = |floats| <[f32]>::as_chunks::<N>(floats).0;
        let numbers = |numbers| <[E]>::as_chunks::<N>(numbers).0;
        let [of_g, of_x, constant] =
            [&self.coefficients.of_g, &self.coefficients.of_x, &self.coefficients.constant]
                .map(|l| pieces(l));
        // Each piece is computed in an array of its own: nothing the compiler must suspect of overlapping.
        for (piece, (dy, from)) in numbers(dy).iter().zip(numbers(x)).enumerate() {
            let (mut g, mut x) = ([0.0; N], [0.0; N]);
            for i in 0..N {
                (g[i], x[i]) = (dy[i].to_f32(), from[i].to_f32());
            }
            if let Some((scale, shift)) = &self.mask {
                let (scale, shift) = (&pieces(scale)[piece], &pieces(shift)[piece]);
                match self.swish {
                    None => {
                        for i in 0..N {
                            g[i] = if x[i] * scale[i] + shift[i] > 0.0 { g[i] } else { 0.0 };
                        }
                    }
                    Some(Swish::Hard) => {
                        for i in 0..N {
                            g[i] *= Swish::Hard.slope(x[i] * scale[i] + shift[i]);
                        }
                    }
                    Some(Swish::Sigmoid) => {
                        for i in 0..N {
                            g[i] *= Swish::Sigmoid.slope(x[i] * scale[i] + shift[i]);
                        }
                    }
                }
            }
            let (of_g, of_x, constant) = (&of_g[piece], &of_x[piece], &constant[piece]);
            for i in 0..N {
                g[i] = of_g[i] * g[i] + (of_x[i] * x[i] + constant[i]);
            }
            write(piece, &g);
        }
    }
}

/// Sums that one task adds up over the blocks.
const TOTALS: usize = 64;

/// Σ g and Σ g·(x − μ) of each channel; masks `dy` in place when an output decides.
fn gradient_totals<E: Element>(
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
    row_blocks(dy, channels, block, |first, dy| {
        let range = first * channels..first * channels + dy.len();
        // SAFETY: every block of rows has its own 2·channels sums.
        let sums = unsafe { places.slice(first / block * 2 * channels, 2 * channels) };
        let (beta, gamma) = sums.split_at_mut(channels);
        let x = &x[range.clone()];
        match passed {
            Passed::All => gradient_sums(dy, x, None, mean, beta, gamma),
            Passed::Output(y) => gradient_sums(dy, x, Some(&y[range]), mean, beta, gamma),
            Passed::Affine(scale, shift) => masked_sums(dy, x, (scale, shift), mean, beta, gamma),
            Passed::Swish(swish, scale, shift) => {
                swish::sums(swish, dy, x, swish::Channels { mean, scale, shift }, beta, gamma);
            }
        }
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

/// dx = of_g·g + (of_x·x + constant), per channel.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    pub of_g: Vec<f32>,
    pub of_x: Vec<f32>,
    pub constant: Vec<f32>,
}

impl Coefficients {
    fn widen(&self) -> Self {
        Self { of_g: widen(&self.of_g), of_x: widen(&self.of_x), constant: widen(&self.constant) }
    }
}

vectorized! {
    /// Mask `dy` by the ReLU and sum it, and its product with x − μ, over the rows.
    fn gradient_sums<E>(
        dy: &mut [E],
        x: &[E],
        relu_output: Option<&[E]>,
        mean: &[f32],
        beta: &mut [f32],
        gamma: &mut [f32],
    ) {
        if let Some(y) = relu_output {
            for (dy, &y) in dy.iter_mut().zip(y) {
                *dy = if y.to_f32() > 0.0 { *dy } else { E::default() };
            }
        }
        let mean = widen(mean);
        let (mut sums, mut products) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        for (dy, x) in dy.chunks(mean.len()).zip(x.chunks(mean.len())) {
            let inputs = dy.iter().zip(x).zip(&mean);
            for (((&dy, &x), &mean), (sum, product)) in inputs.zip(sums.iter_mut().zip(&mut products)) {
                let (dy, x) = (dy.to_f32(), x.to_f32());
                *sum += dy;
                *product += dy * (x - mean);
            }
        }
        channel_sums(&sums, beta);
        channel_sums(&products, gamma);
    }
}

vectorized! {
    /// The same sums where scale·x + shift is positive; `dy` stays as it is.
    fn masked_sums<E>(
        dy: &[E],
        x: &[E],
        affine: (&[f32], &[f32]),
        mean: &[f32],
        beta: &mut [f32],
        gamma: &mut [f32],
    ) {
        let (mean, scale, shift) = (widen(mean), widen(affine.0), widen(affine.1));
        let (mut sums, mut products) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        for (dy, x) in dy.chunks(mean.len()).zip(x.chunks(mean.len())) {
            let inputs = dy.iter().zip(x).zip(&mean).zip(scale.iter().zip(&shift));
            let totals = sums.iter_mut().zip(&mut products);
            for ((((&dy, &x), &mean), (&scale, &shift)), (sum, product)) in inputs.zip(totals) {
                let x = x.to_f32();
                let g = if x * scale + shift > 0.0 { dy.to_f32() } else { 0.0 };
                *sum += g;
                *product += g * (x - mean);
            }
        }
        channel_sums(&sums, beta);
        channel_sums(&products, gamma);
    }
}

vectorized! {
    fn combine<E>(g: &[E], x: &[E], coefficients: &Coefficients, out: &mut [E]) {
        let width = coefficients.of_g.len();
        for ((g, x), out) in g.chunks(width).zip(x.chunks(width)).zip(out.chunks_mut(width)) {
            let factors = coefficients.of_g.iter().zip(&coefficients.of_x).zip(&coefficients.constant);
            for (((&g, &x), out), ((&a, &b), &c)) in g.iter().zip(x).zip(out).zip(factors) {
                *out = E::from_f32(a * g.to_f32() + (b * x.to_f32() + c));
            }
        }
    }
}

vectorized! {
    fn combine_in_place<E>(g: &mut [E], x: &[E], coefficients: &Coefficients) {
        let width = coefficients.of_g.len();
        for (g, x) in g.chunks_mut(width).zip(x.chunks(width)) {
            let factors = coefficients.of_g.iter().zip(&coefficients.of_x).zip(&coefficients.constant);
            for ((g, &x), ((&a, &b), &c)) in g.iter_mut().zip(x).zip(factors) {
                *g = E::from_f32(a * g.to_f32() + (b * x.to_f32() + c));
            }
        }
    }
}

vectorized! {
    fn combine_masked<E>(dy: &mut [E], x: &[E], coefficients: &Coefficients, affine: (&[f32], &[f32])) {
        let width = coefficients.of_g.len();
        for (dy, x) in dy.chunks_mut(width).zip(x.chunks(width)) {
            let factors = coefficients.of_g.iter().zip(&coefficients.of_x).zip(&coefficients.constant);
            let affine = affine.0.iter().zip(affine.1);
            for (((dy, &x), ((&a, &b), &c)), (&scale, &shift)) in dy.iter_mut().zip(x).zip(factors).zip(affine) {
                let x = x.to_f32();
                let g = if x * scale + shift > 0.0 { dy.to_f32() } else { 0.0 };
                *dy = E::from_f32(a * g + (b * x + c));
            }
        }
    }
}
