//! The input of a convolution as the rows of a product, in place.

use super::affine::Affine;
use super::codes::Codes;
use super::panels::Matrix;
use crate::conv::{Conv, Pixels};
use wellfit_simd::parallel::row_blocks;

/// Up to this many input channels, a kernel row's taps are read as one run from a padded copy: runs of one or three
/// codes would waste most of a group of four.
const FEW_CHANNELS: usize = 4;

fn is_merged(conv: &Conv) -> bool {
    conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS
}

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
    image: *const u8,
    /// The padded copy, or the zeros that taps outside the image read.
    owned: Codes,
    height: usize,
    width: usize,
    channels: usize,
    taps: usize,
    taps_across: usize,
    stride: usize,
    padding: usize,
    out: Pixels,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl Sync for Patches {}

impl Patches {
    /// Of `x`, whose code for 0 is that of `from`.
    pub fn new(conv: &Conv, x: &Codes, from: Affine) -> Self {
        let merged = is_merged(conv);
        let owned = if merged {
            padded(conv, x, from.zero)
        } else {
            Codes::filled(conv.channels_in.next_multiple_of(4), from.zero)
        };
        let grow = if merged { 2 * conv.padding } else { 0 };
        Self {
            image: if merged { owned.as_ptr() } else { x.as_ptr() },
            owned,
            height: conv.height + grow,
            width: conv.width + grow,
            channels: conv.channels_in,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out: Pixels { height: conv.out_height(), width: conv.out_width() },
        }
    }

    /// Write the start of segment `s` of row `first + i` to `table[place(i) + s·stride]`, for every `i` below `count`.
    pub fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const u8],
        place: impl Fn(usize) -> usize,
        stride: usize,
    ) {
        for (row, (image, line, column)) in self.out.from(first).take(count).enumerate() {
            let (top, left) = (line * self.stride, column * self.stride);
            let mut slot = place(row);
            for y in top..top + self.taps {
                for x in left..left + self.taps_across {
                    let (y, x) = (y.wrapping_sub(self.padding), x.wrapping_sub(self.padding));
                    table[slot] = if y < self.height && x < self.width {
                        let pixel = (image * self.height + y) * self.width + x;
                        // SAFETY: the pixel lies inside the image.
                        unsafe { self.image.add(pixel * self.channels) }
                    } else {
                        self.owned.as_ptr()
                    };
                    slot += stride;
                }
            }
        }
    }
}

/// `x` with its padding written out, in codes of 0.
fn padded(conv: &Conv, x: &[u8], zero: u8) -> Codes {
    let (pad, line) = (conv.padding, conv.width * conv.channels_in);
    let (high, wide) = (conv.height + 2 * pad, (conv.width + 2 * pad) * conv.channels_in);
    let mut copy = Codes::scratch(conv.batch * high * wide);
    row_blocks(&mut copy, high * wide, 1, |image, out| {
        out.fill(zero);
        let image = &x[image * conv.height * line..][..conv.height * line];
        for (row, out) in image.chunks_exact(line).zip(out[pad * wide..].chunks_exact_mut(wide)) {
            out[pad * conv.channels_in..][..line].copy_from_slice(row);
        }
    });
    copy
}
