//! How many pairs a verdict needs.

use crate::boundary::Boundary;
use crate::distributions::{chi_squared_quantile, noncentral_t_two_sided};
use crate::paired::Paired;

/// The power that numbers of pairs are planned with.
pub const POWER: f64 = 0.8;
/// The confidence with which the deviation is below what plans assume.
const CAUTION: f64 = 0.8;
/// The most pairs that are planned.
pub const MOST_PAIRS: usize = 100_000;

/// The chance that `pairs` pairs pass the boundary where the mean difference is `effect` standard deviations of a difference:
/// P(|T| ≥ critical) of the noncentral t with ν = n - 1 and noncentrality √n·effect (Cohen 1988, chapter 2; statsmodels'
/// `TTestPower`). Of an anytime boundary, to be beyond it at `pairs`, less than to have crossed it by then.
#[must_use]
pub fn power(boundary: Boundary, pairs: usize, effect: f64, alpha: f64) -> f64 {
    if pairs < 2 {
        return 0.0;
    }
    let n = pairs as f64;
    noncentral_t_two_sided(boundary.critical(pairs, alpha), n - 1.0, n.sqrt() * effect.abs())
}

/// The fewest pairs with a power of [`POWER`]; none up to [`MOST_PAIRS`].
#[must_use]
pub fn pairs_needed(boundary: Boundary, effect: f64, alpha: f64) -> Option<usize> {
    let enough = |pairs: usize| power(boundary, pairs, effect, alpha) >= POWER;
    // With so few the effect is at most 1.4 standard errors: a power of .8 would take an α above .5.
    let mut low = (1.4 / effect.abs()).powi(2).min(MOST_PAIRS as f64) as usize;
    let mut high = low + 2;
    while !enough(high) {
        low = high;
        high += high.div_ceil(3);
        if high > MOST_PAIRS {
            return None;
        }
    }
    // The power rises with the pairs: the least number is between the last two.
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// The upper limit of the differences' standard deviation with confidence .8: s·√(ν/χ²), χ² the .2 quantile with ν = n - 1
/// (Browne 1995, for sample sizes from pilots). A plan with s itself falls short in half of all trials.
#[must_use]
pub fn cautious_deviation(paired: &Paired) -> f64 {
    let freedom = paired.freedom();
    paired.deviation() * (freedom / chi_squared_quantile(1.0 - CAUTION, freedom)).sqrt()
}

/// How many pairs more the trial needs to see a difference of `delta` in four cases of five, if there is one. Not of the
/// difference seen: that would promise a verdict on whatever chance showed. The trial has been looked at, so what is added is
/// judged by [`Boundary::Anytime`]. At least 1; None if it takes more than [`MOST_PAIRS`].
#[must_use]
pub fn more_pairs(paired: &Paired, delta: f64, alpha: f64) -> Option<usize> {
    let deviation = cautious_deviation(paired);
    if paired.count() < 2 || delta <= 0.0 {
        return None;
    }
    // Without any spread the least number that can pass the boundary does.
    let effect = if deviation > 0.0 { (delta / deviation).min(1e6) } else { 1e6 };
    let needed = pairs_needed(Boundary::Anytime, effect, alpha)?;
    Some(needed.saturating_sub(paired.count()).max(1))
}
