//! The number format bf16.

/// The upper half of an f32: 8 bits of exponent, 8 significant bits, one of them implicit. bfloat16, as torch's.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
pub struct Bf16(pub u16);

impl PartialEq for Bf16 {
    fn eq(&self, other: &Self) -> bool {
        self.widened() == other.widened()
    }
}

impl Bf16 {
    /// The nearest number, ties to even.
    #[must_use]
    #[inline(always)]
    pub fn rounded(x: f32) -> Self {
        let bits = x.to_bits();
        // Half of the last place that stays, less one where that place is even; a carry moves the exponent on.
        let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
        // Rounding could turn a NaN into an infinity. Its upper half with the quiet bit set is a NaN.
        Self((if x.is_nan() { bits | 0x0040_0000 } else { rounded } >> 16) as u16)
    }

    /// The same number as f32.
    #[must_use]
    #[inline(always)]
    pub fn widened(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}
