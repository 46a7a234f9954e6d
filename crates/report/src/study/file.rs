//! What a study's file says.

use serde::Deserialize;
use serde_json::Value;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use wellfit_base::figures::{self, short};

/// The file of a study, in its directory.
pub const STUDY: &str = "study.json";

/// Pictures show so many trials: the latest.
pub const MOST_DRAWN: u32 = 5000;

/// A study.
#[derive(Debug, Deserialize)]
pub struct Study {
    /// Its name.
    #[serde(rename = "study")]
    pub name: String,
    /// What the values of trials are.
    pub metric: String,
    /// Whether large or small ones are good.
    pub direction: Direction,
    /// What is searched.
    pub parameters: Vec<Parameter>,
    /// What was tried.
    pub trials: Vec<Trial>,
    /// What is expected where two parameters have given values.
    pub surfaces: Vec<Surface>,
}

/// Whether large or small values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Large ones.
    Maximize,
    /// Small ones.
    Minimize,
}

/// A parameter: a range of numbers, or a few choices.
#[derive(Debug, Deserialize)]
pub struct Parameter {
    /// The setting's name.
    pub name: String,
    /// Its share in the variance of the result, if that is known.
    pub importance: Option<f64>,
    /// The choices; none for a range.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The least value of a range.
    #[serde(default)]
    pub low: f64,
    /// The largest.
    #[serde(default)]
    pub high: f64,
    /// Whether it is searched by its logarithm.
    #[serde(default)]
    pub log: bool,
    /// The distance of neighbouring values.
    #[serde(default)]
    pub step: Option<f64>,
}

/// What became of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was trained to its end.
    Complete,
    /// It was ended early.
    Pruned,
    /// It came to nothing.
    Fail,
    /// It is under way.
    Running,
    /// It is to be made.
    Waiting,
}

/// A trial.
#[derive(Debug, Deserialize)]
pub struct Trial {
    /// Its place in the study, from 0.
    pub number: u32,
    /// What became of it.
    pub state: State,
    /// Its result.
    pub value: Option<f64>,
    /// The values that were tried.
    pub settings: BTreeMap<String, Value>,
    /// Epochs and the metric after them.
    pub epochs: Vec<(u32, Option<f64>)>,
}

/// What is expected where two parameters have given values.
#[derive(Debug, Deserialize)]
pub struct Surface {
    /// The parameter whose values go across.
    pub x: String,
    /// The one whose values go up.
    pub y: String,
    /// Rows of equal cells from the low end of `y`, each from the low end of `x`.
    pub values: Vec<Vec<f64>>,
}

impl Study {
    /// The trials in this state that have a finite result, with it.
    pub fn results(&self, state: State) -> impl Iterator<Item = (&Trial, f64)> {
        let of_state = self.trials.iter().filter(move |trial| trial.state == state);
        of_state.filter_map(|trial| Some((trial, trial.value.filter(|value| value.is_finite())?)))
    }

    /// Of these the ones that pictures show: among the latest [`MOST_DRAWN`] trials.
    pub fn drawn(&self, state: State) -> impl Iterator<Item = (&Trial, f64)> {
        let last = self.trials.iter().map(|trial| trial.number).max().unwrap_or(0);
        self.results(state).filter(move |(trial, _)| last - trial.number < MOST_DRAWN)
    }

    /// Those trained to the end, the best first.
    pub fn ranked(&self) -> Vec<(&Trial, f64)> {
        let mut found: Vec<(&Trial, f64)> = self.results(State::Complete).collect();
        found.sort_by(|a, b| self.cost(a.1).total_cmp(&self.cost(b.1)));
        found
    }

    /// The best of them; of equals the first.
    pub fn best(&self) -> Option<(&Trial, f64)> {
        self.results(State::Complete).min_by(|a, b| self.cost(a.1).total_cmp(&self.cost(b.1)))
    }

    /// A value, such that smaller is better.
    pub fn cost(&self, value: f64) -> f64 {
        if self.direction == Direction::Minimize { value } else { -value }
    }

    /// A parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|one| one.name == name)
    }

    /// The parameters, the most important first.
    pub fn by_importance(&self) -> Vec<&Parameter> {
        let mut all: Vec<&Parameter> = self.parameters.iter().collect();
        let weight = |one: &Parameter| one.importance.unwrap_or(-1.0);
        all.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        all
    }

    /// Whether the values are shares, shown in percent.
    pub fn is_share(&self) -> bool {
        figures::is_share(&self.metric)
    }

    /// A value as people read it.
    pub fn shown(&self, value: f64) -> String {
        figures::metric(&self.metric, value)
    }

    /// What a trial tried and gave: `trial 3: 91.2 %; lr 0.0021, batch-size 32`.
    pub fn told(&self, trial: &Trial) -> String {
        let value = match (trial.state, trial.value) {
            (State::Pruned, Some(value)) => format!("{}, ended early", self.shown(value)),
            (_, Some(value)) => self.shown(value),
            (_, None) => "no result".to_owned(),
        };
        format!("trial {}: {value}; {}", trial.number, trial.told())
    }
}

impl Trial {
    /// The values that were tried: `lr 0.0021, batch-size 32`.
    pub fn told(&self) -> String {
        settings(&self.settings)
    }
}

/// Settings and their values: `lr 0.0021, batch-size 32`.
#[must_use]
pub fn settings<'a>(all: impl IntoIterator<Item = (&'a String, impl Borrow<Value>)>) -> String {
    let one = |(name, value): (&String, _)| format!("{} {}", flag(name), setting(Borrow::borrow(&value)));
    all.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A setting's name as on the command line, without the dashes before it.
pub fn flag(name: &str) -> String {
    name.replace('_', "-")
}

/// The value of a setting in few digits: `0.0021`, `adamw`.
pub fn setting(value: &Value) -> String {
    match value.as_f64() {
        Some(number) => short(number),
        None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}
