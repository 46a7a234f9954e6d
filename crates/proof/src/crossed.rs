//! New images as well as new seeds: seeds and images crossed, both drawn from many.
//!
//! An interval over seeds alone speaks of the very images that were judged. Where images vary more than seeds, the difference
//! on the next thousand images can lie well outside of it.

use crate::distributions::t_critical;
use crate::error::{ProofError, require_finite};
use wellfit_policy::classification::Interval;

/// The variance of the mean of a seeds × images table, if other seeds and other images had been drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossed {
    /// The mean of all differences.
    pub mean: f64,
    /// The variance of that mean.
    pub variance: f64,
    /// Its degrees of freedom, by Satterthwaite; not a whole number.
    pub freedom: f64,
}

impl Crossed {
    /// From the differences of one technique, `table[seed][image]`, such as right (1) or wrong (0) of the treated arm minus
    /// that of the baseline.
    ///
    /// With the variance of row means V_seed, of column means V_image, and of what neither explains V_rest (for S seeds and N
    /// images), the mean's variance is V_seed/S + V_image/N - V_rest/(SN): the estimate from the two-way table with both
    /// factors random (Cornfield & Tukey 1956; Searle, Casella & McCulloch 1992, chapter 4). Degrees of freedom are those of
    /// Satterthwaite (1946). A negative estimate of a factor's own variance counts as zero, so the interval is never
    /// shorter than over the seeds or the images alone.
    ///
    /// # Errors
    /// If there are fewer than two seeds or two images, rows differ in length, or a value is not finite.
    pub fn new<R: AsRef<[f64]>>(table: &[R]) -> Result<Self, ProofError> {
        let seeds = table.len();
        let images = table.first().map_or(0, |row| row.as_ref().len());
        for (what, count) in [("seeds of the table", seeds), ("images of a seed", images)] {
            if count < 2 {
                return Err(ProofError::Length { what: what.to_owned(), expected: 2, found: count });
            }
        }
        for (seed, row) in table.iter().map(AsRef::as_ref).enumerate() {
            if row.len() != images {
                let what = format!("images of pair {}", seed + 1);
                return Err(ProofError::Length { what, expected: images, found: row.len() });
            }
            require_finite(&format!("pair {}: the difference of image", seed + 1), row)?;
        }
        let (s, n) = (seeds as f64, images as f64);
        let row_means: Vec<f64> = table.iter().map(|row| row.as_ref().iter().sum::<f64>() / n).collect();
        let mut column_means = vec![0.0; images];
        for row in table {
            for (sum, value) in column_means.iter_mut().zip(row.as_ref()) {
                *sum += value / s;
            }
        }
        let mean = row_means.iter().sum::<f64>() / s;
        let rest: f64 = table
            .iter()
            .zip(&row_means)
            .flat_map(|(row, row_mean)| {
                let residual =
                    move |(value, column): (&f64, &f64)| (value - row_mean - column + mean).powi(2);
                row.as_ref().iter().zip(&column_means).map(residual)
            })
            .sum();
        let spread = |means: &[f64]| means.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let parts = [
            (spread(&row_means) / (s - 1.0) / s, s - 1.0),
            (spread(&column_means) / (n - 1.0) / n, n - 1.0),
            (-rest / ((s - 1.0) * (n - 1.0)) / (s * n), (s - 1.0) * (n - 1.0)),
        ];
        Ok(Self::of(mean, parts))
    }

    /// The variance from its three parts (seeds, images, the negative rest), each with its degrees of freedom.
    fn of(mean: f64, parts: [(f64, f64); 3]) -> Self {
        let [seeds, images, rest] = parts;
        // Where the rest outweighs a factor's part, that factor shows no variance of its own.
        let left = match (seeds.0 + rest.0 < 0.0, images.0 + rest.0 < 0.0) {
            (false, false) => vec![seeds, images, rest],
            (false, true) => vec![seeds],
            (true, false) => vec![images],
            (true, true) => vec![if seeds.0 > images.0 { seeds } else { images }],
        };
        let variance: f64 = left.iter().map(|(part, _)| part).sum();
        let squares: f64 = left.iter().map(|(part, freedom)| part * part / freedom).sum();
        let freedom = if variance > 0.0 { variance * variance / squares } else { seeds.1 };
        Self { mean, variance, freedom: freedom.max(1.0) }
    }

    /// The interval of the mean difference with confidence 1 - `alpha`, on new images and with new seeds.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Interval {
        self.around(t_critical(alpha, self.freedom))
    }

    /// Mean ± so many standard errors, but no fewer than the interval's with confidence 1 - `alpha`.
    pub(crate) fn at_least(&self, errors: f64, alpha: f64) -> Interval {
        self.around(errors.max(t_critical(alpha, self.freedom)))
    }

    fn around(&self, errors: f64) -> Interval {
        let half = if errors.is_infinite() { f64::INFINITY } else { errors * self.variance.sqrt() };
        Interval { low: self.mean - half, high: self.mean + half }
    }
}
