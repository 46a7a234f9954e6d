//! The normal distribution cut off at both ends, in logarithms, so that tails keep their digits (as Optuna computes it).

use libm::{erf, erfc, exp, expm1, log, log1p};
use std::f64::consts::{PI, SQRT_2};

/// Half the logarithm of 2π.
const LOG_ROOT_TAU: f64 = 0.918_938_533_204_672_8;

/// Beyond it lies less than 1e-18 of the probability on either side.
const WHOLE: f64 = 9.0;

/// What lies beyond `x` < 0, as a part of the whole.
fn tail(x: f64) -> f64 {
    if x < -WHOLE { 0.0 } else { below(x) }
}

/// The logarithm of the density at `x`.
pub fn log_density(x: f64) -> f64 {
    -x * x / 2.0 - LOG_ROOT_TAU
}

/// The probability of less than `x`.
fn below(x: f64) -> f64 {
    let scaled = x / SQRT_2;
    if scaled < -1.0 / SQRT_2 {
        0.5 * erfc(-scaled)
    } else if scaled < 1.0 / SQRT_2 {
        0.5 + 0.5 * erf(scaled)
    } else {
        1.0 - 0.5 * erfc(scaled)
    }
}

/// Its logarithm.
fn log_below(x: f64) -> f64 {
    if x > 6.0 {
        return -below(-x);
    }
    if x > -20.0 {
        return log(below(x));
    }
    // The asymptotic series of erfc.
    let (mut sum, mut before, mut term) = (1.0_f64, 0.0, 1.0);
    let mut i = 0.0;
    while (sum - before).abs() > f64::EPSILON {
        i += 1.0;
        before = sum;
        term *= -(2.0 * i - 1.0) / (x * x);
        sum += term;
    }
    -0.5 * x * x - log(-x) - LOG_ROOT_TAU + log(sum)
}

/// The logarithm of the sum of two numbers, from their logarithms.
fn log_sum(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if large == f64::NEG_INFINITY { large } else { large + log1p(exp(small - large)) }
}

/// The logarithm of the probability of `a` to `b`, where `a` < `b`.
pub fn log_mass(a: f64, b: f64) -> f64 {
    // In the right tail the digits are lost: it is the left one, mirrored.
    let left = |a: f64, b: f64| {
        let (low, high) = (log_below(a), log_below(b));
        high + log1p(-exp(low - high))
    };
    if b <= 0.0 {
        left(a, b)
    } else if a > 0.0 {
        left(-b, -a)
    } else {
        log1p(-tail(a) - tail(-b))
    }
}

/// The `x` below which the probability has the logarithm `y`, by Newton's method.
fn log_quantile(y: f64) -> f64 {
    let flipped = y > -1e-2;
    let z = if flipped { log(-expm1(y)) } else { y };
    let mut x = if z < -5.0 {
        -(-2.0 * (z + LOG_ROOT_TAU)).sqrt()
    } else {
        // By the logistic distribution.
        -(3.0_f64.sqrt() / PI) * log(expm1(-z))
    };
    for _ in 0..100 {
        let found = log_below(x);
        let step = (found - z) * exp(found - log_density(x));
        x -= step;
        if step.abs() < 1e-8 * x.abs() {
            break;
        }
    }
    if flipped { -x } else { x }
}

/// The point of `[a, b]` below which the share `q` of the probability between them lies.
pub fn quantile(q: f64, a: f64, b: f64) -> f64 {
    if q <= 0.0 {
        return a;
    }
    if q >= 1.0 {
        return b;
    }
    let mass = log_mass(a, b);
    let found = if a < 0.0 {
        log_quantile(log_sum(log_below(a), log(q) + mass))
    } else {
        -log_quantile(log_sum(log_below(-b), log1p(-q) + mass))
    };
    found.clamp(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    /// The quantile of a share is where the mass is that share.
    #[test]
    fn quantile_and_mass_are_inverse() {
        for (a, b) in [(-1.0, 1.0), (-8.0, -5.0), (3.0, 9.0), (-0.001, 30.0), (-40.0, -30.0), (0.0, 0.5)] {
            for share in [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999] {
                let x = quantile(share, a, b);
                let found = exp(log_mass(a, x) - log_mass(a, b));
                assert!((found - share).abs() < 1e-7, "{share} of {a} to {b}: {x}, {found}");
            }
        }
        assert_eq!((quantile(0.0, -2.0, 1.0), quantile(1.0, -2.0, 1.0)), (-2.0, 1.0));
        assert!((log_mass(0.0, 40.0) + LN_2).abs() < 1e-12);
    }
}
