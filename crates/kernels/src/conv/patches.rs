//! The input of a convolution as the rows of a product, in place.

use super::shape::Conv;
use super::windows::{Windows, is_merged, pad};
use crate::product::Rows;
use std::borrow::Cow;
use wellfit_simd::{Buffer, Element};

/// The input as the rows of a product: one output pixel a row, one run of numbers a tap.
pub(super) struct Patches<E: Element> {
    windows: Windows<E>,
    /// Keeps a copy alive; begins with the zeros that taps outside the image read.
    _owned: Buffer<E>,
    /// Numbers of a run that count, and those of whole lanes: the weights of what lies between are zero.
    pub run: usize,
    pub depth: usize,
    out_channels: usize,
}

// SAFETY: the pointers are to memory borrowed for the whole product, and only read.
unsafe impl<E: Element> Sync for Patches<E> {}

impl<E: Element> Patches<E> {
    pub fn new(conv: &Conv, x: &[E]) -> Self {
        let merged = is_merged(conv);
        let channels = if merged { conv.channels_in } else { conv.channels_in.next_multiple_of(E::PER_LANE) };
        let run = if merged { conv.kernel * channels } else { conv.channels_in };
        let grow = if merged { 2 * conv.padding } else { 0 };
        // A run that ends within a lane reads a number behind it, which is not to be one of the next line.
        let behind = usize::from(merged && !run.is_multiple_of(E::PER_LANE));
        let width = conv.width + grow + behind;
        let (owned, start) = if merged {
            let mut copy = Buffer::scratch(conv.batch * (conv.height + grow) * width * channels);
            pad(conv, x, width, E::default(), &mut copy);
            (copy, Some(0))
        } else if channels > conv.channels_in {
            (filled_up(x, conv.channels_in, channels), Some(channels))
        } else {
            (Buffer::zeroed(channels), None)
        };
        let image = start.map_or(x.as_ptr(), |start| owned[start..].as_ptr());
        Self {
            windows: Windows::new(conv, (image, owned.as_ptr()), width, channels),
            _owned: owned,
            run,
            depth: run.next_multiple_of(E::PER_LANE),
            out_channels: conv.channels_out,
        }
    }

    /// Runs of a row.
    pub fn segments(&self) -> usize {
        self.windows.segments()
    }
}

impl<E: Element> Rows<E> for Patches<E> {
    fn inputs(&self, first: usize, count: usize, table: &mut [*const E], tile: usize) {
        self.windows.inputs(first, count, table, tile);
    }

    fn step(&self) -> Option<usize> {
        self.windows.step()
    }

    fn output(&self, row: usize) -> usize {
        row * self.out_channels
    }
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
