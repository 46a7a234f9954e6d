//! The distributions that the tests are made of. `statrs` computes them; here is what it lacks, and what happens at the
//! ends.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};
use statrs::function::{beta, erf, gamma};

/// P(|T| ≥ |`t`|) of Student's t with `df` degrees of freedom, with full relative precision in the tails:
/// I(df/(df + t²); df/2, 1/2), the regularised incomplete beta function (Abramowitz & Stegun 1964, 26.7.1 and 26.5.27).
pub(crate) fn t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() { 0.0 } else { beta::beta_reg(df / 2.0, 0.5, df / (df + t * t)) }
}

/// The t with P(|T| ≥ t) = `alpha`; infinite without a degree of freedom.
pub(crate) fn t_critical(alpha: f64, df: f64) -> f64 {
    if df < 1.0 {
        return f64::INFINITY;
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::INFINITY, |t| t.inverse_cdf(1.0 - alpha / 2.0))
}

/// The x with P(χ² ≤ x) = `p`, with `df` degrees of freedom.
pub(crate) fn chi_squared_quantile(p: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(f64::NAN, |chi| chi.inverse_cdf(p))
}

/// Φ(z) of the normal distribution, to 1e-10.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * erf::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// P(X ≤ `k`) of `n` fair coins: I(1/2; n - k, k + 1) (Abramowitz & Stegun 1964, 26.5.24).
pub(crate) fn coins_at_most(k: u64, n: u64) -> f64 {
    if k >= n { 1.0 } else { beta::beta_reg((n - k) as f64, (k + 1) as f64, 0.5) }
}

/// Places and weights of Gauss's quadrature with five points on [-1, 1] (Abramowitz & Stegun 1964, table 25.4).
const GAUSS: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];
/// The most pieces that the range of the quadrature is cut into.
const MOST_PIECES: f64 = 4000.0;

/// P(|T| ≥ `critical`) of the noncentral t with `df` degrees of freedom: T = (Z + δ)/U with Z normal, U² = χ²/df, so the
/// integral over U's density of Φ(δ - cu) + Φ(-δ - cu) (Johnson, Kotz & Balakrishnan 1995, chapter 31). By quadrature:
/// no series has to be chosen by the size of δ, and Φ's 1e-10 is what limits it.
pub(crate) fn noncentral_t_two_sided(critical: f64, df: f64, noncentrality: f64) -> f64 {
    if critical.is_infinite() {
        return 0.0;
    }
    // U has about the standard deviation 1/√(2 df); what lies ten of them away is below 1e-13.
    let reach = 10.0 / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let log_scale = std::f64::consts::LN_2 + df / 2.0 * libm::log(df / 2.0) - gamma::ln_gamma(df / 2.0);
    let value = |u: f64| {
        let density = libm::exp(log_scale + (df - 1.0) * libm::log(u) - df * u * u / 2.0);
        density * (normal_cdf(noncentrality - critical * u) + normal_cdf(-noncentrality - critical * u))
    };
    // A piece is short beside both scales: the density's, and that on which Φ goes from 0 to 1.
    let piece = (reach / 10.0).min(0.8 / critical);
    let pieces = ((high - low) / piece).ceil().min(MOST_PIECES);
    let half = (high - low) / pieces / 2.0;
    let middles = (0..pieces as u32).map(|piece| low + half * (2.0 * f64::from(piece) + 1.0));
    let sum: f64 =
        middles.flat_map(|middle| GAUSS.map(|(at, weight)| weight * value(middle + half * at))).sum();
    (half * sum).min(1.0)
}
