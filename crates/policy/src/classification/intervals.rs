//! How far a figure may be from that of endless data: intervals of 95 %.

use super::confusion::{ClassScores, macro_f1};
use wellfit_rng::{Rng, Stream};

/// Resamples of the bootstrap.
pub const RESAMPLES: u32 = 1000;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The interval in which a figure lies with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Wilson's score interval of a share (Wilson 1927; statsmodels' `proportion_confint(method="wilson")`). Unlike the usual
/// normal one it stays within 0 and 1, and says something of a share of 100 %. NaN without samples.
///
/// ```
/// let interval = wellfit_policy::classification::wilson(10, 10);
/// assert!((interval.low - 0.7225).abs() < 1e-4 && interval.high == 1.0);
/// ```
#[must_use]
pub fn wilson(right: u64, samples: u64) -> Interval {
    let (n, share) = (samples as f64, right as f64 / samples as f64);
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    // The ends of these shares are 0 and 1 exactly; rounding must not move them.
    let low = if right == 0 { 0.0 } else { (centre - half) / whole };
    let high = if right == samples { 1.0 } else { (centre + half) / whole };
    if samples == 0 { Interval { low: f64::NAN, high: f64::NAN } } else { Interval { low, high } }
}

/// The percentile bootstrap's interval of macro-F1 (Efron 1979): the middle 95 % of its values on [`RESAMPLES`] samples of
/// the same size, drawn with replacement from `pairs` of (class, taken for). The same pairs and seed give the same
/// interval. NaN without samples.
#[must_use]
pub fn bootstrap_macro_f1(pairs: &[(u32, u32)], classes: usize, seed: u64) -> Interval {
    let Some(count) = u32::try_from(pairs.len()).ok().filter(|count| *count > 0) else {
        return Interval { low: f64::NAN, high: f64::NAN };
    };
    let value = |resample: u32| {
        let mut rng = Rng::new(seed, Stream::Bootstrap, 0, resample);
        let mut tallies = vec![[0_u64; 3]; classes];
        for _ in 0..count {
            let (class, predicted) = pairs[rng.below(count) as usize];
            tallies[class as usize][0] += 1;
            tallies[predicted as usize][1] += 1;
            tallies[class as usize][2] += u64::from(class == predicted);
        }
        let score = |[support, predicted, right]: [u64; 3]| ClassScores::new(support, predicted, right);
        macro_f1(&tallies.into_iter().map(score).collect::<Vec<_>>())
    };
    let mut values: Vec<f64> = (0..RESAMPLES).map(value).collect();
    values.sort_by(f64::total_cmp);
    Interval { low: quantile(&values, 0.025), high: quantile(&values, 0.975) }
}

/// A quantile of sorted values, between two of them by their distance (numpy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() as f64 - 1.0);
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
