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

/// The sums over all rows of a batch that its gradients need.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// Σ g of each channel.
    pub of_g: Vec<f64>,
    /// Σ g·(x − μ) of each channel.
    pub of_product: Vec<f64>,
    /// How many rows.
    pub rows: f64,
}

impl Sums {
    /// Those of `x` and the gradient `dy` behind it. With [`Passed`] given by an output, `dy` becomes `g`.
    #[must_use]
    pub fn new<E: Element>(dy: &mut Buffer<E>, x: &[E], passed: Passed<'_, E>, mean: &[f32]) -> Self {
        let (of_g, of_product) = gradient_totals(dy, x, passed, mean);
        Self { of_g, of_product, rows: (x.len() / mean.len()) as f64 }
    }
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
    let sums = Sums::new(dy, x, passed, &statistics.mean);
    backward_from((&sums, batch.then_some(&sums)), passed, gamma, statistics, eps)
}

/// The second half of [`backward`](backward()): from the sums over the rows here, and those over all rows that the
/// statistics are of, which may lie elsewhere in part (none for constants). dγ and dβ are of the rows here.
#[must_use]
pub fn backward_from<E: Element>(
    (own, all): (&Sums, Option<&Sums>),
    passed: Passed<'_, E>,
    gamma: &[f32],
    statistics: &Statistics,
    eps: f32,
) -> Gradients {
    let channels = gamma.len();
    let (mut of_gamma, mut of_beta) = (Buffer::scratch(channels), Buffer::scratch(channels));
    let inverse = statistics.inverse_std(eps);
    let mut coefficients = Coefficients::default();
    for c in 0..channels {
        let inverse = f64::from(inverse[c]);
        of_gamma[c] = (own.of_product[c] * inverse) as f32;
        of_beta[c] = own.of_g[c] as f32;
        let scale = f64::from(gamma[c]) * inverse;
        let (slope, constant) = all.map_or((0.0, 0.0), |Sums { of_g, of_product, rows }| {
            let slope = -scale * inverse * inverse * of_product[c] / rows;
            (slope, -scale * of_g[c] / rows - slope * f64::from(statistics.mean[c]))
        });
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
