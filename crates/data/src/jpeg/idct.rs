//! The inverse cosine transform, integer for integer as libjpeg's `jidctint.c` ("islow").
//!
//! Loeffler, Ligtenberg & Moschytz 1989, "Practical fast 1-D DCT algorithms with 11 multiplications", with
//! 13 fractional bits; two more are kept between the passes. Values wrap and saturate where libjpeg-turbo's
//! vector code does, so even a damaged file can neither overflow nor differ.

use std::num::Wrapping;

type Int = Wrapping<i32>;

/// One block: 64 coefficients times their quantisation steps, to 8 rows of 8 pixels at `out[0]`, `out[stride]`…
pub(super) fn inverse_dct(coefficients: &[i16; 64], steps: &[i16; 64], out: &mut [u8], stride: usize) {
    if coefficients[1..].iter().all(|&c| c == 0) {
        let flat = descale::<5>(Wrapping(i32::from(coefficients[0].wrapping_mul(steps[0])) << 2));
        for row in out.chunks_mut(stride).take(8) {
            row[..8].fill(to_pixel(flat));
        }
        return;
    }
    let mut block = [[0; 8]; 8];
    for (row, i) in block.iter_mut().zip((0..64).step_by(8)) {
        for (x, value) in row.iter_mut().enumerate() {
            *value = coefficients[i + x].wrapping_mul(steps[i + x]);
        }
    }
    let columns = transpose(&pass::<11>(&block));
    let rows = transpose(&pass::<18>(&columns));
    for (row, out) in rows.iter().zip(out.chunks_mut(stride)) {
        for (out, &value) in out.iter_mut().zip(row) {
            *out = to_pixel(value);
        }
    }
}

fn to_pixel(value: i16) -> u8 {
    (i32::from(value) + 128).clamp(0, 255) as u8
}

/// Divide by 2^`BITS`, rounding, and saturate.
fn descale<const BITS: u32>(value: Int) -> i16 {
    let value = (value + Wrapping(1 << (BITS - 1))).0 >> BITS;
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn transpose(block: &[[i16; 8]; 8]) -> [[i16; 8]; 8] {
    std::array::from_fn(|y| std::array::from_fn(|x| block[x][y]))
}

/// The transform along the columns of `block`, eight at a time; the result is divided by 2^`BITS`.
#[inline]
fn pass<const BITS: u32>(block: &[[i16; 8]; 8]) -> [[i16; 8]; 8] {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        let at = |y: usize| Wrapping(i32::from(block[y][x]));
        let fixed = |value: i32| Wrapping(value);

        let z1 = (at(2) + at(6)) * fixed(4433);
        let t2 = z1 - at(6) * fixed(15137);
        let t3 = z1 + at(2) * fixed(6270);
        let t0 = (at(0) + at(4)) << 13;
        let t1 = (at(0) - at(4)) << 13;
        let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];

        let z1 = (at(7) + at(1)) * fixed(-7373);
        let z2 = (at(5) + at(3)) * fixed(-20995);
        let z5 = (at(7) + at(3) + at(5) + at(1)) * fixed(9633);
        let z3 = (at(7) + at(3)) * fixed(-16069) + z5;
        let z4 = (at(5) + at(1)) * fixed(-3196) + z5;
        let odd = [
            at(1) * fixed(12299) + z1 + z4,
            at(3) * fixed(25172) + z2 + z3,
            at(5) * fixed(16819) + z2 + z4,
            at(7) * fixed(2446) + z1 + z3,
        ];
        for i in 0..4 {
            out[i][x] = descale::<BITS>(even[i] + odd[i]);
            out[7 - i][x] = descale::<BITS>(even[i] - odd[i]);
        }
    }
    out
}
