//! Round numbers on an axis.

/// The multiples of a round step (1, 2 or 5 times a power of ten) in `low..=high`: as many as possible, but
/// not more than `at_most` (taken as 2 if less). `whole` keeps the step at 1 or above.
///
/// Empty if an end is not finite, `low > high`, or no whole number lies between them.
///
/// ```
/// use wellfit_plot::ticks;
/// assert_eq!(ticks(0.07, 1.02, 6, false), [0.2, 0.4, 0.6, 0.8, 1.0]);
/// assert_eq!(ticks(0.8, 3.2, 9, true), [1.0, 2.0, 3.0]);
/// ```
#[must_use]
pub fn ticks(low: f64, high: f64, at_most: usize, whole: bool) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return Vec::new();
    }
    let at_most = at_most.max(2) as f64;
    let finest = libm::log10((high / at_most - low / at_most).max(f64::MIN_POSITIVE)).floor() as i32;
    let start = if whole { finest.max(0) } else { finest };
    let steps = (start..).flat_map(|power| [(1.0, power), (2.0, power), (5.0, power)]);
    for (digit, power) in steps {
        let (first, last) = (units(low, digit, power).ceil(), units(high, digit, power).floor());
        if last - first < at_most {
            let count = (last - first) as i64;
            // Adding 0 turns −0 into 0.
            return (0..=count).map(|i| value(first + i as f64, digit, power) + 0.0).collect();
        }
    }
    Vec::new()
}

/// `number` in steps of digit·10^power. A division by a power of ten is exact where a product with its
/// inverse is not, so 3 × 0.1 stays 0.3.
fn units(number: f64, digit: f64, power: i32) -> f64 {
    if power < 0 { number * 10_f64.powi(-power) / digit } else { number / 10_f64.powi(power) / digit }
}

fn value(count: f64, digit: f64, power: i32) -> f64 {
    if power < 0 { count * digit / 10_f64.powi(-power) } else { count * digit * 10_f64.powi(power) }
}

/// The ticks as text, all with the same digits after the point: plain from 0.0001 up to a million, else as
/// `2e−5`.
pub(crate) fn labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0_f64, |largest, tick| largest.max(tick.abs()));
    let step = match ticks {
        [first, second, ..] => second - first,
        _ => largest,
    };
    let plain = largest < 1e6 && step >= 1e-4 || largest == 0.0;
    ticks
        .iter()
        .map(|&tick| if plain { fixed(tick, step) } else { scientific(tick, largest, step) })
        .collect()
}

/// The power of ten of the leading digit; the small nudge forgives 0.09999….
fn magnitude(number: f64) -> i32 {
    (libm::log10(number.max(f64::MIN_POSITIVE)) + 1e-6).floor() as i32
}

fn fixed(tick: f64, step: f64) -> String {
    let decimals = if step > 0.0 { (-magnitude(step)).clamp(0, 12) as usize } else { 0 };
    minus(&format!("{tick:.decimals$}"))
}

fn scientific(tick: f64, largest: f64, step: f64) -> String {
    if tick == 0.0 {
        return "0".to_owned();
    }
    let power = magnitude(largest);
    let decimals = (power - magnitude(step)).clamp(0, 12) as usize;
    let digits = units(tick, 1.0, power);
    minus(&format!("{digits:.decimals$}e{power}"))
}

/// With the typographic minus, as wide as a plus.
fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, 6, false), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(ticks(0.0, 1.0, 11, false).len(), 11);
        assert_eq!(ticks(0.0, 0.3, 4, false), [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(ticks(-1.1, 1.1, 6, false), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks(1.0, 100.0, 9, true), [20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(0.5, 1.5, 9, true), [1.0]);
        assert_eq!(ticks(0.0, 2.0, 9, true), [0.0, 1.0, 2.0], "no half epochs");
        assert!(ticks(f64::NAN, 1.0, 5, false).is_empty());
        assert!(ticks(2.0, 1.0, 5, false).is_empty());
        assert!(ticks(0.2, 0.8, 5, true).is_empty());
    }

    #[test]
    fn labels_share_their_digits() {
        assert_eq!(labels(&[-0.5, 0.0, 0.5]), ["−0.5", "0.0", "0.5"]);
        assert_eq!(labels(&[20.0, 40.0]), ["20", "40"]);
        assert_eq!(labels(&[0.1, 0.2, 0.3]), ["0.1", "0.2", "0.3"]);
        assert_eq!(labels(&[0.0, 0.00002, 0.00004]), ["0", "2e−5", "4e−5"]);
        assert_eq!(labels(&[0.0, 5e5, 1e6, 1.5e6]), ["0", "0.5e6", "1.0e6", "1.5e6"]);
        assert_eq!(labels(&[1.0]), ["1"]);
        assert_eq!(labels(&[0.0]), ["0"]);
        assert!(labels(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn ticks_keep_their_promises(
            middle in -1e6..1e6_f64, power in -6.0..6.0_f64, at_most in 2_usize..15, whole: bool
        ) {
            // Steps below 1e-10 of the numbers themselves drown in rounding; the chart never asks for them.
            let half = libm::pow(10.0, power) + middle.abs() * 1e-8;
            let (low, high) = (middle - half, middle + half);
            let ticks = ticks(low, high, at_most, whole);
            prop_assert!(ticks.len() <= at_most);
            prop_assert!(ticks.iter().all(|t| (low..=high).contains(t)), "{ticks:?}");
            prop_assert!(!whole || ticks.iter().all(|t| t.fract() == 0.0));
            if !whole {
                // The next finer step is at worst 2.5 times finer and has more than `at_most` ticks.
                prop_assert!(ticks.len() as f64 >= (at_most as f64 / 2.5).floor() - 1.0, "{ticks:?}");
            }
            if let [first, second, ..] = ticks[..] {
                let step = second - first;
                let digit = step / 10_f64.powi(magnitude(step));
                prop_assert!([1.0, 2.0, 5.0, 10.0].iter().any(|d| (d - digit).abs() < 1e-4), "digit {digit}");
                for pair in ticks.windows(2) {
                    prop_assert!((pair[1] - pair[0] - step).abs() < 1e-3 * step);
                }
                let texts = labels(&ticks);
                prop_assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
            }
        }

        #[test]
        fn nothing_panics(low: f64, high: f64, at_most: usize, whole: bool) {
            labels(&ticks(low, high, at_most.min(100), whole));
        }
    }
}
