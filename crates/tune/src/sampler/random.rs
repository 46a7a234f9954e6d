//! Values at random, evenly over the range or over its logarithm.

use crate::distribution::Distribution;
use libm::{exp, log};
use wellfit_rng::Rng;

/// A value of the distribution.
pub fn draw(distribution: &Distribution, rng: &mut Rng) -> f64 {
    let last = distribution.last();
    match *distribution {
        Distribution::Categorical { ref choices } => f64::from(rng.below(choices.len() as u32)),
        Distribution::Float { step: Some(step), low, .. } => stepped(low, last, step, rng),
        Distribution::Float { low, high, log: is_log, .. } => {
            let value =
                if is_log { exp(rng.uniform_f64(log(low), log(high))) } else { rng.uniform_f64(low, high) };
            value.clamp(low, high)
        }
        Distribution::Int { low, step, log: false, .. } => stepped(low as f64, last, step as f64, rng),
        Distribution::Int { low, .. } => {
            // As wide a share for each number as it has of the logarithm.
            let value = exp(rng.uniform_f64(log(low as f64 - 0.5), log(last + 0.5)));
            value.round_ties_even().clamp(low as f64, last)
        }
    }
}

fn stepped(low: f64, last: f64, step: f64, rng: &mut Rng) -> f64 {
    let steps = ((last - low) / step).round();
    // Ranges of more than 2^32 steps are drawn a little coarser.
    let place = (rng.uniform_f64(0.0, steps + 1.0)).floor().min(steps);
    low + place * step
}
