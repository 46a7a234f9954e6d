//! Passes over whole tensors: ReLU, hard swish, dropout, sums by channel.

use wellfit_simd::parallel::{row_blocks, rows_in_cache};
use wellfit_simd::vectorized;
use wellfit_simd::{Buffer, Element};

/// Floats that one task of an elementwise pass handles.
pub(crate) const BLOCK: usize = 1 << 15;

/// Per-channel values repeated to at least 64 floats, so that loops over few channels still fill vectors.
pub(crate) fn widen(values: &[f32]) -> Vec<f32> {
    values.repeat((64 / values.len().max(1)).max(1))
}

vectorized! {
    /// Add the rows of `x` `[rows, C]` to `sums` `[C]`.
    pub fn channel_sums<E>(x: &[E], sums: &mut [f32]) {
        let channels = sums.len();
        let mut wide = vec![0.0_f32; channels * (64 / channels.max(1)).max(1)];
        for rows in x.chunks(wide.len()) {
            wide.iter_mut().zip(rows).for_each(|(sum, &x)| *sum += x.to_f32());
        }
        for part in wide.chunks_exact(channels) {
            sums.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
        }
    }
}

/// Numbers as they are stored, rounded.
#[must_use]
pub fn narrow<E: Element>(x: &[f32]) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| narrow_block(&x[first..first + out.len()], out));
    y
}

vectorized! {
    fn narrow_block<E>(x: &[f32], out: &mut [E]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = E::from_f32(x));
    }
}

/// Stored numbers as f32.
#[must_use]
pub fn to_f32<E: Element>(x: &[E]) -> Buffer {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| to_f32_block(&x[first..first + out.len()], out));
    y
}

vectorized! {
    fn to_f32_block<E>(x: &[E], out: &mut [f32]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = x.to_f32());
    }
}

/// The sum of the rows of `x` `[rows, channels]`: the gradient of a bias.
#[must_use]
pub fn sum_rows<E: Element>(x: &[E], channels: usize) -> Buffer {
    let block = rows_in_cache(channels) * channels;
    let mut total = Buffer::zeroed(channels);
    let mut partial: Buffer = Buffer::zeroed(x.len().div_ceil(block) * channels);
    row_blocks(&mut partial, channels, 1, |i, sums| {
        channel_sums(&x[i * block..(i * block + block).min(x.len())], sums);
    });
    for part in partial.chunks_exact(channels) {
        total.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
    }
    total
}

/// max(x, 0); NaN stays NaN.
#[must_use]
pub fn relu<E: Element>(x: &[E]) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| relu_block(&x[first..first + out.len()], out));
    y
}

vectorized! {
    fn relu_block<E>(x: &[E], out: &mut [E]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = if x.to_f32() < 0.0 { E::default() } else { x });
    }
}

/// Keep the gradient where the ReLU's output `y` is positive.
pub fn relu_backward<E: Element>(dy: &mut [E], y: &[E]) {
    row_blocks(dy, 1, BLOCK, |first, dy| relu_backward_block(dy, &y[first..first + dy.len()]));
}

vectorized! {
    fn relu_backward_block<E>(dy: &mut [E], y: &[E]) {
        dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = if y.to_f32() > 0.0 { *dy } else { E::default() });
    }
}

/// x·mask, elementwise. An (inverted) dropout mask holds 0 or 1/(1 − p); its backward pass is the same.
#[must_use]
pub fn multiply<E: Element>(x: &[E], mask: &[f32]) -> Buffer<E> {
    let mut y = Buffer::scratch(x.len());
    row_blocks(&mut y, 1, BLOCK, |first, out| {
        let range = first..first + out.len();
        let inputs = x[range.clone()].iter().zip(&mask[range]);
        out.iter_mut().zip(inputs).for_each(|(y, (&x, &m))| *y = E::from_f32(x.to_f32() * m));
    });
    y
}

/// Add `x` to `sum`.
pub fn add_to<E: Element>(sum: &mut [E], x: &[E]) {
    row_blocks(sum, 1, BLOCK, |first, sum| {
        let count = sum.len();
        let x = &x[first..first + count];
        sum.iter_mut().zip(x).for_each(|(sum, &x)| *sum = E::from_f32(sum.to_f32() + x.to_f32()));
    });
}
