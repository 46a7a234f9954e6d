//! 3×3 convolutions at stride 1 by minimal filtering, F(4×4, 3×3): a 4×4 square of outputs takes 36
//! multiplications a pair of channels where the direct sum takes 144 (Winograd 1980; Lavin & Gray 2016).
//!
//! Inputs, weights and outputs are carried to 36 interpolation points; at each point the convolution is a
//! plain product over channels. The data gradient is the same with the weights turned round; the weight
//! gradient is the adjoint, a sum of outer products at each point.
//!
//! In f32 the error is about twice the direct sum's (`transform` says why these points). [`set_exact`]
//! turns all of this off.

mod forward;
mod gradient;
mod transform;

use crate::conv::Conv;
use std::sync::atomic::{AtomicBool, Ordering};

/// Interpolation points.
const POINTS: usize = 36;
/// Outputs along one side of a tile.
const SIDE: usize = 4;

static EXACT: AtomicBool = AtomicBool::new(false);

/// Compute every convolution by direct sums (`true`), or 3×3 ones by Winograd's method where it pays
/// (`false`, the default). One setting for the process; change it between steps, not during one.
pub fn set_exact(exact: bool) {
    EXACT.store(exact, Ordering::Relaxed);
}

/// What [`set_exact`] was last told.
#[must_use]
pub fn is_exact() -> bool {
    EXACT.load(Ordering::Relaxed)
}

/// Whether a convolution goes this way: 3×3 at stride 1, channels in whole vectors of every instruction
/// set, and enough of them to pay for the transforms.
pub(crate) fn suits(conv: &Conv) -> bool {
    let channels = |count: usize| count >= 32 && count.is_multiple_of(16);
    conv.kernel == 3
        && conv.stride == 1
        && conv.padding <= 2
        && channels(conv.channels_in)
        && channels(conv.channels_out)
        && conv.out_height() >= 3
        && conv.out_width() >= 3
        && !is_exact()
}

/// 4×4 squares of one side's pixels, each with its 6×6 surroundings on the other side.
#[derive(Clone, Copy)]
struct Tiles {
    batch: usize,
    /// Tiles down and across an image.
    down: usize,
    across: usize,
}

impl Tiles {
    fn new(conv: &Conv) -> Self {
        Self {
            batch: conv.batch,
            down: conv.out_height().div_ceil(SIDE),
            across: conv.out_width().div_ceil(SIDE),
        }
    }

    fn count(self) -> usize {
        self.batch * self.down * self.across
    }

    /// The image, line and column of a tile's first output.
    fn origin(self, tile: usize) -> (usize, usize, usize) {
        let (line, column) = (tile / self.across, tile % self.across);
        (line / self.down, line % self.down * SIDE, column * SIDE)
    }
}

/// One side's images, as squares of pixels: `N` pixels a side, beginning `before` pixels up and left of a
/// tile's first output. Places outside the image are none.
#[derive(Clone, Copy)]
struct Squares {
    height: usize,
    width: usize,
    channels: usize,
    before: usize,
}

impl Squares {
    /// Where each pixel of a tile's square begins.
    fn places<const N: usize, const NN: usize>(&self, tiles: Tiles, tile: usize) -> [Option<usize>; NN] {
        let (image, top, left) = tiles.origin(tile);
        let mut places = [None; NN];
        for (i, place) in places.iter_mut().enumerate() {
            let line = (top + i / N).checked_sub(self.before).filter(|&line| line < self.height);
            let column = (left + i % N).checked_sub(self.before).filter(|&column| column < self.width);
            *place = line
                .zip(column)
                .map(|(line, column)| ((image * self.height + line) * self.width + column) * self.channels);
        }
        places
    }

    /// The same as addresses in `pixels`; `zeros` stands for what lies outside.
    fn pointers<const N: usize, const NN: usize>(
        &self,
        tiles: Tiles,
        tile: usize,
        pixels: &[f32],
        zeros: &[f32],
    ) -> [*const f32; NN] {
        self.places::<N, NN>(tiles, tile)
            .map(|place| place.map_or(zeros.as_ptr(), |place| pixels[place..][..self.channels].as_ptr()))
    }
}

/// The squares a convolution reads.
fn inputs(conv: &Conv) -> Squares {
    Squares { height: conv.height, width: conv.width, channels: conv.channels_in, before: conv.padding }
}

/// The squares it writes.
fn outputs(conv: &Conv) -> Squares {
    Squares { height: conv.out_height(), width: conv.out_width(), channels: conv.channels_out, before: 0 }
}

/// Floats from one point's matrix of `rows` × `channels` to the next: one cache line more than it takes,
/// or 36 of them would compete for the same set of the first-level cache.
fn point_stride(rows: usize, channels: usize) -> usize {
    rows * channels + 16
}

pub(crate) use forward::{convolve, turned};
pub(crate) use gradient::weight_gradient;
