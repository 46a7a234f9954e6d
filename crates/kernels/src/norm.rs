//! Batch normalisation over the channels of `[rows, C]` (rows = N, or N·H·W), with an optional residual sum
//! and ReLU in the same pass.
//!
//! y = γ·(x − μ)/√(σ² + ε) + β, with the batch's mean μ and *biased* variance σ² (Ioffe & Szegedy 2015; as
//! `torch.nn.BatchNorm2d`). Running statistics take the *unbiased* variance:
//! running ← (1 − m)·running + m·batch.

use crate::elementwise::{channel_sums, widen};
use crate::finish::past_caches;
use crate::moments::Moments;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{Shared, row_blocks, rows_in_cache};
use wellfit_simd::vector::{Kernel, Simd, dispatch, vectorized};

/// What the forward pass of a training step found, and the backward pass needs.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// The batch mean of each channel.
    pub mean: Vec<f32>,
    /// The biased batch variance of each channel.
    pub variance: Vec<f32>,
}

impl Statistics {
    /// 1/√(σ² + ε) of each channel.
    #[must_use]
    pub fn inverse_std(&self, eps: f32) -> Vec<f32> {
        self.variance.iter().map(|&v| (1.0 / (f64::from(v) + f64::from(eps)).sqrt()) as f32).collect()
    }

    /// Move running statistics towards these by `momentum`; `rows` is how many values a channel had.
    pub fn update_running(&self, mean: &mut [f32], variance: &mut [f32], momentum: f32, rows: usize) {
        let unbiased = rows as f32 / (rows as f32 - 1.0);
        for (channel, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
            *mean += momentum * (self.mean[channel] - *mean);
            *variance += momentum * (self.variance[channel] * unbiased - *variance);
        }
    }
}

/// Mean and biased variance of each channel of `x` `[rows, channels]`.
///
/// One pass over memory: each block that fits in the cache yields its mean and its squared deviations from
/// that mean, and the blocks are combined in order in f64 (Chan, Golub & LeVeque 1979).
#[must_use]
pub fn statistics(x: &[f32], channels: usize) -> Statistics {
    let block = rows_in_cache(channels) * channels;
    let blocks = x.len().div_ceil(block);
    let mut partial: Vec<Moments> = (0..blocks).map(|_| Moments::default()).collect();
    row_blocks(&mut partial, 1, 1, |i, place| {
        place[0] = block_moments(&x[i * block..(i * block + block).min(x.len())], channels);
    });
    let mut total = Moments::none(channels);
    partial.iter().for_each(|part| total.add(part));
    total.statistics()
}

fn block_moments(x: &[f32], channels: usize) -> Moments {
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
    fn deviations(x: &[f32], mean: &[f32], residue: &mut [f32], squares: &mut [f32]) {
        let channels = mean.len();
        let mean = widen(mean);
        let (mut first, mut second) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        for rows in x.chunks(mean.len()) {
            for (((&x, &mean), first), second) in rows.iter().zip(&mean).zip(&mut first).zip(&mut second) {
                let d = x - mean;
                *first += d;
                *second += d * d;
            }
        }
        channel_sums(&first, &mut residue[..channels]);
        channel_sums(&second, &mut squares[..channels]);
    }
}

/// What is done to a normalised value before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added, same shape as the output.
    pub residual: Option<&'a [f32]>,
    /// max(·, 0) at the end.
    pub relu: bool,
}

/// `y = relu(scale·x + shift + residual)`, ReLU and residual being optional, with a scale and shift for each channel.
#[must_use]
pub fn affine(x: &[f32], scale: &[f32], shift: &[f32], epilogue: Epilogue<'_>) -> Buffer {
    let mut y = Buffer::scratch(x.len());
    let (scale, shift) = (widen(scale), widen(shift));
    let channels_block = rows_in_cache(scale.len()) * scale.len();
    let past_caches = past_caches(x.len(), scale.len());
    row_blocks(&mut y, 1, channels_block, |first, out| {
        let range = first..first + out.len();
        if past_caches {
            let residual = epilogue.residual.map(|r| &r[range.clone()]);
            let (x, line) = (&x[range], (&scale[..], &shift[..]));
            return dispatch(Streamed { x, line, residual, relu: epilogue.relu, out });
        }
        affine_block(
            &x[range.clone()],
            &scale,
            &shift,
            epilogue.residual.map(|r| &r[range]),
            epilogue.relu,
            out,
        );
    });
    y
}

/// A block of a large output: `affine_block` with the same bits, past the caches.
struct Streamed<'a> {
    x: &'a [f32],
    line: (&'a [f32], &'a [f32]),
    residual: Option<&'a [f32]>,
    relu: bool,
    out: &'a mut [f32],
}

impl Kernel for Streamed<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (scale, shift) = self.line;
        let width = scale.len();
        for row in (0..self.out.len()).step_by(width) {
            for column in (0..width).step_by(S::LANES) {
                let i = row + column;
                // SAFETY: rows are of `width` floats, whole cache lines, and the output begins with one.
                unsafe {
                    let x = S::load(self.x.as_ptr().add(i));
                    let scaled = S::multiply(x, S::load(scale.as_ptr().add(column)));
                    let mut y = S::add(scaled, S::load(shift.as_ptr().add(column)));
                    if let Some(residual) = self.residual {
                        y = S::add(y, S::load(residual.as_ptr().add(i)));
                    }
                    if self.relu {
                        y = S::relu(y);
                    }
                    S::stream(self.out.as_mut_ptr().add(i), y);
                }
            }
        }
        S::stream_fence();
    }
}

vectorized! {
    fn affine_block(
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        residual: Option<&[f32]>,
        relu: bool,
        out: &mut [f32],
    ) {
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        let width = scale.len();
        for (i, (rows, out)) in x.chunks(width).zip(out.chunks_mut(width)).enumerate() {
            let values = rows.iter().zip(scale).zip(shift).zip(out);
            if let Some(residual) = residual {
                for ((((&x, &a), &b), out), &r) in values.zip(&residual[i * width..]) {
                    *out = floor_keeping_nan(x * a + b + r, floor);
                }
            } else {
                for (((&x, &a), &b), out) in values {
                    *out = floor_keeping_nan(x * a + b, floor);
                }
            }
        }
    }
}

/// max(x, floor), but NaN stays NaN: a diverged network must not look like a dead one.
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

/// Where the ReLU behind a normalisation let the gradient pass.
#[derive(Debug, Clone, Copy)]
pub enum Passed<'a> {
    /// Everywhere: there is none.
    All,
    /// Where this output is positive.
    Output(&'a [f32]),
    /// Where scale·x + shift is positive, as [`affine`] computed it with these two: no residual was added.
    /// Reads one tensor less than `Output`.
    Affine(&'a [f32], &'a [f32]),
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
/// Where an output tells what passed, `dy` becomes `g`, which is also the gradient of a residual.
#[must_use]
pub fn backward(
    dy: &mut Buffer,
    x: &[f32],
    passed: Passed<'_>,
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
    let mut line = Line::default();
    for c in 0..channels {
        let inverse = f64::from(inverse[c]);
        of_gamma[c] = (product[c] * inverse) as f32;
        of_beta[c] = sum[c] as f32;
        let scale = f64::from(gamma[c]) * inverse;
        let slope = if batch { -scale * inverse * inverse * product[c] / rows } else { 0.0 };
        let constant =
            if batch { -scale * sum[c] / rows - slope * f64::from(statistics.mean[c]) } else { 0.0 };
        line.of_g.push(scale as f32);
        line.of_x.push(slope as f32);
        line.constant.push(constant as f32);
    }
    let mask = match passed {
        Passed::Affine(scale, shift) => Some((widen(scale), widen(shift))),
        _ => None,
    };
    Gradients { gamma: of_gamma, beta: of_beta, input: InputGradient { line: line.widen(), mask } }
}

/// The gradient of a normalisation's input, as a line in `dy` and `x` for each channel.
#[derive(Debug)]
pub struct InputGradient {
    line: Line,
    /// Scale and shift of what decides where `dy` passes; none where it is what passed.
    mask: Option<(Vec<f32>, Vec<f32>)>,
}

impl InputGradient {
    /// Write it over `dy`, the one that [`backward`] saw, which saw this `x`.
    #[must_use]
    pub fn over(&self, mut dy: Buffer, x: &[f32]) -> Buffer {
        row_blocks(&mut dy, 1, self.block(), |first, dy| {
            let x = &x[first..first + dy.len()];
            match &self.mask {
                None => combine_in_place(dy, x, &self.line),
                Some((scale, shift)) => combine_masked(dy, x, &self.line, (scale, shift)),
            }
        });
        dy
    }

    /// Write it beside `dy`, which is the gradient of a residual too: an output told what passed.
    #[must_use]
    pub fn beside(&self, dy: &[f32], x: &[f32]) -> Buffer {
        debug_assert!(self.mask.is_none(), "with a residual the output decides");
        let mut dx = Buffer::scratch(x.len());
        row_blocks(&mut dx, 1, self.block(), |first, out| {
            let range = first..first + out.len();
            combine(&dy[range.clone()], &x[range], &self.line, out);
        });
        dx
    }

    fn block(&self) -> usize {
        let channels = self.line.of_g.len();
        rows_in_cache(channels) * channels
    }

    /// One row of it, `N` channels at a time (no more are left when fewer than `N` are). To be inlined where the
    /// instruction set is known.
    #[inline(always)]
    pub(crate) fn row<const N: usize>(&self, dy: &[f32], x: &[f32], mut write: impl FnMut(usize, &[f32; N])) {
        let pieces = |floats| <[f32]>::as_chunks::<N>(floats).0;
        let [of_g, of_x, constant] =
            [&self.line.of_g, &self.line.of_x, &self.line.constant].map(|l| pieces(l));
        // Each piece is computed in an array of its own: nothing the compiler must suspect of overlapping.
        for (piece, (dy, x)) in pieces(dy).iter().zip(pieces(x)).enumerate() {
            let mut g = *dy;
            if let Some((scale, shift)) = &self.mask {
                let (scale, shift) = (&pieces(scale)[piece], &pieces(shift)[piece]);
                for i in 0..N {
                    g[i] = if x[i] * scale[i] + shift[i] > 0.0 { g[i] } else { 0.0 };
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
fn gradient_totals(dy: &mut Buffer, x: &[f32], passed: Passed<'_>, mean: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let channels = mean.len();
    let block = rows_in_cache(channels);
    let blocks = (dy.len() / channels).div_ceil(block);
    let mut partial = Buffer::zeroed(blocks * 2 * channels);
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
struct Line {
    of_g: Vec<f32>,
    of_x: Vec<f32>,
    constant: Vec<f32>,
}

impl Line {
    fn widen(&self) -> Self {
        Self { of_g: widen(&self.of_g), of_x: widen(&self.of_x), constant: widen(&self.constant) }
    }
}

vectorized! {
    /// Mask `dy` by the ReLU and sum it, and its product with x − μ, over the rows.
    fn gradient_sums(
        dy: &mut [f32],
        x: &[f32],
        relu_output: Option<&[f32]>,
        mean: &[f32],
        beta: &mut [f32],
        gamma: &mut [f32],
    ) {
        if let Some(y) = relu_output {
            for (dy, &y) in dy.iter_mut().zip(y) {
                *dy = if y > 0.0 { *dy } else { 0.0 };
            }
        }
        let mean = widen(mean);
        let (mut sums, mut products) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        for (dy, x) in dy.chunks(mean.len()).zip(x.chunks(mean.len())) {
            let inputs = dy.iter().zip(x).zip(&mean);
            for (((&dy, &x), &mean), (sum, product)) in inputs.zip(sums.iter_mut().zip(&mut products)) {
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
    fn masked_sums(
        dy: &[f32],
        x: &[f32],
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
                let g = if x * scale + shift > 0.0 { dy } else { 0.0 };
                *sum += g;
                *product += g * (x - mean);
            }
        }
        channel_sums(&sums, beta);
        channel_sums(&products, gamma);
    }
}

vectorized! {
    fn combine(g: &[f32], x: &[f32], line: &Line, out: &mut [f32]) {
        let width = line.of_g.len();
        for ((g, x), out) in g.chunks(width).zip(x.chunks(width)).zip(out.chunks_mut(width)) {
            let factors = line.of_g.iter().zip(&line.of_x).zip(&line.constant);
            for (((&g, &x), out), ((&a, &b), &c)) in g.iter().zip(x).zip(out).zip(factors) {
                *out = a * g + (b * x + c);
            }
        }
    }
}

vectorized! {
    fn combine_in_place(g: &mut [f32], x: &[f32], line: &Line) {
        let width = line.of_g.len();
        for (g, x) in g.chunks_mut(width).zip(x.chunks(width)) {
            let factors = line.of_g.iter().zip(&line.of_x).zip(&line.constant);
            for ((g, &x), ((&a, &b), &c)) in g.iter_mut().zip(x).zip(factors) {
                *g = a * *g + (b * x + c);
            }
        }
    }
}

vectorized! {
    fn combine_masked(dy: &mut [f32], x: &[f32], line: &Line, affine: (&[f32], &[f32])) {
        let width = line.of_g.len();
        for (dy, x) in dy.chunks_mut(width).zip(x.chunks(width)) {
            let factors = line.of_g.iter().zip(&line.of_x).zip(&line.constant);
            let affine = affine.0.iter().zip(affine.1);
            for (((dy, &x), ((&a, &b), &c)), (&scale, &shift)) in dy.iter_mut().zip(x).zip(factors).zip(affine) {
                let g = if x * scale + shift > 0.0 { *dy } else { 0.0 };
                *dy = a * g + (b * x + c);
            }
        }
    }
}
