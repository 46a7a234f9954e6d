//! The exact sign-flip test: were the technique nothing, each difference would as likely have the other sign.

use crate::error::ProofError;
use crate::paired::Paired;
use wellfit_rng::{Rng, Stream};

/// The most pairs of which all 2ⁿ signs are counted; above, signs are drawn.
pub const MOST_EXACT: usize = 32;
/// Draws where there are too many signs to count.
pub const DRAWS: u32 = 100_000;
/// Sums nearer than this share of Σ|d| are equal: those of the same numbers in another order differ by rounding.
const TIE: f64 = 1e-12;

/// The two-sided p-value of the sign-flip test (Fisher 1935, *The Design of Experiments*, §21; scipy's
/// `permutation_test(permutation_type="samples")`): the share of the 2ⁿ ways to sign the differences whose |Σ| is at least
/// the one seen. It assumes only that a difference is as likely to be d as -d under the null. At least 2/2ⁿ, so five pairs
/// cannot reach .05.
///
/// Up to [`MOST_EXACT`] pairs all ways are counted, in about 2^(n/2) steps: the sums of each half are sorted, and for each
/// of one half those of the other that reach far enough are found (Horowitz & Sahni 1974, there for subset sums). Above,
/// [`DRAWS`] ways are drawn, the same each time, and the one seen is counted among them, which keeps the test valid
/// (Phipson & Smyth 2010).
#[must_use]
pub fn sign_flip_p(paired: &Paired) -> f64 {
    // Scaled, so that no sum overflows or vanishes. Zeros change no sum, whichever sign they have.
    let largest = paired.differences().iter().fold(0.0_f64, |largest, d| largest.max(d.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let scaled: Vec<f64> = paired.differences().iter().map(|d| d / largest).filter(|d| *d != 0.0).collect();
    let total: f64 = scaled.iter().map(|d| d.abs()).sum();
    let seen = scaled.iter().sum::<f64>().abs() - TIE * total;
    if scaled.len() <= MOST_EXACT { exact(&scaled, seen) } else { drawn(&scaled, seen) }
}

/// The share of all signs with |Σ| ≥ `seen`.
fn exact(values: &[f64], seen: f64) -> f64 {
    if seen <= 0.0 {
        return 1.0;
    }
    // The sums of half the values stand in order, and with each also its negative: so Σ ≥ seen and Σ ≤ -seen are as many.
    let (left, right) = values.split_at(values.len() / 2);
    let (left, right) = (sums(left), sums(right));
    let mut from = right.len();
    let mut reached = 0_u64;
    for sum in &left {
        while from > 0 && sum + right[from - 1] >= seen {
            from -= 1;
        }
        reached += (right.len() - from) as u64;
    }
    2.0 * reached as f64 / (left.len() as f64 * right.len() as f64)
}

/// Σ ± v for all signs, in rising order.
fn sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums.iter().flat_map(|sum| [sum - value, sum + value]).collect();
    }
    sums.sort_by(f64::total_cmp);
    sums
}

fn drawn(values: &[f64], seen: f64) -> f64 {
    let reached = (0..DRAWS).filter(|&draw| {
        let mut rng = Rng::new(0, Stream::Bootstrap, 0, draw);
        let mut bits = 0;
        let sum: f64 = values
            .iter()
            .enumerate()
            .map(|(place, value)| {
                if place % 32 == 0 {
                    bits = rng.next_u32();
                }
                let minus = (bits >> (place % 32)) & 1 == 1;
                if minus { -value } else { *value }
            })
            .sum();
        sum.abs() >= seen
    });
    (1 + reached.count()) as f64 / f64::from(1 + DRAWS)
}

/// The fewest pairs of which the sign-flip test can reach a p-value of `alpha`: the least n with 2/2ⁿ ≤ α; 6 for .05.
///
/// # Errors
/// If `alpha` is not between 0 and 1.
pub fn fewest_pairs(alpha: f64) -> Result<usize, ProofError> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(ProofError::Invalid {
            key: "alpha".to_owned(),
            value: alpha.to_string(),
            expected: "a number above 0 and below 1, such as 0.05".to_owned(),
        });
    }
    Ok((1..1100).find(|&pairs| 2.0_f64.powi(1 - pairs) <= alpha).unwrap_or(1100) as usize)
}
