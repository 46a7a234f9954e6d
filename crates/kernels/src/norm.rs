//! Batch normalisation over the channels of `[rows, C]` (rows = N, or N·H·W), with an optional residual sum
//! and ReLU in the same pass.
//!
//! y = γ·(x − μ)/√(σ² + ε) + β, with the batch's mean μ and *biased* variance σ² (Ioffe & Szegedy 2015; as
//! `torch.nn.BatchNorm2d`). Running statistics take the *unbiased* variance:
//! running ← (1 − m)·running + m·batch.

use crate::Buffer;
use crate::elementwise::{channel_sums, widen};
use crate::parallel::{for_each, row_blocks, rows_in_cache};
use crate::simd::vectorized;
use std::sync::Mutex;

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
    let partial: Vec<Mutex<Moments>> = (0..blocks).map(|_| Mutex::default()).collect();
    for_each(blocks, |i| {
        let rows = &x[i * block..(i * block + block).min(x.len())];
        if let Ok(mut place) = partial[i].lock() {
            *place = block_moments(rows, channels);
        }
    });
    let mut total = Moments { rows: 0.0, mean: vec![0.0; channels], deviation: vec![0.0; channels] };
    for part in partial {
        total.add(&part.into_inner().unwrap_or_default());
    }
    let rows = total.rows;
    Statistics {
        mean: total.mean.iter().map(|&m| m as f32).collect(),
        variance: total.deviation.iter().map(|&d| (d / rows) as f32).collect(),
    }
}

/// Count, mean and sum of squared deviations from it, for each channel.
#[derive(Default)]
struct Moments {
    rows: f64,
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Moments {
    fn add(&mut self, other: &Self) {
        let rows = self.rows + other.rows;
        for channel in 0..self.mean.len() {
            let difference = other.mean[channel] - self.mean[channel];
            self.mean[channel] += difference * other.rows / rows;
            self.deviation[channel] +=
                other.deviation[channel] + difference * difference * self.rows * other.rows / rows;
        }
        self.rows = rows;
    }
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
    row_blocks(&mut y, 1, channels_block, |first, out| {
        let range = first..first + out.len();
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

/// The gradients of a normalisation.
#[derive(Debug)]
pub struct Gradients {
    /// Of the input.
    pub dx: Buffer,
    /// Of γ, `[C]`.
    pub gamma: Buffer,
    /// Of β, `[C]`.
    pub beta: Buffer,
}

/// Backward through a normalisation whose statistics were the batch's (`batch` = true) or constants.
///
/// `dy` becomes the gradient behind the ReLU in place (`y` > 0 where it passed), which is also the
/// gradient of a residual. With g that gradient, x̂ the normalised input and M the rows:
/// dγ = Σ g·x̂, dβ = Σ g, dx = γ/σ · (g − dβ/M − x̂·dγ/M), without the last two terms for constants.
#[must_use]
pub fn backward(
    dy: &mut [f32],
    x: &[f32],
    relu_output: Option<&[f32]>,
    gamma: &[f32],
    statistics: &Statistics,
    eps: f32,
    batch: bool,
) -> Gradients {
    let channels = gamma.len();
    let inverse = statistics.inverse_std(eps);
    let block = rows_in_cache(channels);
    let blocks = (dy.len() / channels).div_ceil(block);
    let mut partial = Buffer::zeroed(blocks * 2 * channels);
    let places = crate::parallel::Shared::new(&mut partial);
    row_blocks(dy, channels, block, |first, dy| {
        let range = first * channels..first * channels + dy.len();
        // SAFETY: every block of rows has its own 2·channels sums.
        let sums = unsafe { places.slice(first / block * 2 * channels, 2 * channels) };
        let (beta, gamma) = sums.split_at_mut(channels);
        gradient_sums(dy, &x[range.clone()], relu_output.map(|y| &y[range]), &statistics.mean, beta, gamma);
    });
    let (mut sum, mut product) = (vec![0.0_f64; channels], vec![0.0_f64; channels]);
    for part in partial.chunks_exact(2 * channels) {
        let (beta, gamma) = part.split_at(channels);
        sum.iter_mut().zip(beta).for_each(|(sum, &x)| *sum += f64::from(x));
        product.iter_mut().zip(gamma).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    let mut result = Gradients {
        dx: Buffer::scratch(x.len()),
        gamma: Buffer::scratch(channels),
        beta: Buffer::scratch(channels),
    };
    let rows = (dy.len() / channels) as f64;
    let (mut of_g, mut of_x, mut constant) = (vec![0.0; channels], vec![0.0; channels], vec![0.0; channels]);
    for c in 0..channels {
        let inverse = f64::from(inverse[c]);
        result.gamma[c] = (product[c] * inverse) as f32;
        result.beta[c] = sum[c] as f32;
        let scale = f64::from(gamma[c]) * inverse;
        of_g[c] = scale as f32;
        if batch {
            let slope = -scale * inverse * inverse * product[c] / rows;
            of_x[c] = slope as f32;
            constant[c] = (-scale * sum[c] / rows - slope * f64::from(statistics.mean[c])) as f32;
        }
    }
    let (of_g, of_x, constant) = (widen(&of_g), widen(&of_x), widen(&constant));
    let block = rows_in_cache(of_g.len()) * of_g.len();
    row_blocks(&mut result.dx, 1, block, |first, out| {
        let range = first..first + out.len();
        combine(&dy[range.clone()], &x[range], &of_g, &of_x, &constant, out);
    });
    result
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
    fn combine(g: &[f32], x: &[f32], of_g: &[f32], of_x: &[f32], constant: &[f32], out: &mut [f32]) {
        let width = of_g.len();
        for ((g, x), out) in g.chunks(width).zip(x.chunks(width)).zip(out.chunks_mut(width)) {
            let inputs = g.iter().zip(x).zip(out);
            for (((&g, &x), out), ((&a, &b), &c)) in inputs.zip(of_g.iter().zip(of_x).zip(constant)) {
                *out = a * g + (b * x + c);
            }
        }
    }
}
