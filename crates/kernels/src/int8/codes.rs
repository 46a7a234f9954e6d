//! Memory for codes.

use std::ops::{Deref, DerefMut};
use wellfit_simd::Buffer;

/// Floats behind the codes that a product may read, and multiplies by 0.
const SLACK: usize = 1;

/// Codes of 8 bits in memory that is reused, as a [`Buffer`]'s. The four bytes behind them can be read.
#[derive(Debug)]
pub struct Codes {
    buffer: Buffer,
    len: usize,
}

impl Codes {
    /// `len` codes with unspecified contents: for results that are written whole.
    #[must_use]
    pub fn scratch(len: usize) -> Self {
        Self { buffer: Buffer::scratch(len.div_ceil(size_of::<f32>()) + SLACK), len }
    }

    /// `len` times the same code.
    #[must_use]
    pub fn filled(len: usize, code: u8) -> Self {
        let mut codes = Self::scratch(len);
        codes.fill(code);
        codes
    }

    /// A copy of `codes`.
    #[must_use]
    pub fn from_slice(codes: &[u8]) -> Self {
        let mut copy = Self::scratch(codes.len());
        copy.copy_from_slice(codes);
        copy
    }
}

impl Deref for Codes {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the buffer has at least `len` initialised bytes, and any byte is a code.
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Codes {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; any four bytes are a float, and `&mut self` makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.buffer.as_mut_ptr().cast(), self.len) }
    }
}
