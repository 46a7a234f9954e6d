//! What `parity/tune.py` wrote, for tests.

use crate::distribution::Distribution;
use crate::trial::{Parameter, State, Trial};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All of it.
pub fn fixture() -> Value {
    serde_json::from_str(include_str!("../tests/fixtures/optuna.json")).unwrap()
}

/// A number, or the text "NaN".
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

pub fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(number).collect()
}

pub fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let off = (found - expected).abs() / expected.abs().max(1.0);
    assert!(off <= tolerance, "{what}: {found}, not {expected}");
}

pub fn space_of(all: &Value, name: &Value) -> BTreeMap<String, Distribution> {
    let space = all["spaces"][name.as_str().unwrap()].as_object().unwrap();
    let one = |json: &Value| Distribution::from_json(json.as_str().unwrap()).unwrap();
    space.iter().map(|(key, json)| (key.clone(), one(json))).collect()
}

pub fn trials_of(trials: &Value, space: &BTreeMap<String, Distribution>) -> Vec<Trial> {
    let trial = |(number_, one): (usize, &Value)| {
        let state = State::named(one["state"].as_str().unwrap()).unwrap();
        let mut trial = Trial::new(number_ as i64, number_ as u32, state);
        trial.value = one["value"].as_f64();
        let reports = one["reports"].as_object().unwrap().iter();
        trial.reports = reports.map(|(step, value)| (step.parse().unwrap(), number(value))).collect();
        let parameters = one["params"].as_object().unwrap().iter();
        trial.parameters = parameters
            .map(|(key, value)| {
                let distribution = Arc::new(space[key].clone());
                (key.clone(), Parameter { internal: number(value), distribution })
            })
            .collect();
        trial
    };
    trials.as_array().unwrap().iter().enumerate().map(trial).collect()
}
