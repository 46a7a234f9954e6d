//! Real numbers as codes of 8 bits.

use super::codes::Codes;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::{Shared, row_blocks};
use wellfit_simd::vectorized;

/// Adding this to a float in [0, 255] rounds it to the nearest whole number, ties to even, and leaves that in its lowest
/// bits: 1.5·2²³, whose unit in the last place is 1.
const ROUND: f32 = 12_582_912.0;
/// Codes that one task converts.
const BLOCK: usize = 1 << 15;

/// How the numbers of a tensor are stored: x ≈ scale·(q − zero), q in 0..=255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// The distance of two neighbouring codes; positive and finite.
    pub scale: f32,
    /// The code of 0, which is exact.
    pub zero: u8,
}

impl Affine {
    /// The codes for numbers from `low` to `high`, widened so that 0 is among them. Numbers beyond are clamped.
    /// A range that is empty, or not finite, gets the scale 1.
    #[must_use]
    pub fn of_range(low: f32, high: f32) -> Self {
        let (low, high) = (f64::from(low.min(0.0)), f64::from(high.max(0.0)));
        let scale = ((high - low) / 255.0) as f32;
        if !scale.is_normal() {
            return Self { scale: 1.0, zero: 0 };
        }
        Self { scale, zero: (-low / f64::from(scale)).round().clamp(0.0, 255.0) as u8 }
    }

    /// The smallest and the largest number that have a code.
    #[must_use]
    pub fn range(self) -> (f32, f32) {
        (self.value(0), self.value(255))
    }

    /// The number that a code stands for.
    #[must_use]
    #[inline(always)]
    pub fn value(self, code: u8) -> f32 {
        self.scale * (f32::from(code) - f32::from(self.zero))
    }

    /// The code of a number: round(clamp(x/scale + zero, 0, 255)), ties to even; x/scale is x·(1/scale) in f32. NaN
    /// becomes the code 0.
    #[must_use]
    #[inline(always)]
    pub fn code(self, x: f32) -> u8 {
        rounded(x * (1.0 / self.scale) + f32::from(self.zero), 0.0)
    }

    /// The codes of `x`.
    #[must_use]
    pub fn quantise(self, x: &[f32]) -> Codes {
        let mut codes = Codes::scratch(x.len());
        row_blocks(&mut codes, 1, BLOCK, |first, codes| {
            codes_of(self, &x[first..first + codes.len()], codes);
        });
        codes
    }

    /// The numbers that `codes` stand for.
    #[must_use]
    pub fn dequantise(self, codes: &[u8]) -> Buffer {
        let mut x = Buffer::scratch(codes.len());
        let shared = Shared::new(&mut x);
        wellfit_simd::parallel::for_each(codes.len().div_ceil(BLOCK), |block| {
            let start = block * BLOCK;
            let codes = &codes[start..(start + BLOCK).min(codes.len())];
            // SAFETY: blocks are disjoint parts of x, which has a float for each code.
            values_of(self, codes, unsafe { shared.slice(start, codes.len()) });
        });
        x
    }
}

/// The code nearest to `x`, at least `low` and at most 255; ties to even. NaN becomes `low`.
#[inline(always)]
pub(super) fn rounded(x: f32, low: f32) -> u8 {
    // As one instruction each: the second operand is taken when a comparison with NaN fails.
    let x = if x > low { x } else { low };
    let x = if x < 255.0 { x } else { 255.0 };
    (x + ROUND).to_bits() as u8
}

vectorized! {
    fn codes_of(affine: Affine, x: &[f32], codes: &mut [u8]) {
        codes.iter_mut().zip(x).for_each(|(code, &x)| *code = affine.code(x));
    }
}

vectorized! {
    fn values_of(affine: Affine, codes: &[u8], x: &mut [f32]) {
        x.iter_mut().zip(codes).for_each(|(x, &code)| *x = affine.value(code));
    }
}
