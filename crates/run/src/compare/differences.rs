//! By how much the results of two runs differ, with intervals of 95 %.

use super::compared::{Compared, same_validation};
use wellfit_policy::classification::{Interval, wilson};
use wellfit_proof::{Flips, Paired};

const ALPHA: f64 = 0.05;

/// A result of a run against that of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What is compared: `val_accuracy`, `val_cross_entropy` or `val_loss`.
    pub metric: &'static str,
    /// What the first run has, at its best epoch.
    pub first: f64,
    /// What this run has, at its best epoch.
    pub other: f64,
    /// How far apart they may be with other validation images, with a confidence of 95 %; none where single images were not
    /// recorded.
    pub interval: Option<Interval>,
    /// What the interval rests on.
    pub basis: Basis,
    /// How many images are right in one of both only, where that is known.
    pub flips: Option<Flips>,
}

/// What an interval rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Both results of each of so many images: t interval of the differences.
    Paired {
        /// How many.
        images: usize,
    },
    /// The number of right answers of each run alone: Newcombe's interval (1998, method 10), which is wider.
    Unpaired,
    /// Nothing: a mean loss alone says nothing of its spread.
    Nothing,
}

impl Difference {
    /// The result less that of the first run.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.other - self.first
    }

    /// Whether 0 is outside of the interval.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0)
    }
}

/// The differences of a run from the first.
pub(super) fn differences(first: &Compared, other: &Compared) -> Vec<Difference> {
    vec![accuracy(first, other), loss(first, other)]
}

/// What both have, if they judge by the same images.
fn both<'a, T>(
    (first, a): (&Compared, &'a Option<Vec<T>>),
    (other, b): (&Compared, &'a Option<Vec<T>>),
) -> Option<(&'a [T], &'a [T])> {
    let (a, b) = a.as_deref().zip(b.as_deref())?;
    (same_validation(first, other) && a.len() == b.len()).then_some((a, b))
}

fn interval(differences: Vec<f64>) -> Option<Interval> {
    let found = Paired::new(differences).ok()?.t_interval(ALPHA);
    found.low.is_finite().then_some(Interval { low: found.low, high: found.high })
}

fn accuracy(first: &Compared, other: &Compared) -> Difference {
    let (a, b) = (first.best.val_accuracy(), other.best.val_accuracy());
    let difference = |interval, basis, flips| Difference {
        metric: "val_accuracy",
        first: a,
        other: b,
        interval,
        basis,
        flips,
    };
    if let Some((a, b)) = both((first, &first.right), (other, &other.right)) {
        let changes = a.iter().zip(b).map(|(&a, &b)| f64::from(u8::from(b)) - f64::from(u8::from(a)));
        return difference(
            interval(changes.collect()),
            Basis::Paired { images: a.len() },
            Flips::count(a, b).ok(),
        );
    }
    let images = (first.info.data.val, other.info.data.val);
    difference(newcombe((a, images.0), (b, images.1)), Basis::Unpaired, None)
}

/// The interval of the difference of two shares from Wilson's of each (Newcombe 1998, Statistics in Medicine 17, 873).
fn newcombe((a, n): (f64, u64), (b, m): (f64, u64)) -> Option<Interval> {
    if n == 0 || m == 0 || !a.is_finite() || !b.is_finite() {
        return None;
    }
    let right = |share: f64, n: u64| (share * n as f64).round() as u64;
    let (first, other) = (wilson(right(a, n), n), wilson(right(b, m), m));
    let root = |x: f64, y: f64| (x * x + y * y).sqrt();
    Some(Interval {
        low: b - a - root(b - other.low, first.high - a),
        high: b - a + root(other.high - b, a - first.low),
    })
}

/// The plain cross-entropy where both recorded it; else the loss, of which nothing more is known.
fn loss(first: &Compared, other: &Compared) -> Difference {
    let Some((a, b)) = first.cross_entropy.zip(other.cross_entropy) else {
        return Difference {
            metric: "val_loss",
            first: first.best.val_loss(),
            other: other.best.val_loss(),
            interval: None,
            basis: Basis::Nothing,
            flips: None,
        };
    };
    let changes = both((first, &first.losses), (other, &other.losses))
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| b - a).collect::<Vec<f64>>());
    let images = changes.as_ref().map_or(0, Vec::len);
    let interval = changes.and_then(interval);
    Difference {
        metric: "val_cross_entropy",
        first: a,
        other: b,
        basis: if interval.is_some() { Basis::Paired { images } } else { Basis::Nothing },
        interval,
        flips: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels' `confint_proportions_2indep(48, 80, 56, 70, method="newcomb", compare="diff")`, and Newcombe's table II.
    #[test]
    fn newcombes_intervals_are_those_of_the_paper() {
        let found = newcombe((48.0 / 80.0, 80), (56.0 / 70.0, 70)).unwrap();
        assert!((found.low - 0.0524).abs() < 5e-5 && (found.high - 0.3339).abs() < 5e-5, "{found:?}");
        let edge = newcombe((1.0, 10), (0.0, 10)).unwrap();
        assert!((edge.low + 1.0).abs() < 1e-12 && (edge.high + 0.6075).abs() < 5e-5, "{edge:?}");
        assert_eq!(newcombe((0.5, 0), (0.5, 10)), None);
    }
}
