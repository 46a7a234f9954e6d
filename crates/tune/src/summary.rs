//! What is known of a study in one JSON text, for its page and for other programs.

use crate::distribution::Distribution;
use crate::forest::Forest;
use crate::pictures::Study;
use crate::space::{Searched, text};
use crate::trial::Trial;
use serde_json::{Map, Value, json};

/// The forest is looked at over each pair of so many of the most important parameters.
const PAIRED: usize = 4;

impl Study<'_> {
    /// The study called `name`: what is searched, the trials, and what a forest learned of them.
    #[must_use]
    pub fn summary(&self, name: &str, forest: &Forest) -> Value {
        let shares = forest.importances();
        let share =
            |one: &Searched| shares.iter().find(|(name, _)| *name == one.name).map(|(_, share)| *share);
        let parameters = self.space.parameters.iter().map(|one| parameter(one, share(one)));
        let main: Vec<&str> = shares.iter().take(PAIRED).map(|(name, _)| name.as_str()).collect();
        let pairs = main.iter().enumerate().flat_map(|(i, x)| main[i + 1..].iter().map(move |y| (*x, *y)));
        let surface = |(x, y)| Some(json!({ "x": x, "y": y, "values": forest.surface(x, y)? }));
        json!({
            "study": name,
            "metric": self.metric,
            "direction": self.direction.name().to_lowercase(),
            "parameters": parameters.collect::<Vec<_>>(),
            "trials": self.trials.iter().map(trial).collect::<Vec<_>>(),
            "surfaces": pairs.filter_map(surface).collect::<Vec<_>>(),
        })
    }
}

fn parameter(one: &Searched, share: Option<f64>) -> Value {
    let mut found = json!({ "name": one.name, "importance": share });
    let more = match &*one.distribution {
        Distribution::Float { step, low, high, log } => {
            json!({ "low": low, "high": high, "log": log, "step": step })
        }
        Distribution::Int { log, step, low, high } => {
            json!({ "low": low, "high": high, "log": log, "step": step })
        }
        Distribution::Categorical { choices } => {
            json!({ "choices": choices.iter().map(text).collect::<Vec<_>>() })
        }
    };
    if let (Some(found), Value::Object(more)) = (found.as_object_mut(), more) {
        found.extend(more);
    }
    found
}

fn trial(trial: &Trial) -> Value {
    let parameter = |(name, one): (&String, &crate::trial::Parameter)| {
        let value = one.value();
        let value = if matches!(*one.distribution, Distribution::Categorical { .. }) {
            Value::from(text(&value))
        } else {
            value
        };
        (name.clone(), value)
    };
    json!({
        "number": trial.number,
        "state": trial.state.name().to_lowercase(),
        "value": trial.value,
        "settings": trial.parameters.iter().map(parameter).collect::<Map<_, _>>(),
        "epochs": trial.reports.iter().collect::<Vec<_>>(),
    })
}
