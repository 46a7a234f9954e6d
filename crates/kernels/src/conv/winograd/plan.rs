//! How a convolution is cut into tiles.

use super::choice::{Direction, SIDE, Variant, variant};
use super::points::{Four, Points, Three, Two};
use super::side::Side;
use super::stem;
use crate::conv::Conv;
use wellfit_simd::Element;

/// How a convolution is computed in one direction: 4×4 squares on the side of `to`, each with its surroundings on that of
/// `from`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub variant: Variant,
    /// Points along one axis.
    pub points: usize,
    pub batch: usize,
    /// Tiles down and across an image.
    pub down: usize,
    pub across: usize,
    pub from: Side,
    pub to: Side,
}

impl Plan {
    /// # Panics
    /// When the convolution does not suit.
    pub fn new<E: Element>(conv: &Conv, direction: Direction) -> Self {
        let variant = variant::<E>(conv, direction).unwrap_or_else(|| panic!("{conv:?} has no tiles"));
        let side = |height, width, channels| Side {
            height,
            width,
            pixel: channels,
            channels,
            step: 1,
            shift: [0; 2],
            phases: 1,
        };
        let input = side(conv.height, conv.width, conv.channels_in);
        let output = side(conv.out_height(), conv.out_width(), conv.channels_out);
        let padding = conv.padding as isize;
        let (from, to) = match (variant, direction) {
            (Variant::Stride1, Direction::DataGradient) => {
                (Side { shift: [padding - 2; 2], ..output }, input)
            }
            (Variant::Stride1, _) => (Side { shift: [-padding; 2], ..input }, output),
            // Pixel 2j + 1 met the outer taps of outputs j and j + 1, pixel 2j the inner one of output j.
            (Variant::Stride2, Direction::DataGradient) => {
                (output, Side { step: 2, shift: [1, 0], phases: 4, ..input })
            }
            // Output j meets pixels 2j − 1 and 2j + 1 with the outer taps, 2j with the inner one.
            (Variant::Stride2, _) => (Side { step: 2, shift: [-1, 0], phases: 4, ..input }, output),
            (Variant::Stem, _) => (stem::side(conv), output),
        };
        let points = match variant {
            Variant::Stride1 => Three::POINTS,
            Variant::Stride2 => Two::POINTS,
            Variant::Stem => Four::POINTS,
        };
        let tiles = |pixels: usize| pixels.div_ceil(to.step).div_ceil(SIDE);
        Self { variant, points, batch: conv.batch, down: tiles(to.height), across: tiles(to.width), from, to }
    }

    pub fn tiles(&self) -> usize {
        self.batch * self.down * self.across
    }

    /// The image, and line and column in each phase, where a tile begins.
    pub fn origin(&self, tile: usize) -> (usize, usize, usize) {
        let (line, column) = (tile / self.across, tile % self.across);
        (line / self.down, line % self.down * SIDE, column * SIDE)
    }

    /// Taps along an axis of the filter, all phases together.
    fn kernel(&self) -> usize {
        if self.variant == Variant::Stem { Four::TAPS } else { Three::TAPS }
    }

    /// Taps of the filter.
    pub fn taps(&self) -> usize {
        self.kernel() * self.kernel()
    }

    /// Which of them is tap (`y`, `x`) of a phase.
    pub fn tap(&self, phase: usize, y: usize, x: usize) -> usize {
        let apart = if self.variant == Variant::Stride2 { 2 } else { 1 };
        let [down, across] = inner(phase);
        (y * apart + down) * self.kernel() + x * apart + across
    }

    /// Points of both axes together.
    pub fn grid(&self) -> usize {
        self.points * self.points
    }

    /// Whether a phase is more than zero at a point: a single tap is zero at infinity, the last point of its axis.
    pub fn has(&self, phase: usize, point: usize) -> bool {
        let finite = |point: usize| point + 1 < self.points;
        let [down, across] = inner(phase);
        (down == 0 || finite(point / self.points)) && (across == 0 || finite(point % self.points))
    }

    /// Those of so many phases that are.
    pub fn phases_at(&self, point: usize, phases: usize) -> impl Iterator<Item = usize> {
        (0..phases).filter(move |&phase| self.has(phase, point))
    }

    /// How many pairs of a point and one of a side's phases there are.
    pub fn pairs(&self, side: &Side) -> usize {
        (0..self.grid()).map(|point| self.phases_at(point, side.phases).count()).sum()
    }

    /// Call `found` for every pixel of a phase in a square of a tile, `high` lines and `wide` columns, that lies in the
    /// image, with its number in the square and where it begins.
    #[inline(always)]
    pub fn square(
        &self,
        side: &Side,
        phase: usize,
        tile: usize,
        (high, wide): (usize, usize),
        mut found: impl FnMut(usize, usize),
    ) {
        let (image, top, left) = self.origin(tile);
        let [down, across] = inner(phase);
        // A negative number is larger than any limit.
        let at = |i: usize, inner: usize| (i * side.step).wrapping_add_signed(side.shift[inner]);
        for y in 0..high {
            let line = at(top + y, down);
            if line >= side.height {
                continue;
            }
            let line = (image * side.height + line) * side.width;
            for x in 0..wide {
                let column = at(left + x, across);
                if column < side.width {
                    found(y * wide + x, (line + column) * side.pixel);
                }
            }
        }
    }

    /// The pixels of the side that is read, as addresses in `pixels`; `zeros` stands for what lies outside.
    #[inline(always)]
    pub fn pointers<E, const COUNT: usize>(
        &self,
        phase: usize,
        tile: usize,
        square: (usize, usize),
        (pixels, zeros): (&[E], &[E]),
    ) -> [*const E; COUNT] {
        let mut pointers = [zeros.as_ptr(); COUNT];
        self.square(&self.from, phase, tile, square, |i, place| {
            pointers[i] = pixels[place..][..self.from.pixel].as_ptr();
        });
        pointers
    }
}

/// Whether a phase is of the inner tap, 0 or 1: down the lines, and across the columns.
fn inner(phase: usize) -> [usize; 2] {
    [phase / 2, phase % 2]
}

/// Floats from one point's matrix of `rows` × `channels` to the next: one cache line more than it takes,
/// or dozens of them would compete for the same set of the first-level cache.
pub(super) fn point_stride(rows: usize, channels: usize) -> usize {
    rows * channels + 16
}
