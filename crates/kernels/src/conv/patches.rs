//! The input of a convolution as the rows of a product, in place.

use super::pixels::Pixels;
use super::shape::Conv;
use crate::product::Rows;
use wellfit_simd::Buffer;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::profile::{Watch, Work};

/// Up to this many input channels, a kernel row's taps are read as one run from a padded copy: runs of
/// one or three floats would spend more on pointers than on arithmetic.
const FEW_CHANNELS: usize = 4;

/// The input as the rows of a product: one output pixel a row, one run of floats a tap.
pub(super) struct Patches {
    image: *const f32,
    /// Keeps the padded copy alive, or holds the zeros that taps outside the image read.
    owned: Buffer,
    height: usize,
    width: usize,
    channels: usize,
    pub taps: usize,
    pub taps_across: usize,
    pub depth: usize,
    stride: usize,
    padding: usize,
    out: Pixels,
    out_channels: usize,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl Sync for Patches {}

impl Patches {
    pub fn new(conv: &Conv, x: &[f32]) -> Self {
        let merged = conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS;
        let owned = if merged { padded(conv, x) } else { Buffer::zeroed(conv.channels_in) };
        let grow = if merged { 2 * conv.padding } else { 0 };
        Self {
            image: if merged { owned.as_ptr() } else { x.as_ptr() },
            owned,
            height: conv.height + grow,
            width: conv.width + grow,
            channels: conv.channels_in,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            depth: if merged { conv.kernel * conv.channels_in } else { conv.channels_in },
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out: Pixels { height: conv.out_height(), width: conv.out_width() },
            out_channels: conv.channels_out,
        }
    }
}

impl Rows for Patches {
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const f32],
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

    fn step(&self) -> Option<usize> {
        (self.taps == 1 && self.stride == 1 && self.padding == 0).then_some(self.channels)
    }

    fn output(&self, row: usize) -> usize {
        row * self.out_channels
    }
}

/// `x` with its zero padding written out.
fn padded(conv: &Conv, x: &[f32]) -> Buffer {
    let (pad, line) = (conv.padding, conv.width * conv.channels_in);
    let (high, wide) = (conv.height + 2 * pad, (conv.width + 2 * pad) * conv.channels_in);
    let mut copy = Buffer::scratch(conv.batch * high * wide);
    row_blocks(&mut copy, high * wide, 1, |image, out| {
        let watch = Watch::start();
        let image = &x[image * conv.height * line..][..conv.height * line];
        out[..pad * wide].fill(0.0);
        out[(pad + conv.height) * wide..].fill(0.0);
        for (row, out) in image.chunks_exact(line).zip(out[pad * wide..].chunks_exact_mut(wide)) {
            out[..pad * conv.channels_in].fill(0.0);
            out[pad * conv.channels_in..][..line].copy_from_slice(row);
            out[pad * conv.channels_in + line..].fill(0.0);
        }
        watch.stop(Work::Packing);
    });
    copy
}
