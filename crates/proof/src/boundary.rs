//! How large |t| must be: for a number of pairs fixed beforehand, or at whatever time one looks.

use crate::distributions::t_critical;
use crate::paired::Paired;
use wellfit_policy::classification::Interval;

/// The variance of the effect under the alternative, in variances of a difference, that the e-value bets on. Effects of half a
/// standard deviation to several are found soon with 4.
pub const G: f64 = 4.0;

/// Which error is kept at α.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// That of one look at a number of pairs fixed beforehand: Student's t.
    Fixed,
    /// That of ever looking, after any pair: the confidence sequence of [`e_value`].
    Anytime,
}

impl Boundary {
    /// The |t| that `pairs` pairs must reach for α; infinite where none is enough.
    ///
    /// For [`Self::Anytime`], [`e_value`] ≥ 1/α solved for |t|: √(ν(c - 1)/(1 - c/(1 + ng))) with c = (√(1 + ng)/α)^(2/n) and
    /// ν = n - 1; no t suffices where c ≥ 1 + ng.
    #[must_use]
    pub fn critical(self, pairs: usize, alpha: f64) -> f64 {
        let (n, freedom) = (pairs as f64, pairs as f64 - 1.0);
        if pairs < 2 {
            return f64::INFINITY;
        }
        match self {
            Self::Fixed => t_critical(alpha, freedom),
            Self::Anytime => {
                let whole = 1.0 + n * G;
                let c = libm::pow(whole.sqrt() / alpha, 2.0 / n);
                if c >= whole { f64::INFINITY } else { (freedom * (c - 1.0) / (1.0 - c / whole)).sqrt() }
            }
        }
    }

    /// The interval of the mean difference with confidence 1 - `alpha`: mean ± critical·s/√n. Those of [`Self::Anytime`] hold
    /// the mean difference at all times together with that confidence, a confidence sequence.
    #[must_use]
    pub fn interval(self, paired: &Paired, alpha: f64) -> Interval {
        paired.around(self.critical(paired.count(), alpha))
    }
}

/// The evidence against "no difference" as an e-value: a fair bet's winnings, whose chance of ever reaching 1/α is at most α
/// under the null (Ville 1939), however often one looks and whenever one stops.
///
/// (1 + ng)^(-1/2)·[(1 + t²/ν)/(1 + t²/(ν(1 + ng)))]^(n/2) for n pairs, ν = n - 1: the ratio of the t statistic's likelihoods
/// with the effect drawn from N(0, [`G`]) and with none, the right-Haar prior for the deviation (Wang & Ramdas 2023,
/// arXiv:2310.03722; Perez-Ortiz, Lardy, de Heide & Grünwald 2024, arXiv:2208.07610). For differences that are normal. 1 for a
/// single pair.
#[must_use]
pub fn e_value(paired: &Paired) -> f64 {
    let n = paired.count() as f64;
    if paired.count() < 2 {
        return 1.0;
    }
    let whole = 1.0 + n * G;
    let x = paired.t().powi(2) / paired.freedom();
    let ratio = if x.is_infinite() { whole } else { (1.0 + x) / (1.0 + x / whole) };
    libm::pow(ratio, n / 2.0) / whole.sqrt()
}

/// The limit of [`e_value`] for |t| → ∞, which pairs that are all alike reach: (1 + ng)^((n - 1)/2).
pub(crate) fn largest_e_value(pairs: usize) -> f64 {
    let n = pairs as f64;
    libm::pow(1.0 + n * G, (n - 1.0) / 2.0)
}

/// Whether the mean difference is shown to be inside ±`delta`: two one-sided tests at `alpha` (Schuirmann 1987; statsmodels'
/// `ttost_paired`), that is, the interval with confidence 1 - 2α lies inside. At all times together, the confidence sequence
/// with 1 - α must: the two sides of one sequence share their error.
#[must_use]
pub fn equivalent(paired: &Paired, boundary: Boundary, delta: f64, alpha: f64) -> bool {
    let share = match boundary {
        Boundary::Fixed => 2.0 * alpha,
        Boundary::Anytime => alpha,
    };
    let interval = boundary.interval(paired, share);
    -delta < interval.low && interval.high < delta
}
