//! Some measurements of the same thing.

use std::time::Instant;

/// Measurements, at least one, in ascending order.
#[derive(Debug)]
pub struct Samples(Vec<f64>);

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl Samples {
    /// All of them, in ascending order.
    pub fn all(&self) -> &[f64] {
        &self.0
    }

    /// The one in the middle, or the mean of the two there.
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len().is_multiple_of(2) {
            f64::midpoint(self.0[middle - 1], self.0[middle])
        } else {
            self.0[middle]
        }
    }

    /// Median, least and most as a row of a table, each as `write` writes it.
    pub fn row(&self, name: &str, write: fn(f64) -> String) -> [String; 4] {
        let [low, high] = [self.0[0], self.0[self.0.len() - 1]];
        [name.to_owned(), write(self.median()), write(low), write(high)]
    }
}

/// The first row of a table of samples.
pub fn titles() -> [String; 4] {
    ["", "median", "least", "most"].map(String::from)
}

/// A row with one figure.
pub fn single(name: &str, figure: String) -> [String; 4] {
    [name.to_owned(), figure, String::new(), String::new()]
}

/// How many seconds `work` takes, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let samples = |values: &[f64]| values.iter().copied().collect::<Samples>();
        assert_eq!(samples(&[9.0, 1.0, 3.0]).median(), 3.0);
        assert_eq!(samples(&[9.0, 1.0, 3.0, 4.0]).median(), 3.5);
        assert_eq!(samples(&[9.0, 1.0, 3.0]).all(), [1.0, 3.0, 9.0]);
    }
}
