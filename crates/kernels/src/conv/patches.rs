//! The input of a convolution as the rows of a product, in place.

use super::pixels::Pixels;
use super::shape::Conv;
use crate::product::Rows;
use std::borrow::Cow;
use wellfit_simd::parallel::row_blocks;
use wellfit_simd::profile::{Watch, Work};
use wellfit_simd::{Buffer, Element};

/// Up to this many input channels, a kernel row's taps are read as one run from a padded copy: runs of
/// one or three floats would spend more on pointers than on arithmetic.
const FEW_CHANNELS: usize = 4;

/// The input as the rows of a product: one output pixel a row, one run of floats a tap.
pub(super) struct Patches<E: Element> {
    image: *const E,
    /// Keeps a copy alive; begins with the zeros that taps outside the image read.
    owned: Buffer<E>,
    height: usize,
    width: usize,
    channels: usize,
    pub taps: usize,
    pub taps_across: usize,
    /// Numbers of a run that count, and those of whole lanes: the weights of what lies between are zero.
    pub run: usize,
    pub depth: usize,
    stride: usize,
    padding: usize,
    out: Pixels,
    out_channels: usize,
}

// SAFETY: the pointer is to memory borrowed for the whole product, and only read.
unsafe impl<E: Element> Sync for Patches<E> {}

impl<E: Element> Patches<E> {
    pub fn new(conv: &Conv, x: &[E]) -> Self {
        let merged = conv.kernel > 1 && conv.channels_in <= FEW_CHANNELS;
        let channels = if merged { conv.channels_in } else { conv.channels_in.next_multiple_of(E::PER_LANE) };
        let run = if merged { conv.kernel * channels } else { conv.channels_in };
        let grow = if merged { 2 * conv.padding } else { 0 };
        // A run that ends within a lane reads a number behind it, which is not to be one of the next line.
        let behind = usize::from(merged && !run.is_multiple_of(E::PER_LANE));
        let width = conv.width + grow + behind;
        let (owned, start) = if merged {
            (padded(conv, x, width), Some(0))
        } else if channels > conv.channels_in {
            (filled_up(x, conv.channels_in, channels), Some(channels))
        } else {
            (Buffer::zeroed(channels), None)
        };
        Self {
            image: start.map_or(x.as_ptr(), |start| owned[start..].as_ptr()),
            owned,
            height: conv.height + grow,
            width,
            channels,
            taps: conv.kernel,
            taps_across: if merged { 1 } else { conv.kernel },
            run,
            depth: run.next_multiple_of(E::PER_LANE),
            stride: conv.stride,
            padding: if merged { 0 } else { conv.padding },
            out: Pixels { height: conv.out_height(), width: conv.out_width() },
            out_channels: conv.channels_out,
        }
    }
}

impl<E: Element> Rows<E> for Patches<E> {
    fn inputs(
        &self,
        first: usize,
        count: usize,
        table: &mut [*const E],
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

/// `x` with its zero padding written out, in lines of `width` pixels.
fn padded<E: Element>(conv: &Conv, x: &[E], width: usize) -> Buffer<E> {
    let (pad, line, zero) = (conv.padding, conv.width * conv.channels_in, E::default());
    let (high, wide) = (conv.height + 2 * pad, width * conv.channels_in);
    let mut copy = Buffer::scratch(conv.batch * high * wide);
    row_blocks(&mut copy, high * wide, 1, |image, out| {
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
    copy
}

/// A pixel of zeros, and the rows of `x` `[rows, from]`, each with zeros behind it up to `to` numbers.
fn filled_up<E: Element>(x: &[E], from: usize, to: usize) -> Buffer<E> {
    let mut copy = Buffer::zeroed(to + x.len() / from * to);
    for (row, out) in x.chunks_exact(from).zip(copy[to..].chunks_exact_mut(to)) {
        out[..from].copy_from_slice(row);
    }
    copy
}

/// The rows of `x` `[rows, columns]` with zeros behind them up to whole lanes, and how long they are then.
pub(super) fn whole_lanes<E: Element>(x: &[E], columns: usize) -> (Cow<'_, [E]>, usize) {
    let width = columns.next_multiple_of(E::PER_LANE);
    let copy = |row: &[E]| row.iter().copied().chain([E::default()]).take(width).collect::<Vec<E>>();
    if width == columns {
        return (Cow::Borrowed(x), width);
    }
    (Cow::Owned(x.chunks_exact(columns).flat_map(copy).collect()), width)
}
