//! Channels side by side that are worked on together, and their lines with the zeros around them.

use super::axis::Axis;
use super::shape::GroupedConv;
use std::ops::Range;
use wellfit_simd::vector::InstructionSet;
use wellfit_simd::{Buffer, Element};

/// Channels of a part of a slab, whose pixels lie side by side: the widest vector, and a cache line of f32. That it is
/// known to the compiler makes the places of a window's pixels constants.
pub(super) const PART: usize = 16;
/// The most channels of a group. From here on products of matrices are as fast.
const MOST: usize = 32;

/// How the channels are cut: slabs of `width` channels, each of whole groups. A vector of outputs reads `inputs` channels:
/// those of its group, or where a vector holds several groups, those of all of them, with zero weights between groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slabs {
    pub channels: usize,
    /// Channels of a group.
    pub group: usize,
    pub width: usize,
    pub lanes: usize,
    pub inputs: usize,
}

impl Slabs {
    /// Nothing where direct sums have no kernel, or are slower.
    pub fn new(conv: &GroupedConv) -> Option<Self> {
        let group = conv.group.channels_in;
        let channels = conv.groups * group;
        let width = group.max(PART);
        let suits = conv.group.channels_out == group
            && (2..=MOST).contains(&group)
            && group.is_power_of_two()
            && channels.is_multiple_of(width)
            && conv.group.kernel == 3
            && matches!(conv.group.stride, 1 | 2)
            && conv.group.padding < 3;
        let lanes = InstructionSet::current().lanes();
        suits.then_some(Self { channels, group, width, lanes, inputs: group.max(lanes) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.channels / self.width
    }

    /// Parts of a slab.
    pub fn parts(&self) -> usize {
        self.width / PART
    }

    /// Vectors of outputs of a slab.
    pub fn vectors(&self) -> usize {
        self.width / self.lanes
    }

    /// The channels that a vector of outputs reads, and those that it holds, by its number among all.
    pub fn of_vector(&self, number: usize) -> (Range<usize>, Range<usize>) {
        let (slab, vector) = (number / self.vectors(), number % self.vectors());
        let inputs = slab * self.width + self.first_input(vector);
        let outputs = number * self.lanes;
        (inputs..inputs + self.inputs, outputs..outputs + self.lanes)
    }

    /// The lanes of a vector that belong to a group.
    pub fn outputs_of(&self, group: usize, outputs: &Range<usize>) -> Range<usize> {
        let (first, end) = (group * self.group, (group + 1) * self.group);
        first.max(outputs.start) - outputs.start..end.min(outputs.end) - outputs.start
    }

    /// The first of the inputs of a vector, counted from the slab's first channel.
    pub fn first_input(&self, vector: usize) -> usize {
        vector * self.lanes / self.inputs * self.inputs
    }
}

/// Images `[N, height, width, channels]`.
#[derive(Clone, Copy)]
pub(super) struct Images<'a, E> {
    pub numbers: &'a [E],
    pub height: usize,
    pub width: usize,
}

impl<E: Element> Images<'_, E> {
    /// One image, `[channels / PART, lines, columns, PART]` in f32: `lines` from line `first` on, and the columns that
    /// `across` reads. What lies outside the image is zero.
    pub fn padded(
        &self,
        channels: usize,
        image: usize,
        (first, lines): (isize, usize),
        across: &Axis,
    ) -> Buffer {
        let columns = across.reach(across.count);
        let part = lines * columns * PART;
        let mut padded = Buffer::scratch(channels / PART * part);
        let left = across.first.min(0).unsigned_abs().min(columns);
        let from = across.first.max(0).unsigned_abs();
        for line in 0..lines {
            let at = first + line as isize;
            let inside = (0..self.height as isize).contains(&at);
            let count = if inside { self.width.saturating_sub(from).min(columns - left) } else { 0 };
            for part in padded.chunks_exact_mut(part) {
                let line = &mut part[line * columns * PART..][..columns * PART];
                line[..left * PART].fill(0.0);
                line[(left + count) * PART..].fill(0.0);
            }
            if count > 0 {
                let pixel = (image * self.height + at.unsigned_abs()) * self.width + from;
                let pixels = &self.numbers[pixel * channels..][..count * channels];
                let start = (line * columns + left) * PART;
                for (column, pixel) in pixels.chunks_exact(channels).enumerate() {
                    let place = start + column * PART;
                    for (number, own) in pixel.as_chunks::<PART>().0.iter().enumerate() {
                        padded[number * part + place..][..PART].copy_from_slice(&own.map(E::to_f32));
                    }
                }
            }
        }
        padded
    }
}
