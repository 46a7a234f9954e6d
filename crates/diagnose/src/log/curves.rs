//! What all logs become.

use super::facts::Facts;
use super::formats::Format;
use super::series::Series;
use std::collections::BTreeMap;

/// The curves of one training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// The file or run, as it was named.
    pub source: String,
    /// Whose log it is.
    pub format: Format,
    /// The epochs that have any value: their numbers, from 1, rising. A log may leave some out.
    pub epochs: Vec<u32>,
    /// The values, each list as long as `epochs`. NaN and infinities are values: a run had them.
    series: BTreeMap<Series, Vec<Option<f64>>>,
    /// The loss of each training step, in order; empty where it is not known.
    pub step_losses: Vec<f64>,
    /// What is known beside the curves.
    pub facts: Facts,
    /// What the reader of the log had to decide, for the user.
    pub notes: Vec<String>,
}

/// The finite values of a series: (epoch, value).
pub type Points = Vec<(u32, f64)>;

impl Curves {
    /// Of these epochs, without a series yet.
    #[must_use]
    pub fn new(source: &str, format: Format, epochs: Vec<u32>) -> Self {
        Self { source: source.to_owned(), format, epochs, ..Self::default() }
    }

    /// Sets a series. `values` is as long as the epochs are many; what is missing or too much is `None` or left out.
    pub fn set(&mut self, series: Series, mut values: Vec<Option<f64>>) {
        values.resize(self.epochs.len(), None);
        if values.iter().any(Option::is_some) {
            self.series.insert(series, values);
        }
    }

    /// The same, with a value in every epoch.
    #[must_use]
    pub fn with(mut self, series: Series, values: &[f64]) -> Self {
        self.set(series, values.iter().copied().map(Some).collect());
        self
    }

    /// The values of a series, epoch by epoch; empty where the log does not have it.
    #[must_use]
    pub fn values(&self, series: Series) -> &[Option<f64>] {
        self.series.get(&series).map_or(&[], Vec::as_slice)
    }

    /// Whether the log has the series.
    #[must_use]
    pub fn has(&self, series: Series) -> bool {
        self.series.contains_key(&series)
    }

    /// The series that there are.
    pub fn names(&self) -> impl Iterator<Item = Series> {
        self.series.keys().copied()
    }

    /// Its finite values with their epochs.
    #[must_use]
    pub fn points(&self, series: Series) -> Points {
        let pairs = self.epochs.iter().zip(self.values(series));
        pairs.filter_map(|(&epoch, value)| Some((epoch, value.filter(|value| value.is_finite())?))).collect()
    }

    /// The last epoch, 0 without any.
    #[must_use]
    pub fn last_epoch(&self) -> u32 {
        self.epochs.last().copied().unwrap_or(0)
    }
}
