//! Which convolutions are computed by Winograd's method, and in which of its variants.

use crate::conv::{Algorithm, Conv};
use wellfit_simd::Element;

/// Outputs along one side of a tile.
pub(super) const SIDE: usize = 4;

/// What is computed of a convolution, from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The output, from the input.
    Forward,
    /// The gradient of the input, from that of the output.
    DataGradient,
    /// The gradient of the weights, from the input and the gradient of the output.
    WeightGradient,
}

/// The kinds of convolutions that are computed by Winograd's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// 3×3 at stride 1.
    Stride1,
    /// 3×3 at stride 2.
    Stride2,
    /// 7×7 at stride 2 with a few channels: 4×4 on the phases as channels (`stem`).
    Stem,
}

/// Channels of four pixels fit in the shortest vector that every instruction set has whole.
const MOST_STEM_CHANNELS: usize = 4;

/// Whether a convolution is computed by Winograd's method in this direction.
pub(crate) fn suits<E: Element>(conv: &Conv, direction: Direction) -> bool {
    variant::<E>(conv, direction).is_some()
}

/// The variant that a convolution is computed by, if any: channels must come in whole vectors of every instruction set,
/// and enough of them to pay for the transforms.
pub(super) fn variant<E: Element>(conv: &Conv, direction: Direction) -> Option<Variant> {
    let channels = |count: usize| count >= 32 && count.is_multiple_of(16);
    let large = conv.out_height() >= 3 && conv.out_width() >= 3;
    if conv.algorithm == Algorithm::Direct || !large || !channels(conv.channels_out) {
        return None;
    }
    // At stride 2, reading the weights at all points costs the same whatever the number of tiles, so only many tiles
    // pay. The choice for a forward pass must not depend on the batch size: an image's values have the same bits in
    // any.
    let tiles = conv.out_height().div_ceil(SIDE) * conv.out_width().div_ceil(SIDE);
    let many = if direction == Direction::WeightGradient { conv.batch * tiles >= 256 } else { tiles >= 32 };
    // All of this is computed in f32. At stride 2 that saves less than instructions that multiply two numbers at once, but
    // for the stem's weights, whose direct sums would be packed for few products.
    let at_once = E::products_at_once();
    let direct = at_once > 1;
    match (conv.kernel, conv.stride, conv.padding) {
        // Nor does anything save enough where a matrix unit multiplies.
        _ if at_once > E::PER_LANE => None,
        (3, 1, ..=2) if channels(conv.channels_in) => Some(Variant::Stride1),
        _ if direct && (conv.kernel == 3 || direction == Direction::Forward) => None,
        (3, 2, 1) if channels(conv.channels_in) && many => Some(Variant::Stride2),
        (7, 2, 3) if conv.channels_in <= MOST_STEM_CHANNELS && direction != Direction::DataGradient => {
            Some(Variant::Stem)
        }
        _ => None,
    }
}
