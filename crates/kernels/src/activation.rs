//! Sigmoids and the activations made of them: SiLU, hard swish, and their gates.
//!
//! Each is a scalar function that compilers turn into vectors inside a `vectorized!` loop.

use crate::elementwise::BLOCK;
use wellfit_simd::parallel::{Shared, image_blocks, row_blocks};
use wellfit_simd::{Buffer, Element, vectorized};

/// An activation whose backward pass reads its input: x·gate(x), or a clamp at two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swish {
    /// x·relu6(x + 3)/6 (Howard et al. 2019, arXiv:1905.02244).
    Hard,
    /// x·σ(x), SiLU (Elfwing et al. 2018, arXiv:1702.03118).
    Sigmoid,
    /// min(max(x, 0), 6), ReLU6 (Sandler et al. 2018, arXiv:1801.04381).
    Relu6,
}

/// A function of x from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// relu6(x + 3)/6.
    Hard,
    /// σ(x) = 1/(1 + e⁻ˣ).
    Sigmoid,
}

/// eˣ for |x| up to 87, with an error of a few 10⁻⁸ of it; NaN stays NaN. The method and the polynomial are those of
/// Cephes' `expf` (Moshier 1989): x = n·ln 2 + r, eʳ by a polynomial, times 2ⁿ.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    (p * r * r + r + 1.0) * power
}

/// 1/(1 + e⁻ˣ); NaN stays NaN. Beyond ±87 the next float's value is that of ±87.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x.clamp(-87.0, 87.0)))
}

/// relu6(x + 3)/6.
#[inline(always)]
fn hardsigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

impl Swish {
    /// The activation itself.
    #[inline(always)]
    pub(crate) fn value(self, x: f32) -> f32 {
        match self {
            Self::Hard => x * (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0),
            Self::Sigmoid => x * sigmoid(x),
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }

    /// Its derivative; at the kinks of hard swish and ReLU6, torch's.
    #[inline(always)]
    pub(crate) fn slope(self, x: f32) -> f32 {
        match self {
            Self::Hard => {
                let inner = if x < 3.0 { x * (1.0 / 3.0) + 0.5 } else { 1.0 };
                if x <= -3.0 { 0.0 } else { inner }
            }
            Self::Sigmoid => {
                let s = sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }
            Self::Relu6 => {
                let below = if x < 6.0 { 1.0 } else { 0.0 };
                if x > 0.0 { below } else { 0.0 }
            }
        }
    }
}

/// `$work` with the constant `$kind` for each kind of activation, so that loops in it are compiled, and turned into
/// vectors, for each.
macro_rules! each_swish {
    ($swish:expr, $kind:ident => $work:expr) => {
        match $swish {
            Swish::Hard => {
                const $kind: Swish = Swish::Hard;
                $work
            }
            Swish::Sigmoid => {
                const $kind: Swish = Swish::Sigmoid;
                $work
            }
            Swish::Relu6 => {
                const $kind: Swish = Swish::Relu6;
                $work
            }
        }
    };
}
pub(crate) use each_swish;

vectorized! {
    fn swish_block<E>(swish: Swish, x: &mut [E]) {
        each_swish!(swish, KIND => x.iter_mut().for_each(|x| *x = E::from_f32(KIND.value(x.to_f32()))));
    }
}

/// Apply an activation to a whole tensor, in place.
pub fn swish_in_place<E: Element>(swish: Swish, x: &mut [E]) {
    row_blocks(x, 1, BLOCK, |_, x| swish_block(swish, x));
}

/// An activation of each x; NaN stays NaN.
#[must_use]
pub fn swish<E: Element>(swish: Swish, x: &[E]) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| {
        out.copy_from_slice(&x[first..first + out.len()]);
        swish_block(swish, out);
    });
    y
}

/// From the gradient of the output of [`swish`] to that of its input `x`, in place: times the activation's slope. That
/// of hard swish is 0 up to −3, 1 from 3 on, and x/3 + ½ between, as torch's at both kinks; that of SiLU is
/// σ(x)·(1 + x·(1 − σ(x))); that of ReLU6 is 1 between its ends and 0 at and beyond them.
pub fn swish_backward<E: Element>(swish: Swish, dy: &mut [E], x: &[E]) {
    row_blocks(dy, 1, BLOCK, |first, dy| {
        swish_backward_block(swish, dy, &x[first..first + dy.len()]);
    });
}

vectorized! {
    fn swish_backward_block<E>(swish: Swish, dy: &mut [E], x: &[E]) {
        each_swish!(swish, KIND => for (dy, &x) in dy.iter_mut().zip(x) {
            *dy = E::from_f32(dy.to_f32() * KIND.slope(x.to_f32()));
        });
    }
}

/// A gate's value for each x; NaN stays NaN.
#[must_use]
pub fn gate<E: Element>(gate: Gate, x: &[E]) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| {
        gate_block(gate, &x[first..first + out.len()], out);
    });
    y
}

vectorized! {
    fn gate_block<E>(gate: Gate, x: &[E], out: &mut [E]) {
        let values = out.iter_mut().zip(x);
        match gate {
            Gate::Hard => values.for_each(|(out, &x)| *out = E::from_f32(hardsigmoid(x.to_f32()))),
            Gate::Sigmoid => values.for_each(|(out, &x)| *out = E::from_f32(sigmoid(x.to_f32()))),
        }
    }
}

/// From the gradient of the output `y` of [`gate`] to that of its input, in place: times y·(1 − y), or for the hard one
/// times 1/6 where 0 < y < 1. At its kinks the slope is 0, as torch's.
pub fn gate_backward<E: Element>(gate: Gate, dy: &mut [E], y: &[E]) {
    let slope = move |y: f32| match gate {
        Gate::Hard if y > 0.0 && y < 1.0 => 1.0 / 6.0,
        Gate::Hard => 0.0,
        Gate::Sigmoid => y * (1.0 - y),
    };
    row_blocks(dy, 1, BLOCK, |first, dy| {
        let y = &y[first..first + dy.len()];
        dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = E::from_f32(dy.to_f32() * slope(y.to_f32())));
    });
}

/// y = x·g, where `x` is `[N, pixels, C]` and `g` `[N, C]`: each channel of an image by a factor of its own.
#[must_use]
pub fn scale_channels<E: Element>(x: &[E], g: &[E], pixels: usize, channels: usize) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    let block = pixels_in_block(pixels, channels);
    image_blocks(&mut y, (pixels, channels), block, |_, image, first, out| {
        let x = &x[(image * pixels + first) * channels..][..out.len()];
        scale_block(x, &g[image * channels..][..channels], out);
    });
    y
}

/// The gradients of [`scale_channels`]: `dy` becomes that of x, dy·g; that of g is returned, `[N, C]`: Σ dy·x over the
/// pixels.
#[must_use]
pub fn scale_channels_backward<E: Element>(
    dy: &mut [E],
    x: &[E],
    g: &[E],
    pixels: usize,
    channels: usize,
) -> Buffer<E> {
    let block = pixels_in_block(pixels, channels);
    let (images, blocks) = (g.len() / channels, pixels.div_ceil(block));
    let mut partial: Buffer = Buffer::zeroed(images * blocks * channels);
    let places = Shared::new(&mut partial);
    image_blocks(dy, (pixels, channels), block, |task, image, first, dy| {
        let x = &x[(image * pixels + first) * channels..][..dy.len()];
        // SAFETY: every block has its own sums.
        let sums = unsafe { places.slice(task * channels, channels) };
        scale_backward_block(dy, x, &g[image * channels..][..channels], sums);
    });
    let mut dg = Buffer::scratch(g.len());
    row_blocks(&mut dg, channels, 1, |image, dg| {
        let parts = &partial[image * blocks * channels..][..blocks * channels];
        let mut sums = parts[..channels].to_vec();
        for part in parts[channels..].chunks_exact(channels) {
            sums.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
        }
        dg.iter_mut().zip(sums).for_each(|(dg, sum)| *dg = E::from_f32(sum));
    });
    dg
}

/// Pixels that make a block of about [`BLOCK`] floats.
fn pixels_in_block(pixels: usize, channels: usize) -> usize {
    (BLOCK / channels.max(1)).clamp(1, pixels.max(1))
}

vectorized! {
    fn scale_block<E>(x: &[E], g: &[E], out: &mut [E]) {
        for (x, out) in x.chunks_exact(g.len()).zip(out.chunks_exact_mut(g.len())) {
            out.iter_mut().zip(x).zip(g).for_each(|((out, &x), &g)| *out = E::from_f32(x.to_f32() * g.to_f32()));
        }
    }
}

vectorized! {
    fn scale_backward_block<E>(dy: &mut [E], x: &[E], g: &[E], sums: &mut [f32]) {
        for (dy, x) in dy.chunks_exact_mut(g.len()).zip(x.chunks_exact(g.len())) {
            for (((dy, &x), &g), sum) in dy.iter_mut().zip(x).zip(g).zip(&mut *sums) {
                *sum += dy.to_f32() * x.to_f32();
                *dy = E::from_f32(dy.to_f32() * g.to_f32());
            }
        }
    }
}

/// x times a factor for each image, `[N]`: what stochastic depth does in training. Its backward pass is the same.
#[must_use]
pub fn scale_images<E: Element>(x: &[E], factors: &[f32]) -> Buffer<E> {
    let len = x.len() / factors.len().max(1);
    let mut y = Buffer::scratch(x.len());
    image_blocks(&mut y, (len, 1), pixels_in_block(len, 1), |_, image, first, out| {
        let x = &x[image * len + first..][..out.len()];
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = E::from_f32(x.to_f32() * factors[image]));
    });
    y
}
