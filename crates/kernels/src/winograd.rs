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
//! In f32 the error is about twice the direct sum's, five times for the stem, whose sums are short (`points` has the
//! figures). [`Algorithm::Direct`] turns all of this off.

mod forward;
mod gradient;
mod plan;
mod points;
mod stem;
mod transform;
mod weights;

use crate::conv::{Algorithm, Conv};
use crate::finish::Finish;
use crate::moments::Partial;
use plan::Plan;
use wellfit_simd::Buffer;

/// Outputs along one side of a tile.
const SIDE: usize = 4;

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
    if conv.algorithm == Algorithm::Direct || !large || !channels(conv.channels_out) {
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
