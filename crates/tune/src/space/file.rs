//! A space in a file: TOML with a setting's name as key, and either its values or one value that all trials have.

use super::{Condition, Searched, Space};
use crate::distribution::Distribution;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::{Spanned, Value};
use wellfit_base::Shown;
use wellfit_base::shown::shown;
use wellfit_run::Options;
use wellfit_run::options::{Entry, entries};

/// The most bytes of a file.
const MOST: u64 = 1 << 20;

/// What is wrong with a space, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", .path.as_ref().map(|path| format!("{}: ", path.shown())).unwrap_or_default())]
pub struct SpaceError {
    /// The file.
    pub path: Option<PathBuf>,
    /// What is wrong, in which line.
    pub problem: String,
}

type Table = BTreeMap<String, Spanned<Value>>;

impl Space {
    /// The space in a file, and the settings that all trials have.
    ///
    /// # Errors
    /// With file, line and key, if it cannot be read, or a key or a value makes no sense.
    pub fn read(path: &Path) -> Result<(Self, Options), SpaceError> {
        let bad = |problem: String| SpaceError { path: Some(path.to_owned()), problem };
        let text = wellfit_base::file::read_text(path, MOST)
            .map_err(|cause| bad(format!("cannot be read: {cause}")))?;
        Self::parse(&text).map_err(bad)
    }

    /// The space that the text of a file describes.
    ///
    /// # Errors
    /// What is wrong, with line and key.
    pub fn parse(text: &str) -> Result<(Self, Options), String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut keys: Vec<(String, Spanned<Value>)> = table.into_iter().collect();
        keys.sort_by_key(|(_, value)| value.span().start);
        let (mut space, mut fixed, mut starts) = (Self::default(), Options::default(), Vec::new());
        for (key, value) in keys {
            let start = value.span().start;
            take(&key, value.get_ref(), &mut space, &mut fixed)
                .map_err(|problem| at(text, start, &problem))?;
            if space.parameters.len() > starts.len() {
                starts.push(start);
            }
        }
        if space.parameters.is_empty() {
            return Err("nothing is searched: give a setting values, such as lr = { low = 1e-4, high = 1e-1, log = true }"
                .to_owned());
        }
        space.in_order(&starts).map_err(|(start, problem)| at(text, start, &problem))?;
        Ok((space, fixed))
    }

    /// Put each parameter behind those that it depends on.
    fn in_order(&mut self, starts: &[usize]) -> Result<(), (usize, String)> {
        let mut left: Vec<(Searched, usize)> =
            std::mem::take(&mut self.parameters).into_iter().zip(starts.iter().copied()).collect();
        while !left.is_empty() {
            let ready = left.iter().position(|(one, _)| match &one.when {
                None => true,
                Some(when) => self.parameters.iter().any(|other| other.name == when.name),
            });
            let Some(place) = ready else {
                let (one, start) = &left[0];
                let other = one.when.as_ref().map_or("", |when| &when.name);
                let known = left.iter().any(|(found, _)| found.name == other);
                let problem = if known {
                    format!("`when`: `{}` and `{}` wait for each other", one.name, shown(other))
                } else {
                    format!("`when`: `{}` is not searched in this file", shown(other))
                };
                return Err((*start, problem));
            };
            let (one, start) = left.remove(place);
            self.refuse_never(&one).map_err(|problem| (start, problem))?;
            self.parameters.push(one);
        }
        Ok(())
    }

    /// Refuse a condition that never holds.
    fn refuse_never(&self, one: &Searched) -> Result<(), String> {
        let Some(when) = &one.when else { return Ok(()) };
        let other = self.parameters.iter().find(|other| other.name == when.name);
        let strange = |value: &&Json| other.is_some_and(|other| other.distribution.internal(value).is_none());
        match when.values.iter().find(strange) {
            Some(value) => Err(format!("`when`: `{}` never is {value}", when.name)),
            None => Ok(()),
        }
    }
}

/// A problem with the line that begins at or before `start`.
fn at(text: &str, start: usize, problem: &str) -> String {
    let line = text[..start.min(text.len())].matches('\n').count();
    let content = text.lines().nth(line).unwrap_or_default().trim();
    format!("line {}, {}: {}", line + 1, shown(content), shown(problem))
}

/// Take the value of a key: what is searched, or what all trials have.
fn take(key: &str, value: &Value, space: &mut Space, fixed: &mut Options) -> Result<(), String> {
    let Value::Table(table) = value else {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(_) => {
                return Err(format!("write the values that `{key}` may have as {{ choices = […] }}"));
            }
            _ => value.to_string(),
        };
        return fixed.set(known(key)?.name, OsStr::new(&text)).map_err(|error| error.to_string());
    };
    let entry = known(key)?;
    let distribution = distribution(table)?;
    distribution.check()?;
    try_values(entry, &distribution)?;
    let when = table.get("when").map(condition).transpose()?;
    space.parameters.push(Searched { name: key.to_owned(), distribution: Arc::new(distribution), when });
    Ok(())
}

fn known(key: &str) -> Result<&'static Entry, String> {
    let found = entries().iter().find(|entry| entry.name == key);
    found.ok_or_else(|| {
        let names: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
        format!("there is no setting `{key}`; known are {}", names.join(", "))
    })
}

fn distribution(table: &toml::Table) -> Result<Distribution, String> {
    const KEYS: [&str; 6] = ["low", "high", "log", "step", "choices", "when"];
    if let Some(other) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("there is no `{other}` here; known are {}", KEYS.join(", ")));
    }
    if let Some(choices) = table.get("choices") {
        if let Some(other) = ["low", "high", "log", "step"].into_iter().find(|key| table.contains_key(*key)) {
            return Err(format!("`choices` and `{other}` exclude each other"));
        }
        let choices = choices.as_array().ok_or("`choices` is a list, such as [32, 64]")?;
        return Ok(Distribution::Categorical {
            choices: choices.iter().map(json).collect::<Result<_, _>>()?,
        });
    }
    let end = |key: &str| {
        table.get(key).ok_or_else(|| format!("`{key}` is missing: give `low` and `high`, or `choices`"))
    };
    let (low, high, step) = (end("low")?, end("high")?, table.get("step"));
    let log = match table.get("log") {
        None => false,
        Some(log) => log.as_bool().ok_or("`log` is true or false")?,
    };
    let whole = |value: &Value| value.as_integer();
    if let (Some(low), Some(high), Some(step)) = (whole(low), whole(high), step.map_or(Some(1), whole)) {
        return Ok(Distribution::Int { log, step, low, high });
    }
    let real = |name: &str, value: &Value| {
        let found = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        found.ok_or_else(|| format!("`{name}` is no number: {value}"))
    };
    let step = step.map(|step| real("step", step)).transpose()?;
    Ok(Distribution::Float { step, low: real("low", low)?, high: real("high", high)?, log })
}

/// Both ends, or all choices, must be values of the setting.
fn try_values(entry: &Entry, distribution: &Distribution) -> Result<(), String> {
    let values = match distribution {
        Distribution::Categorical { choices } => choices.clone(),
        Distribution::Float { low, .. } => {
            vec![distribution.value(*low), distribution.value(distribution.last())]
        }
        Distribution::Int { low, .. } => {
            vec![distribution.value(*low as f64), distribution.value(distribution.last())]
        }
    };
    values.iter().try_for_each(|value| {
        entry.parse(OsStr::new(&text(value))).map_err(|problem| format!("{}: {problem}", text(value)))
    })
}

fn condition(value: &Value) -> Result<Condition, String> {
    const FORM: &str = "`when` names another key and its values, such as { optimizer = \"sgd\" }";
    let table = value.as_table().filter(|table| table.len() == 1).ok_or(FORM)?;
    let (name, values) = table.iter().next().ok_or(FORM)?;
    let values = match values {
        Value::Array(values) => values.iter().map(json).collect::<Result<_, _>>()?,
        one => vec![json(one)?],
    };
    Ok(Condition { name: name.clone(), values })
}

fn json(value: &Value) -> Result<Json, String> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Integer(whole) => Ok((*whole).into()),
        Value::Float(real) => Ok((*real).into()),
        Value::Boolean(yes) => Ok((*yes).into()),
        other => Err(format!("{other} is no single value")),
    }
}

/// A value as a setting takes it.
pub(crate) fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_is_a_space_and_what_all_trials_have() {
        let (space, fixed) = Space::parse(
            "epochs = 4\nmomentum = { low = 0.5, high = 0.95, when = { optimizer = \"sgd\" } }\n\
             lr = { low = 1e-4, high = 0.1, log = true }\noptimizer = { choices = [\"adam\", \"sgd\"] }\n\
             batch_size = { low = 16, high = 64, step = 16 }\n",
        )
        .unwrap();
        assert_eq!(fixed.epochs, Some(4));
        let names: Vec<&str> = space.parameters.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["lr", "optimizer", "momentum", "batch_size"]);
        assert_eq!(
            *space.parameters[0].distribution,
            Distribution::Float { step: None, low: 1e-4, high: 0.1, log: true }
        );
        assert_eq!(
            *space.parameters[3].distribution,
            Distribution::Int { log: false, step: 16, low: 16, high: 64 }
        );
        let when = Condition { name: "optimizer".to_owned(), values: vec![json!("sgd")] };
        assert_eq!(space.parameters[2].when, Some(when));
    }

    #[test]
    fn errors_name_line_and_key() {
        for (text, parts) in [
            (
                "epochs = 3\nlurning_rate = { low = 1, high = 2 }\n",
                &["line 2", "no setting `lurning_rate`"][..],
            ),
            ("\nlr = { low = 0.1, high = 0.01 }\n", &["line 2", "`low` 0.1 must not be above `high` 0.01"]),
            ("lr = { low = 0, high = 1.0, log = true }\n", &["line 1", "`low` must be above 0"]),
            ("lr = { low = 0.1 }\n", &["line 1", "`high` is missing"]),
            ("lr = { low = 0.1, high = 1.0, points = 3 }\n", &["line 1", "no `points` here"]),
            ("batch_size = { choices = [32, \"many\"] }\n", &["line 1", "many: give a whole number"]),
            ("batch_size = { low = 8.5, high = 64 }\n", &["line 1", "8.5: give a whole number"]),
            ("batch_size = [32, 64]\n", &["line 1", "{ choices = […] }"]),
            ("optimizer = { choices = [\"adam\", \"lion\"] }\n", &["line 1", "lion: there is no `lion`"]),
            ("lr = { choices = [0.1], low = 0.1 }\n", &["line 1", "exclude each other"]),
            ("epochs = \"x\"\nlr = { low = 0.1, high = 1.0 }\n", &["line 1", "whole number"]),
            (
                "lr = { low = 0.1, high = 1.0 }\nmomentum = { low = 0.1, high = 0.9, when = { optimizer = \"sgd\" } }\n",
                &["line 2", "`optimizer` is not searched"],
            ),
            (
                "optimizer = { choices = [\"adam\", \"sgd\"] }\nmomentum = { low = 0.1, high = 0.9, when = { optimizer = \"lion\" } }\n",
                &["line 2", "`optimizer` never is \"lion\""],
            ),
            ("epochs = 3\n", &["nothing is searched"]),
            ("lr = \n", &["line 1"]),
        ] {
            let problem = Space::parse(text).unwrap_err();
            parts.iter().for_each(|part| assert!(problem.contains(part), "{part} is not in {problem}"));
        }
    }
}
