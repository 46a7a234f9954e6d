//! Whether a curve goes anywhere.

use super::noise::median;

/// More points than this are thinned out evenly: pairs grow with their square.
const MOST: usize = 400;

/// The slope by Theil (1950) and Sen (1968): the median of the slopes of all pairs of points `(epoch, value)`. Up to 29 % of
/// wild points do not move it. `None` of fewer than two epochs.
///
/// ```
/// use wellfit_diagnose::statistics::theil_sen;
/// let points = [(1, 1.0), (2, 1.5), (3, 40.0), (4, 2.5), (5, 3.0)];
/// assert_eq!(theil_sen(&points), Some(0.5));
/// ```
#[must_use]
pub fn theil_sen(points: &[(u32, f64)]) -> Option<f64> {
    let every = points.len().div_ceil(MOST).max(1);
    let points: Vec<(u32, f64)> = points.iter().step_by(every).copied().collect();
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (place, &(epoch, value)) in points.iter().enumerate() {
        let later = points[place + 1..].iter().filter(|(later, _)| *later != epoch);
        slopes.extend(later.map(|&(later, other)| (other - value) / (f64::from(later) - f64::from(epoch))));
    }
    median(slopes)
}

/// Whether a curve moves by less than `most` over `window` epochs, by [`theil_sen`].
#[must_use]
pub fn is_flat_after(points: &[(u32, f64)], window: u32, most: f64) -> bool {
    theil_sen(points).is_some_and(|slope| slope.abs() * f64::from(window) < most)
}
