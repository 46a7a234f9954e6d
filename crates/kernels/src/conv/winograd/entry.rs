//! The three passes over a convolution.

use super::choice::{Direction, Variant};
use super::convolve::convolve;
use super::plan::Plan;
use super::{gradient, stem, weights};
use crate::conv::Conv;
use crate::epilogue::Store;
use crate::norm::BlockMoments;
use wellfit_simd::{Buffer, Element};

/// The output of `conv`, stored by `store`; `moments` asks for the statistics of what is written.
///
/// # Safety
/// `store` must describe an output (and addend) of the convolution's shape that nobody else uses.
pub(crate) unsafe fn forward<E: Element>(
    conv: &Conv,
    x: &[E],
    w: &[f32],
    store: Store<'_, E>,
    moments: bool,
) -> BlockMoments {
    let plan = Plan::new::<E>(conv, Direction::Forward);
    let w = &E::rounded(w);
    // SAFETY: promised by the caller.
    unsafe {
        if plan.variant == Variant::Stem {
            return convolve(&plan, &stem::pixels(conv, x), &stem::weights(conv, w), store, moments);
        }
        convolve(&plan, x, w, store, moments)
    }
}

/// The gradient of the input.
///
/// # Safety
/// `store` must describe an output of the input's shape that nobody else uses.
pub(crate) unsafe fn data_gradient<E: Element>(conv: &Conv, dy: &[E], w: &[f32], store: Store<'_, E>) {
    let turned = weights::turned(&E::rounded(w), conv.channels_in, conv.channels_out);
    // SAFETY: promised by the caller.
    unsafe { convolve(&Plan::new::<E>(conv, Direction::DataGradient), dy, &turned, store, false) };
}

/// `[k, k, C_in, C_out]` from `x` and `dy`.
pub(crate) fn weight_gradient<E: Element>(conv: &Conv, x: &[E], dy: &[E]) -> Buffer {
    let plan = Plan::new::<E>(conv, Direction::WeightGradient);
    if plan.variant == Variant::Stem {
        return stem::weight_gradient(conv, &gradient::weight_gradient(&plan, &stem::pixels(conv, x), dy));
    }
    gradient::weight_gradient(&plan, x, dy)
}
