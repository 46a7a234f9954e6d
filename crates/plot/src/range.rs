//! Which numbers an axis covers.

/// Larger numbers count as infinite: their differences could overflow.
const LARGEST: f64 = 1e300;

/// The narrowest range, as a part of its numbers: rounding would show in anything narrower.
const NARROWEST: f64 = 1e-9;

/// Whether a number has a place in a chart.
pub(crate) fn plottable(number: f64) -> bool {
    number.abs() <= LARGEST
}

/// The extent of the plottable numbers, opened a little if they are almost one; 0 to 1 if there are none.
pub(crate) fn extent(numbers: impl Iterator<Item = f64>, whole: bool) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = numbers
        .filter(|&number| plottable(number))
        .fold(none, |(low, high), number| (low.min(number), high.max(number)));
    if low > high {
        return (0.0, 1.0);
    }
    if too_narrow(low, high) {
        return opened(low, high, whole);
    }
    (low, high)
}

/// The range and a twentieth of it on both sides.
pub(crate) fn with_margin((low, high): (f64, f64)) -> (f64, f64) {
    let margin = (high - low) / 20.0;
    (low - margin, high + margin)
}

/// The range asked for, if it makes sense: ends in order, not too close.
pub(crate) fn asked((low, high): (f64, f64), whole: bool) -> Option<(f64, f64)> {
    let (low, high) = if low <= high { (low, high) } else { (high, low) };
    if !(plottable(low) && plottable(high)) {
        None
    } else if too_narrow(low, high) {
        Some(opened(low, high, whole))
    } else {
        Some((low, high))
    }
}

fn too_narrow(low: f64, high: f64) -> bool {
    high - low <= NARROWEST * low.abs().max(high.abs()).max(1e-200)
}

/// A range around what is almost one number: half a step for counts, else a twentieth of the number.
fn opened(low: f64, high: f64, whole: bool) -> (f64, f64) {
    let middle = low + (high - low) / 2.0;
    let half = match middle.abs() {
        size if whole => (size * 1e-6).max(0.5),
        size if size < 1e-200 => 0.05,
        size => size / 20.0,
    };
    (middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extents_have_margins_and_never_collapse() {
        let of = |numbers: &[f64]| extent(numbers.iter().copied(), false);
        assert_eq!(with_margin(of(&[0.0, 20.0, f64::NAN, f64::INFINITY])), (-1.0, 21.0));
        assert_eq!(of(&[]), (0.0, 1.0));
        assert_eq!(of(&[2.0]), (1.9, 2.1));
        assert_eq!(of(&[0.0]), (-0.05, 0.05));
        assert_eq!(extent([3.0].into_iter(), true), (2.5, 3.5));
        assert_eq!(asked((1.0, 0.0), false), Some((0.0, 1.0)));
        assert_eq!(asked((0.0, f64::NAN), false), None);
        assert_eq!(asked((4.0, 4.0), true), Some((3.5, 4.5)));
    }

    proptest! {
        #[test]
        fn extents_hold_their_numbers(numbers: Vec<f64>, whole: bool) {
            let (low, high) = with_margin(extent(numbers.iter().copied(), whole));
            prop_assert!(low < high && low.is_finite() && high.is_finite());
            prop_assert!(numbers.iter().filter(|&&n| plottable(n)).all(|n| (low..=high).contains(n)));
        }
    }
}
