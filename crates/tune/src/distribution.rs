//! What values a parameter may have, as Optuna writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The values of a parameter. In a study a value is a number: a category is stored as its place among the choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "attributes")]
pub enum Distribution {
    /// Real numbers from `low` to `high`.
    #[serde(rename = "FloatDistribution")]
    Float {
        /// The distance of neighbours; without it all numbers between the ends.
        step: Option<f64>,
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether numbers are spread evenly by their logarithm.
        log: bool,
    },
    /// Whole numbers from `low` to `high`.
    #[serde(rename = "IntDistribution")]
    Int {
        /// Whether numbers are spread evenly by their logarithm.
        log: bool,
        /// The distance of neighbours.
        step: i64,
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// One of a few: null, true or false, a number, a text.
    #[serde(rename = "CategoricalDistribution")]
    Categorical {
        /// All of them.
        choices: Vec<Value>,
    },
}

/// Kinds that older versions of Optuna wrote, and their short form.
#[derive(Deserialize)]
#[serde(tag = "name", content = "attributes")]
enum Old {
    #[serde(rename = "UniformDistribution")]
    Uniform { low: f64, high: f64 },
    #[serde(rename = "LogUniformDistribution")]
    LogUniform { low: f64, high: f64 },
    #[serde(rename = "DiscreteUniformDistribution")]
    Discrete { low: f64, high: f64, q: f64 },
    #[serde(rename = "IntUniformDistribution")]
    Int {
        low: i64,
        high: i64,
        #[serde(default = "one")]
        step: i64,
    },
    #[serde(rename = "IntLogUniformDistribution")]
    IntLog { low: i64, high: i64 },
}

fn one() -> i64 {
    1
}

impl From<Old> for Distribution {
    fn from(old: Old) -> Self {
        match old {
            Old::Uniform { low, high } => Self::Float { step: None, low, high, log: false },
            Old::LogUniform { low, high } => Self::Float { step: None, low, high, log: true },
            Old::Discrete { low, high, q } => Self::Float { step: Some(q), low, high, log: false },
            Old::Int { low, high, step } => Self::Int { log: false, step, low, high },
            Old::IntLog { low, high } => Self::Int { log: true, step: 1, low, high },
        }
    }
}

impl Distribution {
    /// As it stands in a study: a JSON text.
    ///
    /// # Errors
    /// If it is not one that Optuna writes.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let found = serde_json::from_str(text)
            .or_else(|error| serde_json::from_str::<Old>(text).map(Self::from).map_err(|_| error));
        let found: Self = found.map_err(|error| format!("no distribution: {error}"))?;
        found.check().map(|()| found)
    }

    /// As it stands in a study.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers and texts only: that cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether there are such values.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Categorical { choices } if choices.is_empty() => Err("`choices` is empty".to_owned()),
            Self::Categorical { choices } => {
                match choices.iter().find(|choice| choice.is_array() || choice.is_object()) {
                    Some(list) => Err(format!("{list} is no single value")),
                    None => Ok(()),
                }
            }
            Self::Float { step, low, high, log } => {
                let finite = low.is_finite() && high.is_finite() && (high - low).is_finite();
                ends(finite && low <= high, low, high)?;
                positive(*log, *low > 0.0, low)?;
                match step {
                    Some(_) if *log => Err("`log` and `step` exclude each other".to_owned()),
                    Some(step) if !(step.is_finite() && *step > 0.0) => Err(below_zero(step)),
                    _ => Ok(()),
                }
            }
            Self::Int { log, step, low, high } => {
                ends(low <= high && high.checked_sub(*low).is_some(), low, high)?;
                positive(*log, *low > 0, low)?;
                match step {
                    step if *step <= 0 => Err(below_zero(step)),
                    step if *log && *step != 1 => Err("`log` and `step` exclude each other".to_owned()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Whether there is one value only.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float { low, high, step: None, .. } => low == high,
            Self::Float { low, high, step: Some(step), .. } => high - low < step * (1.0 - 1e-9),
            Self::Int { low, high, step, .. } => high - low < *step,
            Self::Categorical { choices } => choices.len() == 1,
        }
    }

    /// The largest value; with a step not always `high`.
    #[must_use]
    pub fn last(&self) -> f64 {
        match *self {
            Self::Float { low, high, step: Some(step), .. } => {
                low + ((high - low) / step + 1e-9).floor() * step
            }
            Self::Float { high, .. } => high,
            Self::Int { low, high, step, .. } => (low + (high - low) / step * step) as f64,
            Self::Categorical { ref choices } => choices.len() as f64 - 1.0,
        }
    }

    /// The value that a number of a study stands for: of a category the choice.
    #[must_use]
    pub fn value(&self, internal: f64) -> Value {
        match self {
            Self::Float { .. } => Value::from(internal),
            Self::Int { .. } => Value::from(internal as i64),
            Self::Categorical { choices } => {
                choices.get(internal.max(0.0) as usize).cloned().unwrap_or_default()
            }
        }
    }

    /// The number that stands for a value; none if it is not one of these.
    #[must_use]
    pub fn internal(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Float { .. } | Self::Int { .. } => value.as_f64(),
            Self::Categorical { choices } => {
                let equal = |choice: &Value| {
                    choice == value || choice.as_f64().is_some_and(|x| value.as_f64() == Some(x))
                };
                choices.iter().position(equal).map(|place| place as f64)
            }
        }
    }

    /// Whether a parameter may have had the `other` before: Optuna refuses a study where it may not.
    #[must_use]
    pub fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float { log, .. }, Self::Float { log: other, .. })
            | (Self::Int { log, .. }, Self::Int { log: other, .. }) => log == other,
            (Self::Categorical { .. }, Self::Categorical { .. }) => self == other,
            _ => false,
        }
    }
}

fn ends(right: bool, low: impl std::fmt::Display, high: impl std::fmt::Display) -> Result<(), String> {
    if right { Ok(()) } else { Err(format!("`low` {low} must not be above `high` {high}")) }
}

fn positive(log: bool, positive: bool, low: impl std::fmt::Display) -> Result<(), String> {
    if !log || positive { Ok(()) } else { Err(format!("with `log`, `low` must be above 0, not {low}")) }
}

fn below_zero(step: impl std::fmt::Display) -> String {
    format!("`step` must be above 0, not {step}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_optuna_writes_and_wrote() {
        let float = r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}"#;
        let expected = Distribution::Float { step: None, low: 1e-5, high: 0.1, log: true };
        assert_eq!(Distribution::from_json(float), Ok(expected.clone()));
        assert_eq!(Distribution::from_json(&expected.to_json()), Ok(expected));
        let old =
            r#"{"name": "DiscreteUniformDistribution", "attributes": {"low": 0.0, "high": 1.0, "q": 0.25}}"#;
        let expected = Distribution::Float { step: Some(0.25), low: 0.0, high: 1.0, log: false };
        assert_eq!(Distribution::from_json(old), Ok(expected));
        for bad in [
            "{}",
            r#"{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 0, "high": 3}}"#,
        ] {
            assert!(Distribution::from_json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_category_is_its_place() {
        let one =
            Distribution::Categorical { choices: vec![json!(null), json!(true), json!(32), json!("sgd")] };
        for (place, choice) in [json!(null), json!(true), json!(32), json!("sgd")].iter().enumerate() {
            assert_eq!(one.internal(choice), Some(place as f64));
            assert_eq!(&one.value(place as f64), choice);
        }
        assert_eq!(one.internal(&json!("adam")), None);
        assert_eq!(one.internal(&json!(32.0)), Some(2.0));
    }

    #[test]
    fn the_last_value_is_a_whole_number_of_steps_away() {
        let of = |low, high, step| Distribution::Float { step: Some(step), low, high, log: false };
        assert!((of(0.0, 1.0, 0.3).last() - 0.9).abs() < 1e-12);
        assert!((of(0.0, 0.3, 0.1).last() - 0.3).abs() < 1e-12);
        assert_eq!(Distribution::Int { log: false, step: 4, low: 1, high: 12 }.last(), 9.0);
        assert!(of(0.0, 0.2, 0.3).is_single() && !of(0.0, 0.3, 0.3).is_single());
    }
}
