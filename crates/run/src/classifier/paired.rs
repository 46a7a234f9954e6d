//! The difference of two accuracies on the same images, with an interval.

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Two classifiers' answers to the same images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paired {
    /// Images.
    pub images: usize,
    /// Images that only the first got right.
    pub first_only: usize,
    /// Images that only the second got right.
    pub second_only: usize,
}

impl Paired {
    /// From whether each answer was right.
    #[must_use]
    pub fn new(first: &[bool], second: &[bool]) -> Self {
        let count = |wanted: (bool, bool)| {
            first.iter().zip(second).filter(|(first, second)| (**first, **second) == wanted).count()
        };
        Self {
            images: first.len().min(second.len()),
            first_only: count((true, false)),
            second_only: count((false, true)),
        }
    }

    /// The second's accuracy less the first's.
    #[must_use]
    pub fn difference(&self) -> f64 {
        (self.second_only as f64 - self.first_only as f64) / self.images as f64
    }

    /// The 95 % interval of the difference: the score interval of Tango (1998, Statistics in Medicine 17, 891–908),
    /// which Fagerland, Lydersen & Laake (2014, Statistics in Medicine 33, 2850–2875) recommend for paired proportions.
    ///
    /// It is all Δ that a score test at 5 % does not reject:
    /// |c − b − nΔ| ≤ z·√(n·(2q + Δ(1 − Δ))), where b and c are the images that only the first and only the second got
    /// right, and q = (√(B² − 4AC) − B)/2A, A = 2n, B = −b − c + (2n − c + b)Δ, C = −bΔ(1 − Δ), is the likeliest share of
    /// the first kind given Δ. Where all answers agree it is ±z²/(n + z²), not empty: with few images nothing is certain.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let found = self.difference();
        (self.end(found, -1.0), self.end(found, 1.0))
    }

    /// The last Δ from the `found` one towards `limit` that is not rejected, by bisection.
    fn end(&self, found: f64, limit: f64) -> f64 {
        let (mut inside, mut outside) = (found, limit);
        for _ in 0..100 {
            let middle = 0.5 * (inside + outside);
            if self.rejects(middle) { outside = middle } else { inside = middle }
        }
        inside
    }

    fn rejects(&self, delta: f64) -> bool {
        let [n, b, c] = [self.images, self.first_only, self.second_only].map(|count| count as f64);
        let (linear, constant) = (-b - c + (2.0 * n - c + b) * delta, -b * delta * (1.0 - delta));
        let q = ((linear * linear - 8.0 * n * constant).max(0.0).sqrt() - linear) / (4.0 * n);
        let variance = (n * (2.0 * q + delta * (1.0 - delta))).max(0.0);
        (c - b - n * delta).powi(2) > Z * Z * variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(images: usize, first_only: usize, second_only: usize) -> (f64, f64) {
        Paired { images, first_only, second_only }.interval()
    }

    /// Fagerland, Lydersen & Laake 2014, table V: airway hyper-responsiveness of 21 children before (1 + 1) and after
    /// (1 + 7) stem cell transplantation; they give the difference before − after and (−0.517, −0.026).
    #[test]
    fn a_published_example() {
        let (low, high) = interval(21, 7, 1);
        assert!((low + 0.517).abs() < 5e-4 && (high + 0.026).abs() < 5e-4, "{low} {high}");
    }

    #[test]
    fn answers_that_agree_leave_a_doubt_that_shrinks_with_the_images() {
        for n in [1, 10, 1000, 100_000] {
            let (low, high) = interval(n, 0, 0);
            let bound = Z * Z / (n as f64 + Z * Z);
            assert!((low + bound).abs() < 1e-9 && (high - bound).abs() < 1e-9, "{n}: {low} {high}");
        }
    }

    #[test]
    fn the_interval_turns_round_with_the_classifiers_and_stays_in_bounds() {
        for (n, b, c) in [(50, 3, 9), (7, 7, 0), (1000, 40, 20), (4, 1, 1)] {
            let ((low, high), (other_low, other_high)) = (interval(n, b, c), interval(n, c, b));
            assert!((low + other_high).abs() < 1e-9 && (high + other_low).abs() < 1e-9, "{n} {b} {c}");
            let found = Paired { images: n, first_only: b, second_only: c }.difference();
            assert!((-1.0..=found).contains(&low) && (found..=1.0).contains(&high), "{low} {found} {high}");
        }
    }

    /// With many images it is Wald's, d ± z·√(b + c − (c − b)²/n)/n.
    #[test]
    fn many_images() {
        let (n, b, c) = (1_000_000.0, 20_000.0, 19_000.0_f64);
        let (low, high) = interval(1_000_000, 20_000, 19_000);
        let half = Z * (b + c - (c - b).powi(2) / n).sqrt() / n;
        assert!((high + 0.001 - half).abs() < 1e-6 && (low + 0.001 + half).abs() < 1e-6, "{low} {high}");
    }

    #[test]
    fn answers_are_counted_in_pairs() {
        let found = Paired::new(&[true, true, false, false, true], &[true, false, true, false, false]);
        assert_eq!(found, Paired { images: 5, first_only: 2, second_only: 1 });
        assert!((found.difference() + 0.2).abs() < 1e-12);
    }
}
