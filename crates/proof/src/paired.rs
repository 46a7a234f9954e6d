//! Differences of pairs: their mean, how sure it is, who won.

use crate::distributions::{t_critical, t_two_sided};
use crate::error::{ProofError, require_finite};
use wellfit_policy::classification::Interval;

/// The differences of a technique's pairs, treated minus baseline, one a seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    differences: Vec<f64>,
    mean: f64,
    deviation: f64,
}

/// Seeds that the technique won, lost and tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// The treated arm has the larger result.
    pub above: usize,
    /// The treated arm has the smaller result.
    pub below: usize,
    /// The results are equal.
    pub tied: usize,
}

impl Paired {
    /// From differences.
    ///
    /// # Errors
    /// If there are none, or one is not finite.
    pub fn new(differences: Vec<f64>) -> Result<Self, ProofError> {
        require_finite("the difference of pair", &differences)?;
        if differences.is_empty() {
            return Err(ProofError::NoPairs { what: "differences".to_owned() });
        }
        let count = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / count;
        // Two passes: the square of a mean taken off a mean of squares would lose the digits that matter.
        let squares: f64 = differences.iter().map(|value| (value - mean).powi(2)).sum();
        let equal = differences.iter().all(|value| *value == differences[0]);
        let deviation = match differences.len() {
            1 => f64::INFINITY,
            _ if equal => 0.0,
            _ => (squares / (count - 1.0)).sqrt(),
        };
        Ok(Self { mean: if equal { differences[0] } else { mean }, deviation, differences })
    }

    /// From the results of the two arms, seed by seed.
    ///
    /// # Errors
    /// If the arms have not the same number of results, none at all, or one that is not finite.
    pub fn of_arms(baseline: &[f64], treated: &[f64]) -> Result<Self, ProofError> {
        if baseline.len() != treated.len() {
            return Err(ProofError::Length {
                what: "results of the treated arm".to_owned(),
                expected: baseline.len(),
                found: treated.len(),
            });
        }
        require_finite("the baseline's result of pair", baseline)?;
        require_finite("the treated arm's result of pair", treated)?;
        Self::new(treated.iter().zip(baseline).map(|(treated, baseline)| treated - baseline).collect())
    }

    /// The differences.
    #[must_use]
    pub fn differences(&self) -> &[f64] {
        &self.differences
    }

    /// How many pairs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.differences.len()
    }

    /// Degrees of freedom of the deviation: pairs - 1.
    pub(crate) fn freedom(&self) -> f64 {
        self.count() as f64 - 1.0
    }

    /// The mean difference.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of the differences (divided by pairs - 1); infinite for a single pair, as nothing is known
    /// of it.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// The standard error of the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.deviation / (self.count() as f64).sqrt()
    }

    /// Student's t, mean over standard error (Student 1908; scipy's `ttest_1samp`). 0 where the mean is 0 or there is a
    /// single pair, infinite where all differences are equal.
    #[must_use]
    pub fn t(&self) -> f64 {
        if self.mean == 0.0 { 0.0 } else { self.mean / self.standard_error() }
    }

    /// The p-value of [`Self::t`], two-sided; 1 for a single pair.
    #[must_use]
    pub fn t_p(&self) -> f64 {
        if self.count() == 1 { 1.0 } else { t_two_sided(self.t(), self.freedom()) }
    }

    /// The interval in which the mean difference lies with confidence 1 - `alpha`, on these images: mean ± t·s/√n. The
    /// whole line for a single pair.
    #[must_use]
    pub fn t_interval(&self, alpha: f64) -> Interval {
        self.around(t_critical(alpha, self.freedom()))
    }

    /// Mean ± so many standard errors.
    pub(crate) fn around(&self, errors: f64) -> Interval {
        let half = match (self.count(), errors.is_infinite()) {
            (1, _) | (_, true) => f64::INFINITY,
            _ => errors * self.standard_error(),
        };
        Interval { low: self.mean - half, high: self.mean + half }
    }

    /// How many seeds went up, down and neither way.
    #[must_use]
    pub fn seeds(&self) -> Seeds {
        let count = |wanted: fn(&f64) -> bool| self.differences.iter().copied().filter(wanted).count();
        Seeds { above: count(|d| *d > 0.0), below: count(|d| *d < 0.0), tied: count(|d| *d == 0.0) }
    }

    /// The first `count` pairs, or all.
    ///
    /// # Errors
    /// If `count` is 0.
    pub fn first(&self, count: usize) -> Result<Self, ProofError> {
        Self::new(self.differences[..count.min(self.count())].to_vec())
    }
}

/// Pearson's correlation r of the two arms over the seeds (scipy's `pearsonr`): what pairing has to work with. None with
/// fewer than two seeds, or where an arm has the same result at every seed.
#[must_use]
pub fn correlation(baseline: &[f64], treated: &[f64]) -> Option<f64> {
    let count = baseline.len();
    if count < 2 || treated.len() != count {
        return None;
    }
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / count as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if constant(baseline) || constant(treated) {
        return None;
    }
    let (a, b) = (centred(baseline), centred(treated));
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let r = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}

/// How many times the pairs unpaired runs would need for the same standard error: 1/(1 - r), as the variance of a difference
/// is 2σ²(1 - r) in pairs and 2σ² without (Kendall & Stuart 1961; both arms vary alike). Infinite at r = 1; below 1 where
/// pairing did harm.
#[must_use]
pub fn saving(correlation: f64) -> f64 {
    1.0 / (1.0 - correlation)
}
