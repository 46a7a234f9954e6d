//! Convolutions by minimal filtering: a 4×4 square of outputs of a filter with r×r taps takes (r + 3)² multiplications
//! a pair of channels, F(4×4, r×r), where the direct sum takes 16·r² (Winograd 1980; Lavin & Gray 2016).
//!
//! Inputs, weights and outputs are carried to interpolation points; at each point the convolution is a plain product
//! over channels. The data gradient is the same with the weights turned round; the weight gradient is the adjoint, a
//! sum of outer products at each point.
//!
//! At stride 2 the pixels fall into four phases, by the parity of line and column, and a phase meets the taps of one
//! parity only: it is a convolution at stride 1, and the output is the sum over phases. Of 3 taps along an axis
//! the outer two make the first phase, the inner one the second. All phases share the points of F(4, 2); at infinity a
//! single tap is zero, which leaves 81 multiplications of 144.
//!
//! In f32 the error is about twice the direct sum's (`points` says why these). [`set_exact`] turns all of this off.

mod forward;
mod gradient;
mod points;
mod stem;
mod transform;
mod weights;

use crate::Buffer;
use crate::conv::Conv;
use crate::finish::Finish;
use crate::moments::Partial;
use points::{Four, Line, Three, Two};
use std::sync::atomic::{AtomicBool, Ordering};

/// Outputs along one side of a tile.
const SIDE: usize = 4;

static EXACT: AtomicBool = AtomicBool::new(false);

/// Compute every convolution by direct sums (`true`), or by Winograd's method where it pays
/// (`false`, the default). One setting for the process; change it between steps, not during one.
pub fn set_exact(exact: bool) {
    EXACT.store(exact, Ordering::Relaxed);
}

/// What [`set_exact`] was last told.
#[must_use]
pub fn is_exact() -> bool {
    EXACT.load(Ordering::Relaxed)
}

/// What is computed of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Forward,
    DataGradient,
    WeightGradient,
}

/// The kinds of convolutions that go this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// 3×3 at stride 1.
    Stride1,
    /// 3×3 at stride 2.
    Stride2,
    /// 7×7 at stride 2 with a few channels: 4×4 on the phases as channels ([`stem`]).
    Stem,
}

/// Whether a convolution goes this way: channels in whole vectors of every instruction set, and enough
/// of them to pay for the transforms.
pub(crate) fn suits(conv: &Conv, pass: Pass) -> bool {
    way(conv, pass).is_some()
}

fn way(conv: &Conv, pass: Pass) -> Option<Way> {
    let channels = |count: usize| count >= 32 && count.is_multiple_of(16);
    let large = conv.out_height() >= 3 && conv.out_width() >= 3;
    if is_exact() || !large || !channels(conv.channels_out) {
        return None;
    }
    // At stride 2 the weights at all points take their time, whatever the number of tiles. How a forward pass goes must
    // not depend on the batch: an image's values have the same bits in any.
    let tiles = conv.out_height().div_ceil(SIDE) * conv.out_width().div_ceil(SIDE);
    let many = if pass == Pass::WeightGradient { conv.batch * tiles >= 256 } else { tiles >= 32 };
    match (conv.kernel, conv.stride, conv.padding) {
        (3, 1, ..=2) if channels(conv.channels_in) => Some(Way::Stride1),
        (3, 2, 1) if channels(conv.channels_in) && many => Some(Way::Stride2),
        (7, 2, 3) if conv.channels_in <= stem::MOST_CHANNELS && pass != Pass::DataGradient => Some(Way::Stem),
        _ => None,
    }
}

/// The output of `conv`, finished and written by `finish`; `moments` asks for the statistics of what is written.
///
/// # Safety
/// `finish` must describe an output (and addend) of the convolution's shape that nobody else uses.
pub(crate) unsafe fn forward(
    conv: &Conv,
    x: &[f32],
    w: &[f32],
    finish: Finish<'_>,
    moments: bool,
) -> Partial {
    let plan = Plan::new(conv, Pass::Forward);
    // SAFETY: promised by the caller.
    unsafe {
        if plan.way == Way::Stem {
            return forward::convolve(
                &plan,
                &stem::pixels(conv, x),
                &stem::weights(conv, w),
                finish,
                moments,
            );
        }
        forward::convolve(&plan, x, w, finish, moments)
    }
}

/// The gradient of the input.
///
/// # Safety
/// `finish` must describe an output of the input's shape that nobody else uses.
pub(crate) unsafe fn data_gradient(conv: &Conv, dy: &[f32], w: &[f32], finish: Finish<'_>) {
    let turned = weights::turned(w, conv.channels_in, conv.channels_out);
    // SAFETY: promised by the caller.
    unsafe { forward::convolve(&Plan::new(conv, Pass::DataGradient), dy, &turned, finish, false) };
}

/// `[k, k, C_in, C_out]` from `x` and `dy`.
pub(crate) fn weight_gradient(conv: &Conv, x: &[f32], dy: &[f32]) -> Buffer {
    let plan = Plan::new(conv, Pass::WeightGradient);
    if plan.way == Way::Stem {
        return stem::weight_gradient(conv, &gradient::weight_gradient(&plan, &stem::pixels(conv, x), dy));
    }
    gradient::weight_gradient(&plan, x, dy)
}

/// How one pass over a convolution goes: 4×4 squares on the side of `to`, each with its surroundings on that of
/// `from`.
#[derive(Debug, Clone, Copy)]
struct Plan {
    way: Way,
    /// Points along one axis.
    points: usize,
    batch: usize,
    /// Tiles down and across an image.
    down: usize,
    across: usize,
    from: Side,
    to: Side,
}

/// The images that a pass reads, or those that it writes.
#[derive(Debug, Clone, Copy)]
struct Side {
    height: usize,
    width: usize,
    /// Floats of a pixel, in whole vectors, and how many of them are channels.
    pixel: usize,
    channels: usize,
    /// Lines of pixels from one line of a phase to the next, and columns.
    step: usize,
    /// The line of pixels that is a phase's first, and the column: of the outer taps' phase, and of the inner tap's.
    shift: [isize; 2],
    /// One, or four: outer-outer, outer-inner (line-column), inner-outer, inner-inner.
    phases: usize,
}

impl Plan {
    /// # Panics
    /// When the convolution does not suit.
    fn new(conv: &Conv, pass: Pass) -> Self {
        let way = way(conv, pass).unwrap_or_else(|| panic!("{conv:?} has no tiles"));
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
        let (from, to) = match (way, pass) {
            (Way::Stride1, Pass::DataGradient) => (Side { shift: [padding - 2; 2], ..output }, input),
            (Way::Stride1, _) => (Side { shift: [-padding; 2], ..input }, output),
            // Pixel 2j + 1 met the outer taps of outputs j and j + 1, pixel 2j the inner one of output j.
            (Way::Stride2, Pass::DataGradient) => {
                (output, Side { step: 2, shift: [1, 0], phases: 4, ..input })
            }
            // Output j meets pixels 2j − 1 and 2j + 1 with the outer taps, 2j with the inner one.
            (Way::Stride2, _) => (Side { step: 2, shift: [-1, 0], phases: 4, ..input }, output),
            (Way::Stem, _) => (stem::side(conv), output),
        };
        let points = match way {
            Way::Stride1 => Three::POINTS,
            Way::Stride2 => Two::POINTS,
            Way::Stem => Four::POINTS,
        };
        let tiles = |pixels: usize| pixels.div_ceil(to.step).div_ceil(SIDE);
        Self { way, points, batch: conv.batch, down: tiles(to.height), across: tiles(to.width), from, to }
    }

    fn tiles(&self) -> usize {
        self.batch * self.down * self.across
    }

    /// The image, and line and column in each phase, where a tile begins.
    fn origin(&self, tile: usize) -> (usize, usize, usize) {
        let (line, column) = (tile / self.across, tile % self.across);
        (line / self.down, line % self.down * SIDE, column * SIDE)
    }

    /// Taps along an axis of the filter, all phases together.
    fn kernel(&self) -> usize {
        if self.way == Way::Stem { Four::TAPS } else { Three::TAPS }
    }

    /// Taps of the filter.
    fn taps(&self) -> usize {
        self.kernel() * self.kernel()
    }

    /// Which of them is tap (`y`, `x`) of a phase.
    fn tap(&self, phase: usize, y: usize, x: usize) -> usize {
        let apart = if self.way == Way::Stride2 { 2 } else { 1 };
        let [down, across] = inner(phase);
        (y * apart + down) * self.kernel() + x * apart + across
    }

    /// Points in both axes together.
    fn squares(&self) -> usize {
        self.points * self.points
    }

    /// Whether a phase is more than zero at a point: a single tap is zero at infinity, the last point of its axis.
    fn has(&self, phase: usize, point: usize) -> bool {
        let finite = |point: usize| point + 1 < self.points;
        let [down, across] = inner(phase);
        (down == 0 || finite(point / self.points)) && (across == 0 || finite(point % self.points))
    }

    /// Those of so many phases that are.
    fn phases_at(&self, point: usize, phases: usize) -> impl Iterator<Item = usize> {
        (0..phases).filter(move |&phase| self.has(phase, point))
    }

    /// How many pairs of a point and one of a side's phases there are.
    fn pairs(&self, side: &Side) -> usize {
        (0..self.squares()).map(|point| self.phases_at(point, side.phases).count()).sum()
    }

    /// Tell `found` of every pixel of a phase in a square of a tile, `high` lines and `wide` columns, that lies in the
    /// image: its number in the square, and where it begins.
    #[inline(always)]
    fn square(
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
    fn pointers<const COUNT: usize>(
        &self,
        phase: usize,
        tile: usize,
        square: (usize, usize),
        (pixels, zeros): (&[f32], &[f32]),
    ) -> [*const f32; COUNT] {
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

/// Call a method once for each phase of a side, with the kinds of lines down and across its tiles and its number.
macro_rules! each_phase {
    ($plan:expr, $phases:expr, $this:ident.$method:ident::<$simd:ident>($($argument:expr),*)) => {{
        use crate::winograd::points::{Four, One, Three, Two};
        match ($plan.way, $phases) {
            (Way::Stride1, _) => $this.$method::<$simd, Three, Three>(0, $($argument),*),
            (Way::Stem, _) => $this.$method::<$simd, Four, Four>(0, $($argument),*),
            (Way::Stride2, 1) => $this.$method::<$simd, Two, Two>(0, $($argument),*),
            (Way::Stride2, _) => {
                $this.$method::<$simd, Two, Two>(0, $($argument),*);
                $this.$method::<$simd, Two, One>(1, $($argument),*);
                $this.$method::<$simd, One, Two>(2, $($argument),*);
                $this.$method::<$simd, One, One>(3, $($argument),*);
            }
        }
    }};
}
use each_phase;

/// Floats from one point's matrix of `rows` × `channels` to the next: one cache line more than it takes,
/// or dozens of them would compete for the same set of the first-level cache.
fn point_stride(rows: usize, channels: usize) -> usize {
    rows * channels + 16
}
