//! The uncertainty of shares of right answers.

/// The standard error of a share of `count` answers: √(p(1-p)/n), with one right and one wrong answer more in it, so that a
/// share of 100 % has one, too (Agresti & Coull 1998, with two pseudo-answers).
///
/// ```
/// assert!((wellfit_diagnose::statistics::share_error(0.5, 98) - 0.05).abs() < 1e-12);
/// ```
#[must_use]
pub fn share_error(share: f64, count: u64) -> f64 {
    let count = count as f64;
    let share = (share * count + 1.0) / (count + 2.0);
    (share * (1.0 - share) / (count + 2.0)).sqrt()
}

/// The standard error of the difference of two independent figures with these errors.
#[must_use]
pub fn difference_error(one: f64, other: f64) -> f64 {
    libm::hypot(one, other)
}
