//! The gradient of an output as the rows of a product, for one class of input pixels.

use super::pixels::Pixels;
use super::shape::Conv;
use crate::product::{Rows, place};

/// The input pixels at one position modulo the stride, with the taps that reach them.
pub(super) struct Class<'a, E> {
    conv: &'a Conv,
    phase: (usize, usize),
    pixels: Pixels,
    pub taps_y: Vec<usize>,
    pub taps_x: Vec<usize>,
    dy: &'a [E],
    /// Numbers from one of its pixels to the next.
    pixel: usize,
    zeros: &'a [E],
}

impl<'a, E> Class<'a, E> {
    pub fn new(conv: &'a Conv, phase: (usize, usize), (dy, pixel): (&'a [E], usize), zeros: &'a [E]) -> Self {
        let taps = |phase: usize| {
            (0..conv.kernel)
                .filter(|tap| {
                    (phase + conv.padding + conv.stride * conv.kernel - tap).is_multiple_of(conv.stride)
                })
                .collect()
        };
        let count = |size: usize, phase: usize| (size - phase).div_ceil(conv.stride);
        Self {
            conv,
            phase,
            pixels: Pixels { height: count(conv.height, phase.0), width: count(conv.width, phase.1) },
            taps_y: taps(phase.0),
            taps_x: taps(phase.1),
            dy,
            pixel,
            zeros,
        }
    }

    /// Pixels of the class in all images.
    pub fn rows(&self) -> usize {
        self.conv.batch * self.pixels.height * self.pixels.width
    }

    /// Line and column in the image.
    fn place(&self, line: usize, column: usize) -> (usize, usize) {
        (self.phase.0 + line * self.conv.stride, self.phase.1 + column * self.conv.stride)
    }
}

impl<E: Sync> Rows<E> for Class<'_, E> {
    fn inputs(&self, first: usize, count: usize, table: &mut [*const E], tile: usize) {
        let conv = self.conv;
        let (high, wide) = (conv.out_height(), conv.out_width());
        // The output line whose tap `tap` lands on input line `at`, if there is one.
        let source = |at: usize, tap: usize, limit: usize| {
            let distance = (at + conv.padding).checked_sub(tap)?;
            let line = if conv.stride == 1 { distance } else { distance / conv.stride };
            (line < limit).then_some(line)
        };
        for (row, (image, line, column)) in self.pixels.from(first).take(count).enumerate() {
            let (y, x) = self.place(line, column);
            let mut slot = place(row, self.taps_y.len() * self.taps_x.len(), tile);
            for &tap_y in &self.taps_y {
                for &tap_x in &self.taps_x {
                    let found = source(y, tap_y, high).zip(source(x, tap_x, wide));
                    table[slot] = found.map_or(self.zeros.as_ptr(), |(y, x)| {
                        self.dy[((image * high + y) * wide + x) * self.pixel..].as_ptr()
                    });
                    slot += tile;
                }
            }
        }
    }

    fn step(&self) -> Option<usize> {
        let conv = self.conv;
        (conv.kernel == 1 && conv.stride == 1 && conv.padding == 0).then_some(self.pixel)
    }

    fn output(&self, row: usize) -> usize {
        let (line, column) = (row / self.pixels.width, row % self.pixels.width);
        let (image, line) = (line / self.pixels.height, line % self.pixels.height);
        let (y, x) = self.place(line, column);
        ((image * self.conv.height + y) * self.conv.width + x) * self.conv.channels_in
    }
}
