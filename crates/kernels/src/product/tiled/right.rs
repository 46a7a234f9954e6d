//! The right operand of a product as tiles.

use super::left::ROW;
use wellfit_simd::Buffer;
use wellfit_simd::tiles::SIDE;

/// A panel of the right operand, `[segments][lanes][vectors · 16]`. Tiles are read in place; where a segment's last lanes
/// do not fill one, they are copied, with zeros behind them.
pub(super) struct Right<'a> {
    panel: &'a [f32],
    /// Lanes of a segment.
    lanes: usize,
    /// Floats of a row.
    width: usize,
    tails: Buffer,
}

impl<'a> Right<'a> {
    pub(super) fn new(panel: &'a [f32], segments: usize, lanes: usize, width: usize) -> Self {
        let (left_over, size) = (lanes % SIDE, SIDE * width);
        let mut tails = Buffer::scratch(if left_over > 0 { segments * size } else { 0 });
        for (segment, tail) in tails.chunks_exact_mut(size).enumerate() {
            let end = (segment + 1) * lanes * width;
            tail[..left_over * width].copy_from_slice(&panel[end - left_over * width..end]);
            tail[left_over * width..].fill(0.0);
        }
        Self { panel, lanes, width, tails }
    }

    /// Bytes from one row of a tile to the next.
    pub(super) fn stride(&self) -> isize {
        (self.width / SIDE * ROW).cast_signed()
    }

    /// Tiles of a segment, one below the other.
    pub(super) fn chunks(&self) -> usize {
        self.lanes.div_ceil(SIDE)
    }

    /// The tile of a segment that begins in column `column`.
    pub(super) fn tile(&self, segment: usize, chunk: usize, column: usize) -> *const u8 {
        let lane = chunk * SIDE;
        let place = if lane + SIDE <= self.lanes {
            &self.panel[(segment * self.lanes + lane) * self.width + column..]
        } else {
            &self.tails[segment * SIDE * self.width + column..]
        };
        place.as_ptr().cast()
    }
}
