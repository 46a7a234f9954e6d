//! The windows of a convolution over its input: where each tap of each output pixel reads.

use super::pixels::Pixels;
use super::shape::Conv;
use crate::product::place;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::profile::{Watch, Work};

/// Up to this many input channels, a kernel row's taps are read as one run from a padded copy: runs of one or three
/// numbers would spend more on pointers, or on what fills up a lane, than on arithmetic.
const FEW_CHANNELS: usize = 4;

/// Windows over images, one output pixel a row, one run of numbers a tap.
pub(crate) struct Windows<T> {
    /// The first pixel, and what is read in place of a tap outside the image.
    image: *const T,
    outside: *const T,
    height: usize,
    width: usize,
    /// Numbers from a pixel to the next.
    channels: usize,
    taps: usize,
    taps_across: usize,
    stride: usize,
    padding: usize,
    out: Pixels,
}

/// Whether the taps of a kernel row are one run of a padded copy.
pub(crate) fn is_merged(conv: &Conv) -> bool {
    conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS
}

impl<T> Windows<T> {
    /// Over the input at `image`, or where taps are [merged](is_merged) its padded copy, in lines of `width` pixels of
    /// `channels` numbers; `outside` is read for taps outside.
    pub fn new(conv: &Conv, (image, outside): (*const T, *const T), width: usize, channels: usize) -> Self {
        let merged = is_merged(conv);
        Self {
            image,
            outside,
            height: conv.height + if merged { 2 * conv.padding } else { 0 },
            width,
            channels,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out: Pixels { height: conv.out_height(), width: conv.out_width() },
        }
    }

    /// Runs of a window.
    pub fn segments(&self) -> usize {
        self.taps * self.taps_across
    }

    /// Numbers from a window to the next, where every window is a pixel and they follow each other.
    pub fn step(&self) -> Option<usize> {
        (self.taps == 1 && self.stride == 1 && self.padding == 0).then_some(self.channels)
    }

    /// Write where the runs of `count` windows begin, from window `first` on, to a table `[tiles][segments][tile]`, of which a
    /// tile has so many windows.
    pub fn inputs(&self, first: usize, count: usize, table: &mut [*const T], tile: usize) {
        for (row, (image, line, column)) in self.out.from(first).take(count).enumerate() {
            let (top, left) = (line * self.stride, column * self.stride);
            let mut slot = place(row, self.segments(), tile);
            for y in top..top + self.taps {
                for x in left..left + self.taps_across {
                    let (y, x) = (y.wrapping_sub(self.padding), x.wrapping_sub(self.padding));
                    table[slot] = if y < self.height && x < self.width {
                        let pixel = (image * self.height + y) * self.width + x;
                        // SAFETY: the pixel lies inside the image.
                        unsafe { self.image.add(pixel * self.channels) }
                    } else {
                        self.outside
                    };
                    slot += tile;
                }
            }
        }
    }
}

/// Write `x` with its padding of `zero`, in lines of `width` pixels, to `copy`.
pub(crate) fn pad<T: Copy + Send + Sync>(conv: &Conv, x: &[T], width: usize, zero: T, copy: &mut [T]) {
    let (pad, line) = (conv.padding, conv.width * conv.channels_in);
    let (high, wide) = (conv.height + 2 * pad, width * conv.channels_in);
    row_blocks(copy, high * wide, 1, |image, out| {
        let watch = Watch::start();
        let image = &x[image * conv.height * line..][..conv.height * line];
        out[..pad * wide].fill(zero);
        out[(pad + conv.height) * wide..].fill(zero);
        for (row, out) in image.chunks_exact(line).zip(out[pad * wide..].chunks_exact_mut(wide)) {
            out[..pad * conv.channels_in].fill(zero);
            out[pad * conv.channels_in..][..line].copy_from_slice(row);
            out[pad * conv.channels_in + line..].fill(zero);
        }
        watch.stop(Work::Packing);
    });
}
