//! The gradients of a normalisation.

use super::coefficients::Coefficients;
use super::gradient_sums::{Passed, gradient_totals};
use super::input_gradient::InputGradient;
use super::moments::Statistics;
use crate::elementwise::widen;
use wellfit_simd::{Buffer, Element};

/// The gradients of a normalisation.
#[derive(Debug)]
pub struct Gradients {
    /// Of γ, `[C]`.
    pub gamma: Buffer,
    /// Of β, `[C]`.
    pub beta: Buffer,
    /// Of the input, still to be computed.
    pub input: InputGradient,
}

/// Backward through a normalisation whose statistics were the batch's (`batch` = true) or constants.
///
/// With `g` the gradient `dy` where it `passed` the ReLU, x̂ the normalised input and M the rows:
/// dγ = Σ g·x̂, dβ = Σ g, dx = γ/σ · (g − dβ/M − x̂·dγ/M), without the last two terms for constants.
///
/// With [`Passed`] given by an output, `dy` becomes `g`, which is also the gradient of a residual.
#[must_use]
pub fn backward<E: Element>(
    dy: &mut Buffer<E>,
    x: &[E],
    passed: Passed<'_, E>,
    gamma: &[f32],
    statistics: &Statistics,
    eps: f32,
    batch: bool,
) -> Gradients {
    let channels = gamma.len();
    let (sum, product) = gradient_totals(dy, x, passed, &statistics.mean);
    let (mut of_gamma, mut of_beta) = (Buffer::scratch(channels), Buffer::scratch(channels));
    let rows = (x.len() / channels) as f64;
    let inverse = statistics.inverse_std(eps);
    let mut coefficients = Coefficients::default();
    for c in 0..channels {
        let inverse = f64::from(inverse[c]);
        of_gamma[c] = (product[c] * inverse) as f32;
        of_beta[c] = sum[c] as f32;
        let scale = f64::from(gamma[c]) * inverse;
        let slope = if batch { -scale * inverse * inverse * product[c] / rows } else { 0.0 };
        let constant =
            if batch { -scale * sum[c] / rows - slope * f64::from(statistics.mean[c]) } else { 0.0 };
        coefficients.of_g.push(scale as f32);
        coefficients.of_x.push(slope as f32);
        coefficients.constant.push(constant as f32);
    }
    let mask = match passed {
        Passed::Affine(scale, shift) | Passed::Swish(_, scale, shift) => Some((widen(scale), widen(shift))),
        _ => None,
    };
    let swish = if let Passed::Swish(swish, ..) = passed { Some(swish) } else { None };
    Gradients { gamma: of_gamma, beta: of_beta, input: InputGradient::new(&coefficients, mask, swish) }
}
