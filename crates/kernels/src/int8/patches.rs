//! The input of a convolution as the rows of a product, in place.

use super::affine::Affine;
use super::codes::Codes;
use super::panels::Matrix;
use crate::conv::{Conv, Windows, is_merged, pad};

/// The weights of a convolution as a matrix.
pub(super) fn matrix(conv: &Conv) -> Matrix {
    let (segments, depth) = if is_merged(conv) {
        (conv.kernel, conv.kernel * conv.channels_in)
    } else {
        (conv.kernel * conv.kernel, conv.channels_in)
    };
    Matrix { segments, depth, columns: conv.channels_out }
}

/// The input as the rows of a product: one output pixel a row, one run of codes a tap.
pub(super) struct Patches {
    windows: Windows<u8>,
    /// Keeps the padded copy alive, or the zeros that taps outside the image read.
    _owned: Codes,
}

// SAFETY: the pointers are to memory borrowed for the whole product, and only read.
unsafe impl Sync for Patches {}

impl Patches {
    /// Of `x`, whose code for 0 is that of `from`.
    pub fn new(conv: &Conv, x: &Codes, from: Affine) -> Self {
        let (image, owned, width) = if is_merged(conv) {
            let (high, wide) = (conv.height + 2 * conv.padding, conv.width + 2 * conv.padding);
            let mut copy = Codes::scratch(conv.batch * high * wide * conv.channels_in);
            pad(conv, x, wide, from.zero, &mut copy);
            (copy.as_ptr(), copy, wide)
        } else {
            let zeros = Codes::filled(conv.channels_in.next_multiple_of(4), from.zero);
            (x.as_ptr(), zeros, conv.width)
        };
        let windows = Windows::new(conv, (image, owned.as_ptr()), width, conv.channels_in);
        Self { windows, _owned: owned }
    }

    /// As [`Windows::inputs`].
    pub fn inputs(&self, first: usize, count: usize, table: &mut [*const u8], tile: usize) {
        self.windows.inputs(first, count, table, tile);
    }
}
