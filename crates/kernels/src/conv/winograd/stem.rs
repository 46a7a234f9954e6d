//! The first convolution of a ResNet, 7×7 at stride 2 on three channels, as a 4×4 convolution at stride 1 whose
//! channels are those of 2×2 pixels.
//!
//! Output i meets pixels 2i − 3 … 2i + 3: the second half of the pair i − 2 and the whole pairs i − 1, i, i + 1. So tap t
//! is half (t + 1) mod 2 of tap ⌊(t + 1) / 2⌋, and the first half of the first is nothing.

use super::side::Side;
use crate::conv::Conv;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::{Buffer, Element};

/// Floats of four pixels: their channels, then zeros.
const PIXEL: usize = 16;
/// Taps of the 4×4 convolution along an axis.
const TAPS: usize = 4;
/// Pairs that lie before the image, of which one half is read.
const BEFORE: usize = 2;

/// What [`pixels`] makes.
pub(super) fn side(conv: &Conv) -> Side {
    Side {
        height: conv.out_height() + TAPS - 1,
        width: conv.out_width() + TAPS - 1,
        pixel: PIXEL,
        channels: 4 * conv.channels_in,
        step: 1,
        shift: [0; 2],
        phases: 1,
    }
}

/// Four pixels as one, `[N, H' + 3, W' + 3, 16]`, with the padding written out.
pub(super) fn pixels<E: Element>(conv: &Conv, x: &[E]) -> Buffer<E> {
    let (side, channels, line) = (side(conv), conv.channels_in, conv.width * conv.channels_in);
    let mut pairs = Buffer::scratch(conv.batch * side.height * side.width * PIXEL);
    row_blocks(&mut pairs, side.width * PIXEL, 1, |row, out| {
        let watch = Watch::start();
        let (image, row) = (row / side.height, row % side.height);
        out.fill(E::default());
        for half in 0..2 {
            let Some(y) = (2 * row + half).checked_sub(2 * BEFORE).filter(|&y| y < conv.height) else {
                continue;
            };
            let from = &x[(image * conv.height + y) * line..][..line];
            let pixels = out[BEFORE * PIXEL..].chunks_exact_mut(PIXEL);
            for (pair, out) in from.chunks(2 * channels).zip(pixels) {
                out[half * 2 * channels..][..pair.len()].copy_from_slice(pair);
            }
        }
        watch.stop(Work::Packing);
    });
    pairs
}

/// Where the taps of `w` `[7, 7, C_in, C_out]` lie in `[4, 4, 4·C_in, C_out]`: (there, here), in pieces of C_in · C_out.
fn places(conv: &Conv) -> impl Iterator<Item = (usize, usize)> {
    let k = conv.kernel;
    (0..k * k).map(move |tap| {
        let (y, x) = (tap / k + 1, tap % k + 1);
        (((y / 2) * TAPS + x / 2) * 4 + y % 2 * 2 + x % 2, tap)
    })
}

/// The weights of the 4×4 convolution.
pub(super) fn weights(conv: &Conv, w: &[f32]) -> Buffer {
    let size = conv.channels_in * conv.channels_out;
    let mut wide = Buffer::zeroed(TAPS * TAPS * 4 * size);
    for (there, here) in places(conv) {
        wide[there * size..][..size].copy_from_slice(&w[here * size..][..size]);
    }
    wide
}

/// From the gradient of the 4×4 convolution's weights that of ours.
pub(super) fn weight_gradient(conv: &Conv, wide: &[f32]) -> Buffer {
    let size = conv.channels_in * conv.channels_out;
    let mut dw = Buffer::scratch(conv.weight_len());
    for (there, here) in places(conv) {
        dw[here * size..][..size].copy_from_slice(&wide[there * size..][..size]);
    }
    dw
}
