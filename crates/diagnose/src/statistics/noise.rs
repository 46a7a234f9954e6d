//! How much a curve scatters from one epoch to the next.

/// Makes the median absolute deviation the standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;

/// The median; `None` of nothing. NaN counts as larger than everything.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 0 => Some((values[half - 1] + values[half]) / 2.0),
        _ => Some(values[half]),
    }
}

/// The median absolute deviation from the median, scaled to a standard deviation (Rousseeuw & Croux 1993).
fn spread(values: &[f64]) -> Option<f64> {
    let centre = median(values.iter().copied())?;
    median(values.iter().map(|value| (value - centre).abs())).map(|deviation| NORMAL * deviation)
}

/// The standard deviation of a curve's noise: the spread of its first differences, divided by √2, as each has the noise of
/// two values (von Neumann et al. 1941, made robust). A steady trend does not count. `None` of fewer than four differences.
///
/// ```
/// use wellfit_diagnose::statistics::noise;
/// assert_eq!(noise(&[5.0, 4.0, 3.0, 2.0, 1.0]), Some(0.0));
/// assert!(noise(&[0.0, 1.0, 0.0, 1.0, 0.0]).unwrap() > 1.0);
/// assert_eq!(noise(&[1.0, 2.0]), None);
/// ```
#[must_use]
pub fn noise(values: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if differences.len() < 4 { None } else { spread(&differences).map(|spread| spread / 2f64.sqrt()) }
}

/// How many standard deviations of the others' noise the value at `place` lies above the median of its neighbours, up to
/// `reach` on each side, and that median. `None` where there are fewer than four neighbours.
#[must_use]
pub fn robust_z(values: &[f64], place: usize, reach: usize) -> Option<(f64, f64)> {
    let (from, to) = (place.saturating_sub(reach), (place + reach + 1).min(values.len()));
    let others: Vec<f64> = (from..to).filter(|&other| other != place).map(|other| values[other]).collect();
    let sigma = noise(&others).or_else(|| spread(&others).filter(|_| others.len() > 3))?;
    let trend = median(others.iter().copied())?;
    let above = values.get(place)? - trend;
    // Without any noise everything is infinitely far; rounding of a log is noise.
    Some((above / sigma.max(trend.abs() * 1e-6), trend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!([median([]), median([3.0, 1.0, 2.0]), median([4.0, 1.0])], [None, Some(2.0), Some(2.5)]);
    }

    /// Of 4000 normal numbers by their quantiles, shuffled: the estimate is the deviation they have, also on a slope and
    /// with a tenth of outliers.
    #[test]
    fn noise_is_the_standard_deviation() {
        let count = 4000;
        // A cheap normal quantile: the sum of twelve uniform numbers less six.
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let flat: Vec<f64> = (0..count).map(|_| normal()).collect();
        let sloped: Vec<f64> =
            flat.iter().enumerate().map(|(place, value)| value - 0.5 * place as f64).collect();
        let outliers: Vec<f64> =
            flat.iter().enumerate().map(|(place, v)| if place % 20 == 0 { 50.0 } else { *v }).collect();
        // The relative error of a spread of n numbers is about 1.17/√n (efficiency 37 %): 3 of them are 5.5 %.
        for (values, most) in [(&flat, 0.055), (&sloped, 0.055), (&outliers, 0.2)] {
            let sigma = noise(values).unwrap();
            assert!((sigma - 1.0).abs() < most, "{sigma}");
        }
    }

    #[test]
    fn a_spike_is_far_and_a_trend_is_not() {
        let mut values: Vec<f64> =
            (0..20).map(|place| 2.0 - 0.01 * f64::from(place) + 0.02 * f64::from(place % 3)).collect();
        assert!(robust_z(&values, 10, 5).unwrap().0 < 4.0);
        values[10] = 5.0;
        let (z, trend) = robust_z(&values, 10, 5).unwrap();
        assert!(z > 50.0 && (trend - 1.9).abs() < 0.1, "{z} {trend}");
        assert_eq!(robust_z(&[1.0, 2.0], 0, 5), None);
    }
}
