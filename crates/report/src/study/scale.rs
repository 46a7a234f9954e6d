//! Where the values of a parameter, or of the metric, stand between the ends of an axis.

use super::file::{Parameter, Study};
use crate::chart::Unit;
use serde_json::Value;
use wellfit_base::figures::short;
use wellfit_plot::ticks;

/// The values from one end of an axis to the other.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Numbers between two ends.
    Range {
        /// The value at the low end, or its logarithm.
        low: f64,
        /// The same at the high end.
        high: f64,
        /// Whether the axis is logarithmic.
        log: bool,
        /// How numbers are written.
        written: Written,
    },
    /// Choices, each in the middle of its part.
    Choices(Vec<String>),
}

/// How numbers are written on an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Written {
    /// In few digits.
    Short,
    /// The same, of whole numbers only.
    Whole,
    /// As values of the metric.
    As(Unit),
}

impl Scale {
    /// Of a parameter: half a step wider than its values, so that each has the same room.
    pub fn of(one: &Parameter) -> Self {
        if !one.choices.is_empty() {
            return Self::Choices(one.choices.clone());
        }
        let step = one.step.unwrap_or(0.0);
        // The last value that whole steps reach.
        let last = if step > 0.0 {
            one.low + libm::floor((one.high - one.low) / step + 1e-9) * step
        } else {
            one.high
        };
        let end = |value: f64| if one.log { libm::log(value) } else { value };
        let whole = step > 0.0 && step.fract() == 0.0 && one.low.fract() == 0.0;
        let written = if whole { Written::Whole } else { Written::Short };
        Self::range(end(one.low - step / 2.0), end(last + step / 2.0), one.log, written)
    }

    /// Of results: from the least to the largest and a little more.
    pub fn of_values(study: &Study, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let margin = 0.05 * (high - low);
        let written = Written::As(if study.is_share() { Unit::Percent } else { Unit::Loss });
        if low > high {
            return Self::range(0.0, 1.0, false, written);
        }
        Self::range(low - margin, high + margin, false, written)
    }

    /// Of whole numbers from 0, or from 1.
    pub fn of_counts(first: u32, last: u32) -> Self {
        Self::range(f64::from(first) - 0.5, f64::from(last.max(first)) + 0.5, false, Written::Whole)
    }

    fn range(low: f64, high: f64, log: bool, written: Written) -> Self {
        let wider = if low < high { 0.0 } else { 0.5_f64.max(0.05 * low.abs()) };
        Self::Range { low: low - wider, high: high + wider, log, written }
    }

    /// Where a number stands: 0 at the low end, 1 at the high one.
    pub fn share(&self, value: f64) -> Option<f64> {
        let share = match self {
            Self::Range { low, high, log, .. } => {
                ((if *log { libm::log(value) } else { value }) - low) / (high - low)
            }
            Self::Choices(all) => (value + 0.5) / all.len() as f64,
        };
        (-1e-6..=1.0 + 1e-6).contains(&share).then_some(share)
    }

    /// Where a setting's value stands; none if it is not on the axis.
    pub fn place(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Range { .. } => self.share(value.as_f64()?),
            Self::Choices(all) => {
                let choice = all.iter().position(|one| Some(one.as_str()) == value.as_str())?;
                self.share(choice as f64)
            }
        }
    }

    /// Round values with their places, about so many.
    pub fn ticks(&self, at_most: usize) -> Vec<(f64, String)> {
        match self {
            Self::Choices(all) => {
                let name = |(i, name): (usize, &String)| Some((self.share(i as f64)?, name.clone()));
                all.iter().enumerate().filter_map(name).collect()
            }
            Self::Range { low, high, log: true, .. } => {
                let values = decades(libm::exp(*low), libm::exp(*high), at_most);
                values.into_iter().filter_map(|value| Some((self.share(value)?, short(value)))).collect()
            }
            Self::Range { low, high, log: false, written } => {
                let values = ticks(*low, *high, at_most, *written == Written::Whole);
                let step = values.windows(2).next().map_or(high - low, |pair| pair[1] - pair[0]);
                let text = |value: f64| match written {
                    Written::As(unit) => unit.tick(value, step),
                    _ => short(value),
                };
                values.into_iter().filter_map(|value| Some((self.share(value)?, text(value)))).collect()
            }
        }
    }
}

/// Powers of ten between two numbers, with their doubles and fivefolds where there is room.
fn decades(low: f64, high: f64, at_most: usize) -> Vec<f64> {
    let powers = libm::floor(libm::log10(low)) as i32..=libm::ceil(libm::log10(high)) as i32;
    let of = |digits: &[u32]| -> Vec<f64> {
        let all = powers.clone().flat_map(|power| {
            // As a text, since a power of ten is not always exact.
            digits.iter().filter_map(move |digit| format!("{digit}e{power}").parse().ok())
        });
        all.filter(|value: &f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(value)).collect()
    };
    let fine = of(&[1, 2, 5]);
    if fine.len() <= at_most { fine } else { of(&[1]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameter(json: Value) -> Scale {
        Scale::of(&serde_json::from_value(json).unwrap())
    }

    #[test]
    fn every_kind_of_parameter_has_its_places() {
        let lr = parameter(
            json!({ "name": "lr", "importance": null, "low": 1e-4, "high": 1e-2, "log": true, "step": null }),
        );
        assert!((lr.place(&json!(1e-3)).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(
            lr.ticks(5).iter().map(|tick| tick.1.as_str()).collect::<Vec<_>>(),
            ["1e-4", "0.001", "0.01"]
        );
        let size = parameter(
            json!({ "name": "n", "importance": 0.5, "low": 1, "high": 4, "log": false, "step": 1 }),
        );
        assert_eq!(size.place(&json!(1)), Some(0.125));
        assert_eq!(size.ticks(20).len(), 4, "whole numbers only");
        let kind = parameter(json!({ "name": "k", "importance": 0.5, "choices": ["sgd", "adam"] }));
        assert_eq!((kind.place(&json!("adam")), kind.place(&json!("none"))), (Some(0.75), None));
        assert_eq!(lr.place(&json!(0.5)), None);
    }

    #[test]
    fn a_range_of_one_value_is_widened() {
        let one = parameter(
            json!({ "name": "n", "importance": null, "low": 3.0, "high": 3.0, "log": false, "step": null }),
        );
        assert_eq!(one.place(&json!(3.0)), Some(0.5));
    }
}
