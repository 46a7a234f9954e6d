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

/// Seconds as a length of time with four digits: `3.214 s`, `12.31 ms`, `850.2 µs`.
pub fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        1.0.. => (seconds, "s"),
        1e-3.. => (seconds * 1e3, "ms"),
        _ => (seconds * 1e6, "µs"),
    };
    let digits = if value < 10.0 {
        3
    } else if value < 100.0 {
        2
    } else {
        1
    };
    format!("{value:.digits$} {unit}")
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

    #[test]
    fn times_have_four_digits_and_a_unit() {
        let texts = [123.44, 3.2144, 0.01231, 0.0008502, 0.000_001_5].map(time);
        assert_eq!(texts, ["123.4 s", "3.214 s", "12.31 ms", "850.2 µs", "1.500 µs"]);
    }
}
