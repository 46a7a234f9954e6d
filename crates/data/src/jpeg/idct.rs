//! The inverse cosine transform, integer for integer as libjpeg's `jidctint.c` ("islow").
//!
//! Loeffler, Ligtenberg & Moschytz 1989, "Practical fast 1-D DCT algorithms with 11 multiplications", with
//! 13 fractional bits; two more are kept between the passes. Values wrap and saturate where libjpeg-turbo's
//! vector code does, so even a damaged file can neither overflow nor differ.

use std::num::Wrapping;

use wellfit_kernels::vectorized;
use wellfit_kernels::zip::{narrow, transpose};

type Int = Wrapping<i32>;

vectorized! {
    /// A row of blocks: of each 64 coefficients times their quantisation steps, to 8 rows of 8 pixels, `stride` apart.
    pub(super) fn inverse_dct(blocks: &[[i16; 64]], steps: &[i16; 64], out: &mut [u8], stride: usize) {
        for (x, block) in blocks.iter().enumerate() {
            transform(block, steps, &mut out[x * 8..], stride);
        }
    }
}

#[inline(always)]
fn transform(coefficients: &[i16; 64], steps: &[i16; 64], out: &mut [u8], stride: usize) {
    if is_flat(coefficients) {
        let flat = descale::<5>(Wrapping(i32::from(coefficients[0].wrapping_mul(steps[0])) << 2));
        for row in out.chunks_mut(stride).take(8) {
            row[..8].fill(flat.saturating_add(128).clamp(0, 255) as u8);
        }
        return;
    }
    let mut block = [[0; 8]; 8];
    for (row, i) in block.iter_mut().zip((0..64).step_by(8)) {
        for (x, value) in row.iter_mut().enumerate() {
            *value = coefficients[i + x].wrapping_mul(steps[i + x]);
        }
    }
    let columns = transpose(pass::<11>(&block));
    let rows = transpose(pass::<18>(&columns)).map(|row| row.map(|value| value.saturating_add(128)));
    for (pair, out) in rows.as_chunks::<2>().0.iter().zip(out.chunks_mut(2 * stride)) {
        let pixels = narrow(pair[0], pair[1]);
        out[..8].copy_from_slice(&pixels[..8]);
        out[stride..][..8].copy_from_slice(&pixels[8..]);
    }
}

/// Whether all coefficients but the first are 0.
#[inline(always)]
fn is_flat(coefficients: &[i16; 64]) -> bool {
    let mut any = [0; 8];
    for row in coefficients.as_chunks::<8>().0 {
        any.iter_mut().zip(row).for_each(|(any, &c)| *any |= c);
    }
    // The first column holds the coefficient that does not count.
    let below = (8..64).step_by(8).fold(0, |all, place| all | coefficients[place]);
    any[1..].iter().fold(below, |all, any| all | any) == 0
}

/// Divide by 2^`BITS`, rounding, and saturate.
#[inline(always)]
fn descale<const BITS: u32>(value: Int) -> i16 {
    let value = (value + Wrapping(1 << (BITS - 1))).0 >> BITS;
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// What each of the odd inputs 1, 3, 5, 7 adds to each odd part. The eleven multiplications of the paper are
/// written out: integers give the same sums, and all factors fit the vector units' 16 bits.
const ODD: [[i32; 4]; 4] = [
    [11363, 9633, 6437, 2260],
    [9633, -2259, -11362, -6436],
    [6437, -11362, 2261, 9633],
    [2260, -6436, 9633, -11363],
];

/// The transform along the columns of `block`, eight at a time; the result is divided by 2^`BITS`.
#[inline(always)]
fn pass<const BITS: u32>(block: &[[i16; 8]; 8]) -> [[i16; 8]; 8] {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        let at = |y: usize| Wrapping(i32::from(block[y][x]));
        let times = |y: usize, factor: i32| at(y) * Wrapping(factor);
        let sum = (at(0) + at(4)) << 13;
        let difference = (at(0) - at(4)) << 13;
        let outer = times(2, 10703) + times(6, 4433);
        let inner = times(2, 4433) + times(6, -10704);
        let even = [sum + outer, difference + inner, difference - inner, sum - outer];
        for (i, (even, factor)) in even.into_iter().zip(ODD).enumerate() {
            let odd =
                (times(1, factor[0]) + times(3, factor[1])) + (times(5, factor[2]) + times(7, factor[3]));
            out[i][x] = descale::<BITS>(even + odd);
            out[7 - i][x] = descale::<BITS>(even - odd);
        }
    }
    out
}
