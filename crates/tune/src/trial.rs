//! A trial of a study: the values that were tried, what came of them, and how far it is.

use crate::distribution::Distribution;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far a trial is. The numbers are those of Optuna's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A worker is at it.
    Running = 0,
    /// It was trained to its end.
    Complete = 1,
    /// It was ended early, for others did better.
    Pruned = 2,
    /// It came to nothing.
    Fail = 3,
    /// It is to be made.
    Waiting = 4,
}

impl State {
    /// All, by their numbers.
    pub const ALL: [Self; 5] = [Self::Running, Self::Complete, Self::Pruned, Self::Fail, Self::Waiting];

    /// Its name in a database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"][self as usize]
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more happens to the trial.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }

    /// Whether samplers learn from the trial.
    #[must_use]
    pub const fn is_learned_from(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned)
    }
}

/// Whether large or small values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Small ones.
    Minimize = 1,
    /// Large ones.
    Maximize = 2,
}

impl Direction {
    /// Its name in a database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimize => "MINIMIZE",
            Self::Maximize => "MAXIMIZE",
        }
    }

    /// The value, such that smaller is better.
    #[must_use]
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// As a study stores it; see [`Distribution`].
    pub internal: f64,
    /// The values there were.
    pub distribution: Arc<Distribution>,
}

impl Parameter {
    /// What the number stands for.
    #[must_use]
    pub fn value(&self) -> Value {
        self.distribution.value(self.internal)
    }
}

/// A trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// By which the storage knows it.
    pub id: i64,
    /// Its place in the study, from 0.
    pub number: u32,
    /// How far it is.
    pub state: State,
    /// Its result.
    pub value: Option<f64>,
    /// The values that are tried.
    pub parameters: BTreeMap<String, Parameter>,
    /// The metric after each epoch.
    pub reports: BTreeMap<i64, f64>,
    /// What its worker noted.
    pub user: BTreeMap<String, Value>,
    /// What samplers and pruners noted.
    pub system: BTreeMap<String, Value>,
}

/// Optuna's names of what a retried trial descends from.
pub(crate) const FAILED_TRIAL: &str = "failed_trial";
pub(crate) const RETRY_HISTORY: &str = "retry_history";

impl Trial {
    /// A trial with nothing in it.
    #[must_use]
    pub fn new(id: i64, number: u32, state: State) -> Self {
        Self {
            id,
            number,
            state,
            value: None,
            parameters: BTreeMap::new(),
            reports: BTreeMap::new(),
            user: BTreeMap::new(),
            system: BTreeMap::new(),
        }
    }

    /// The last epoch with a metric.
    #[must_use]
    pub fn last_step(&self) -> Option<i64> {
        self.reports.last_key_value().map(|(step, _)| *step)
    }

    /// The number of the trial that this one does again; its own if there is none.
    #[must_use]
    pub fn origin(&self) -> u32 {
        self.system.get(FAILED_TRIAL).and_then(Value::as_u64).map_or(self.number, |number| number as u32)
    }

    /// Whether it does another one again.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        self.system.contains_key(FAILED_TRIAL)
    }

    /// How many trials came before it with the same values.
    #[must_use]
    pub fn retries(&self) -> usize {
        self.system.get(RETRY_HISTORY).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// The trial that goes on with this one, which was stopped on purpose: no retry is counted.
    #[must_use]
    pub fn put_back(&self) -> Self {
        let mut again = self.again();
        match self.system.get(RETRY_HISTORY) {
            Some(history) => again.system.insert(RETRY_HISTORY.to_owned(), history.clone()),
            None => again.system.remove(RETRY_HISTORY),
        };
        again
    }

    /// The trial that does this one again, when its worker is gone: the same values, what its worker noted, and
    /// whence it comes, as Optuna notes it.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut history =
            self.system.get(RETRY_HISTORY).and_then(Value::as_array).cloned().unwrap_or_default();
        history.push(Value::from(self.number));
        let mut again = Self { state: State::Waiting, value: None, reports: BTreeMap::new(), ..self.clone() };
        again.system.insert(FAILED_TRIAL.to_owned(), Value::from(self.origin()));
        again.system.insert(RETRY_HISTORY.to_owned(), Value::from(history));
        again
    }
}
