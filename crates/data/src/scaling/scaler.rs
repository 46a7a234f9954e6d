//! Feature scaling: min-max normalisation and z-score standardisation, as scikit-learn computes them.
//!
//! Fit on the training part, apply to every part. Data is `[n, features]`, row-major. A feature that was
//! constant in the fit has no range to divide by and keeps a scale of 1: it becomes 0 and comes back unharmed.
//!
//! ```
//! use wellfit_data::MinMaxScaler;
//! let scaler = MinMaxScaler::fit(&[0.0, 255.0, 51.0], 1)?;
//! assert_eq!(scaler.transform(&[51.0])?, [0.2]);
//! assert_eq!(scaler.inverse_transform(&[0.2])?, [51.0]);
//! # Ok::<(), wellfit_data::DataError>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Min-max normalisation: `y = (x − min) / (max − min)` for each feature, so training data spans 0–1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinMaxScaler {
    /// The least value of each feature.
    pub min: Vec<f64>,
    /// `max − min` of each feature, or 1 if that is 0.
    pub scale: Vec<f64>,
}

impl MinMaxScaler {
    /// Learn the range of each feature.
    ///
    /// # Errors
    /// If there are no rows, the last row is incomplete, or a value is not finite.
    pub fn fit(data: &[f32], features: usize) -> Result<Self, DataError> {
        let ranges = Range::of(data, features)?;
        Ok(Self {
            min: ranges.iter().map(|range| range.min).collect(),
            scale: ranges
                .iter()
                .map(|range| if range.is_constant() { 1.0 } else { range.max - range.min })
                .collect(),
        })
    }

    /// `(x − min) / scale`. Values outside the range of the fit land outside 0–1.
    ///
    /// # Errors
    /// If the rows are not as wide as in the fit.
    pub fn transform(&self, data: &[f32]) -> Result<Vec<f32>, DataError> {
        standardise(data, &self.min, &self.scale)
    }

    /// `y · scale + min`, which undoes [`Self::transform`].
    ///
    /// # Errors
    /// If the rows are not as wide as in the fit.
    pub fn inverse_transform(&self, data: &[f32]) -> Result<Vec<f32>, DataError> {
        restore(data, &self.min, &self.scale)
    }
}

/// Standardisation (z-score): `y = (x − mean) / std` for each feature, with the biased standard deviation
/// (divided by n), so training data has mean 0 and variance 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    /// The mean of each feature.
    pub mean: Vec<f64>,
    /// The standard deviation of each feature, or 1 if the feature is constant.
    pub scale: Vec<f64>,
}

impl StandardScaler {
    /// Learn the mean and spread of each feature, summing in f64.
    ///
    /// # Errors
    /// If there are no rows, the last row is incomplete, or a value is not finite.
    pub fn fit(data: &[f32], features: usize) -> Result<Self, DataError> {
        let ranges = Range::of(data, features)?;
        let rows = (data.len() / features) as f64;
        let mut mean = vec![0.0; features];
        for row in data.chunks_exact(features) {
            mean.iter_mut().zip(row).for_each(|(mean, &x)| *mean += f64::from(x) / rows);
        }
        let mut variance = vec![0.0; features];
        for row in data.chunks_exact(features) {
            for ((variance, &x), mean) in variance.iter_mut().zip(row).zip(&mean) {
                *variance += (f64::from(x) - mean).powi(2) / rows;
            }
        }
        let mut scale: Vec<f64> = variance.into_iter().map(f64::sqrt).collect();
        // Rounding gives a constant feature a tiny spread, but its range is exactly 0.
        for ((range, mean), scale) in ranges.iter().zip(&mut mean).zip(&mut scale) {
            if range.is_constant() {
                (*mean, *scale) = (range.min, 1.0);
            }
        }
        Ok(Self { mean, scale })
    }

    /// `(x − mean) / scale`.
    ///
    /// # Errors
    /// If the rows are not as wide as in the fit.
    pub fn transform(&self, data: &[f32]) -> Result<Vec<f32>, DataError> {
        standardise(data, &self.mean, &self.scale)
    }

    /// `y · scale + mean`, which undoes [`Self::transform`].
    ///
    /// # Errors
    /// If the rows are not as wide as in the fit.
    pub fn inverse_transform(&self, data: &[f32]) -> Result<Vec<f32>, DataError> {
        restore(data, &self.mean, &self.scale)
    }
}

/// The least and greatest value of one feature.
#[derive(Clone)]
struct Range {
    min: f64,
    max: f64,
}

impl Range {
    fn of(data: &[f32], features: usize) -> Result<Vec<Self>, DataError> {
        if data.is_empty() || features == 0 {
            return Err(DataError::Invalid("a scaler cannot learn from no data".into()));
        }
        check_width(data, features)?;
        if let Some(at) = data.iter().position(|x| !x.is_finite()) {
            let (row, feature) = (at / features, at % features);
            let problem = format!("a scaler cannot learn from {} (row {row}, feature {feature})", data[at]);
            return Err(DataError::Invalid(problem));
        }
        let mut ranges = vec![Self { min: f64::INFINITY, max: f64::NEG_INFINITY }; features];
        for row in data.chunks_exact(features) {
            for (range, &x) in ranges.iter_mut().zip(row) {
                range.min = range.min.min(f64::from(x));
                range.max = range.max.max(f64::from(x));
            }
        }
        Ok(ranges)
    }

    fn is_constant(&self) -> bool {
        self.min == self.max
    }
}

fn check_width(data: &[f32], features: usize) -> Result<(), DataError> {
    if data.len().is_multiple_of(features) {
        return Ok(());
    }
    Err(DataError::Invalid(format!("{} values do not make whole rows of {features} features", data.len())))
}

fn standardise(data: &[f32], centre: &[f64], scale: &[f64]) -> Result<Vec<f32>, DataError> {
    each(data, centre, scale, |x, centre, scale| (x - centre) / scale)
}

fn restore(data: &[f32], centre: &[f64], scale: &[f64]) -> Result<Vec<f32>, DataError> {
    each(data, centre, scale, |y, centre, scale| y * scale + centre)
}

fn each(
    data: &[f32],
    centre: &[f64],
    scale: &[f64],
    f: impl Fn(f64, f64, f64) -> f64,
) -> Result<Vec<f32>, DataError> {
    check_width(data, centre.len())?;
    let parameters = centre.iter().zip(scale).cycle();
    Ok(data
        .iter()
        .zip(parameters)
        .map(|(&x, (&centre, &scale))| f(f64::from(x), centre, scale) as f32)
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The examples of scikit-learn's documentation of `MinMaxScaler` and `StandardScaler`.
    #[test]
    fn scikit_learns_examples() {
        let scaler = MinMaxScaler::fit(&[-1.0, 2.0, -0.5, 6.0, 0.0, 10.0, 1.0, 18.0], 2).unwrap();
        let scaled = scaler.transform(&[-1.0, 2.0, -0.5, 6.0, 0.0, 10.0, 1.0, 18.0, 2.0, 2.0]).unwrap();
        assert_eq!(scaled, [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 1.0, 1.0, 1.5, 0.0]);

        let scaler = StandardScaler::fit(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], 2).unwrap();
        assert_eq!((&scaler.mean[..], &scaler.scale[..]), (&[0.5, 0.5][..], &[0.5, 0.5][..]));
        assert_eq!(scaler.transform(&[0.0, 1.0, 2.0, 2.0]).unwrap(), [-1.0, 1.0, 3.0, 3.0]);
    }

    /// Mean 5, biased variance 4 (the unbiased one would be 32/7).
    #[test]
    fn the_spread_is_divided_by_n() {
        let scaler = StandardScaler::fit(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 1).unwrap();
        assert_eq!((scaler.mean[0], scaler.scale[0]), (5.0, 2.0));
    }

    /// 0.1 has no exact sum: without the rule its spread would be about 1e-17, not 0.
    #[test]
    fn a_constant_feature_becomes_zero_and_comes_back() {
        let data = [0.1, 1.0, 0.1, 3.0, 0.1, 8.0];
        let (min_max, standard) =
            (MinMaxScaler::fit(&data, 2).unwrap(), StandardScaler::fit(&data, 2).unwrap());
        assert_eq!((min_max.scale[0], standard.scale[0]), (1.0, 1.0));
        for scaled in [min_max.transform(&data).unwrap(), standard.transform(&data).unwrap()] {
            assert_eq!([scaled[0], scaled[2], scaled[4]], [0.0; 3]);
        }
        assert_eq!(standard.inverse_transform(&[0.0, 0.0]).unwrap()[0], 0.1);
    }

    #[test]
    fn bad_data_is_refused() {
        let problem = |data: &[f32], features| MinMaxScaler::fit(data, features).unwrap_err().to_string();
        assert!(problem(&[], 2).contains("no data"));
        assert!(problem(&[1.0], 0).contains("no data"));
        assert!(problem(&[1.0, 2.0, 3.0], 2).contains("3 values"));
        assert!(problem(&[1.0, 2.0, 3.0, f32::NAN], 2).contains("NaN (row 1, feature 1)"));
        assert!(StandardScaler::fit(&[f32::INFINITY], 1).is_err());
        let fitted = StandardScaler::fit(&[1.0, 2.0], 2).unwrap();
        assert!(fitted.transform(&[1.0]).is_err() && fitted.inverse_transform(&[1.0]).is_err());
    }

    proptest! {
        /// Two roundings to f32 (relative 2⁻²⁴ each) of numbers no larger than the range and the offset.
        #[test]
        fn inverse_undoes_transform(data in prop::collection::vec(-1e6_f32..1e6, 3..60)) {
            let data = &data[..data.len() / 3 * 3];
            let largest = data.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let tolerance = 4.0 * largest * f32::EPSILON;
            let min_max = MinMaxScaler::fit(data, 3).unwrap();
            let standard = StandardScaler::fit(data, 3).unwrap();
            let scaled = min_max.transform(data).unwrap();
            prop_assert!(scaled.iter().all(|y| (0.0..=1.0).contains(y)));
            let back = [
                min_max.inverse_transform(&scaled).unwrap(),
                standard.inverse_transform(&standard.transform(data).unwrap()).unwrap(),
            ];
            for (x, y) in back.iter().flat_map(|back| data.iter().zip(back)) {
                prop_assert!((x - y).abs() <= tolerance, "{x} came back as {y}");
            }
        }
    }
}
