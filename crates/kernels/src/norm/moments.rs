//! Mean and variance of every channel, put together from those of blocks of rows.

/// The batch statistics of a training step, which the backward pass needs.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// The batch mean of each channel.
    pub mean: Vec<f32>,
    /// The biased batch variance of each channel.
    pub variance: Vec<f32>,
}

impl Statistics {
    /// Those of rows that lie in several parts, from each part's mean, biased variance and number of rows.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = (&'a [f32], &'a [f32], usize)>) -> Self {
        let mut all = Moments::default();
        for (mean, variance, rows) in parts {
            let rows = rows as f64;
            let mean = mean.iter().map(|&mean| f64::from(mean)).collect();
            let deviation = variance.iter().map(|&variance| f64::from(variance) * rows).collect();
            let part = Moments { rows, mean, deviation };
            if all.rows == 0.0 { all = part } else { all.add(&part) }
        }
        all.statistics()
    }

    /// 1/√(σ² + ε) of each channel.
    #[must_use]
    pub fn inverse_std(&self, eps: f32) -> Vec<f32> {
        self.variance.iter().map(|&v| (1.0 / (f64::from(v) + f64::from(eps)).sqrt()) as f32).collect()
    }

    /// Move running statistics towards these by `momentum`; `rows` is how many values a channel had.
    pub fn update_running(&self, mean: &mut [f32], variance: &mut [f32], momentum: f32, rows: usize) {
        let unbiased = rows as f32 / (rows as f32 - 1.0);
        for (channel, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
            *mean += momentum * (self.mean[channel] - *mean);
            *variance += momentum * (self.variance[channel] * unbiased - *variance);
        }
    }
}

/// Count, mean and sum of squared deviations from it, for each channel.
#[derive(Default)]
pub(crate) struct Moments {
    pub rows: f64,
    pub mean: Vec<f64>,
    pub deviation: Vec<f64>,
}

impl Moments {
    /// Those of no rows.
    pub(crate) fn none(channels: usize) -> Self {
        Self { rows: 0.0, mean: vec![0.0; channels], deviation: vec![0.0; channels] }
    }

    /// Take in those of other rows (Chan, Golub & LeVeque 1979).
    pub(crate) fn add(&mut self, other: &Self) {
        let rows = self.rows + other.rows;
        // Divisions outside the loop: there are as many blocks as a thousand, each of as many channels.
        let share = other.rows / rows;
        let weight = self.rows * share;
        for channel in 0..self.mean.len() {
            let difference = other.mean[channel] - self.mean[channel];
            self.mean[channel] += difference * share;
            self.deviation[channel] += other.deviation[channel] + difference * difference * weight;
        }
        self.rows = rows;
    }

    pub(crate) fn statistics(&self) -> Statistics {
        // Rounding may leave a constant channel a variance below zero. NaN stays NaN: a network that
        // has diverged must not look like one whose ReLUs are all 0.
        let at_least_zero = |variance: f32| if variance < 0.0 { 0.0 } else { variance };
        Statistics {
            mean: self.mean.iter().map(|&m| m as f32).collect(),
            variance: self.deviation.iter().map(|&d| at_least_zero((d / self.rows) as f32)).collect(),
        }
    }
}
