//! The inverse cosine transform, integer for integer as libjpeg's `jidctint.c` ("islow").
//!
//! Loeffler, Ligtenberg & Moschytz 1989, "Practical fast 1-D DCT algorithms with 11 multiplications", with
//! 13 fractional bits; two more are kept between the passes. Values wrap and saturate where libjpeg-turbo's
//! vector code does, so even a damaged file can neither overflow nor differ.

use wellfit_simd::transpose::{Zip, dot, halve, narrow, transpose};
use wellfit_simd::vectorized;

vectorized! {
    /// A row of blocks: of each 64 coefficients times their quantisation steps, to 8 rows of 8 pixels, `stride` apart.
    /// The coefficients become zeros again.
    pub(super) fn inverse_dct(blocks: &mut [[i16; 64]], steps: &[i16; 64], out: &mut [u8], stride: usize) {
        for (x, block) in blocks.iter_mut().enumerate() {
            transform(block, steps, &mut out[x * 8..], stride);
            *block = [0; 64];
        }
    }
}

#[inline(always)]
fn transform(coefficients: &[i16; 64], steps: &[i16; 64], out: &mut [u8], stride: usize) {
    if is_flat(coefficients) {
        // Numbers that no encoder writes wrap at 16 bits, as libjpeg-turbo's do.
        let flat = coefficients[0].wrapping_mul(steps[0]) << 2;
        let flat = ((i32::from(flat) + 16) >> 5) + 128;
        for y in 0..8 {
            out[y * stride..][..8].fill(flat.clamp(0, 255) as u8);
        }
        return;
    }
    let (coefficients, steps) = (coefficients.as_chunks::<8>().0, steps.as_chunks::<8>().0);
    let mut block = [[0; 8]; 8];
    for (row, (coefficients, steps)) in block.iter_mut().zip(coefficients.iter().zip(steps)) {
        *row = std::array::from_fn(|x| coefficients[x].wrapping_mul(steps[x]));
    }
    let columns =
        if has_one_row(&block) { [block[0].map(|value| value << 2); 8] } else { pass::<11>(&block) };
    let mut rows = transpose(pass::<18>(&transpose(columns)));
    for value in rows.as_flattened_mut() {
        *value = value.saturating_add(128);
    }
    for y in (0..8).step_by(2) {
        let pixels = narrow(rows[y], rows[y + 1]);
        out[y * stride..][..8].copy_from_slice(&pixels[..8]);
        out[(y + 1) * stride..][..8].copy_from_slice(&pixels[8..]);
    }
}

/// Whether only the first row is not 0: the columns are constant then, and again numbers wrap.
#[inline(always)]
fn has_one_row(block: &[[i16; 8]; 8]) -> bool {
    let mut any = [0; 8];
    for row in &block[1..] {
        any = std::array::from_fn(|x| any[x] | row[x]);
    }
    any == [0; 8]
}

/// Whether all coefficients but the first are 0.
#[inline(always)]
fn is_flat(coefficients: &[i16; 64]) -> bool {
    const COUNTS: [i16; 8] = [0, -1, -1, -1, -1, -1, -1, -1];
    let rows = coefficients.as_chunks::<8>().0;
    let mut any: [i16; 8] = std::array::from_fn(|x| rows[0][x] & COUNTS[x]);
    for row in &rows[1..] {
        any = std::array::from_fn(|x| any[x] | row[x]);
    }
    any == [0; 8]
}

/// The transform along the columns of `block`, eight at a time; the result is divided by 2^`BITS`. The sums of two
/// inputs have 16 bits and wrap, as those of libjpeg-turbo's vector code.
#[inline(always)]
fn pass<const BITS: u32>(block: &[[i16; 8]; 8]) -> [[i16; 8]; 8] {
    let both = |a: usize, b: usize| std::array::from_fn(|x| block[a][x].wrapping_add(block[b][x]));
    let (sum, difference): ([i16; 8], [i16; 8]) =
        (both(0, 4), std::array::from_fn(|x| block[0][x].wrapping_sub(block[4][x])));
    let (ends, middle) = (sum.zip(difference), block[2].zip(block[6]));
    let (outer, inner) = (block[7].zip(block[1]), block[5].zip(block[3]));
    let sums: [[i16; 8]; 2] = both(3, 7).zip(both(1, 5));
    let low = four_columns::<BITS>(ends[0], middle[0], outer[0], inner[0], sums[0]);
    let high = four_columns::<BITS>(ends[1], middle[1], outer[1], inner[1], sums[1]);
    let mut out = [[0; 8]; 8];
    for (out, (low, high)) in out.iter_mut().zip(low.into_iter().zip(high)) {
        *out = halve(low, high);
    }
    out
}

/// The transform of four columns. In turn come the sum and the difference of inputs 0 and 4; inputs 2 and 6, 7 and 1,
/// 5 and 3; and the sums of 3 and 7 and of 1 and 5. The factors are those of the paper, put together so that two
/// products and their sum are one instruction.
#[inline(always)]
fn four_columns<const BITS: u32>(
    ends: [i16; 8],
    middle: [i16; 8],
    outer: [i16; 8],
    inner: [i16; 8],
    sums: [i16; 8],
) -> [[i32; 4]; 8] {
    let half = [1 << (BITS - 1); 4];
    let (sum, difference) = (add(times(ends, 1 << 13, 0), half), add(times(ends, 0, 1 << 13), half));
    let (far, near) = (times(middle, 10703, 4433), times(middle, 4433, -10704));
    let even = [add(sum, far), add(difference, near), subtract(difference, near), subtract(sum, far)];
    let (third, first) = (times(sums, -6436, 9633), times(sums, 9633, 6437));
    let odd = [
        add(times(outer, -7373, 4926), first),
        add(times(inner, -20995, 4177), third),
        add(times(inner, -4176, -20995), first),
        add(times(outer, -4927, -7373), third),
    ];
    let mut out = [[0; 4]; 8];
    for (i, (even, odd)) in even.into_iter().zip(odd).enumerate() {
        out[i] = shift::<BITS>(add(even, odd));
        out[7 - i] = shift::<BITS>(subtract(even, odd));
    }
    out
}

/// a · x + b · y of each pair (x, y).
#[inline(always)]
fn times(pairs: [i16; 8], a: i16, b: i16) -> [i32; 4] {
    dot(pairs, [a, b, a, b, a, b, a, b])
}

#[inline(always)]
fn add(a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn subtract(a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

#[inline(always)]
fn shift<const BITS: u32>(a: [i32; 4]) -> [i32; 4] {
    std::array::from_fn(|i| a[i] >> BITS)
}
