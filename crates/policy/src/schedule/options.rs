//! The text of a schedule, taken apart: its name, its options as a TOML table, and what it counts.

use serde::Deserialize as _;
use toml::{Table, Value};

use super::ScheduleSpec;
use crate::PolicyError;

/// What a schedule's step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Steps,
    Epochs,
}

/// Schedules inside schedules deeper than this are refused: their texts are read by recursion.
const DEEPEST: usize = 8;

/// The options of a text as serde's form of a schedule has them, with its `kind`, and what it counts.
pub(super) fn read(text: &str) -> Result<(Table, Option<Unit>), PolicyError> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let mut table = table(options)?;
    let by = table.remove("by").map(|value| unit(&value)).transpose()?;
    let kind = kind(name.trim())?;
    if kind == "constant" && (by.is_some() || !table.is_empty()) {
        return Err(PolicyError::Schedule("a constant rate has no options".to_owned()));
    }
    table.insert("kind".to_owned(), Value::String(kind));
    Ok((table, by))
}

/// A schedule inside another may be a text too. Puts its table in the text's place.
pub(super) fn replace_texts(table: &mut Table) -> Result<(), PolicyError> {
    replace_to_depth(table, DEEPEST)
}

fn replace_to_depth(table: &mut Table, depth: usize) -> Result<(), PolicyError> {
    let Some(Value::Array(members)) = table.get_mut("schedules") else { return Ok(()) };
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| PolicyError::Schedule("too many schedules inside each other".to_owned()))?;
    for member in members {
        if let Value::String(text) = member {
            let (inner, by) = read(text)?;
            if by.is_some() {
                return Err(PolicyError::Schedule("only the outermost schedule takes `by`".to_owned()));
            }
            *member = Value::Table(inner);
        }
        if let Value::Table(inner) = member {
            replace_to_depth(inner, depth)?;
        }
    }
    Ok(())
}

/// The `kind` of that name; `_` may stand for `-`.
fn kind(name: &str) -> Result<String, PolicyError> {
    let known = |(known, _): &&(&str, &str)| *known == name.replace('_', "-");
    match ScheduleSpec::NAMES.iter().find(known) {
        Some((known, _)) => Ok(known.replace('-', "_")),
        None => {
            let names: Vec<String> =
                ScheduleSpec::NAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
            Err(PolicyError::Schedule(format!("unknown schedule `{name}`; known are {}", names.join(", "))))
        }
    }
}

fn unit(value: &Value) -> Result<Unit, PolicyError> {
    match value.as_str() {
        Some("steps") => Ok(Unit::Steps),
        Some("epochs") => Ok(Unit::Epochs),
        _ => Err(PolicyError::Invalid {
            key: "by".to_owned(),
            value: value.to_string(),
            expected: "steps or epochs",
        }),
    }
}

/// The options `key=value,…`, each value as in TOML.
fn table(text: &str) -> Result<Table, PolicyError> {
    let mut table = Table::new();
    for part in parts(text).map(str::trim).filter(|part| !part.is_empty()) {
        let syntax = |reason| PolicyError::Syntax { part: part.to_owned(), reason };
        let (key, value) = part.split_once('=').ok_or(syntax("expected key=value"))?;
        let value = self::value(value.trim())?;
        if table.insert(key.trim().to_owned(), value).is_some() {
            return Err(syntax("this option was given before"));
        }
    }
    Ok(table)
}

/// A value as in TOML; a word may stand without quotes.
fn value(text: &str) -> Result<Value, PolicyError> {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let parsed = toml::de::ValueDeserializer::parse(text).and_then(Value::deserialize);
    parsed.or_else(|error| if word { Ok(Value::String(text.to_owned())) } else { Err(unreadable(&error)) })
}

/// The text between commas that are inside neither brackets nor quotes.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quote) = (0_i32, None);
    text.split(move |c| {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, _) => return c == ',' && depth == 0,
        }
        false
    })
}

/// What TOML says of a value, or serde of a schedule, in words for people.
pub(super) fn unreadable(error: &toml::de::Error) -> PolicyError {
    PolicyError::Schedule(in_words(error.message().trim_end()))
}

fn in_words(message: &str) -> String {
    let plain = message.replace('`', "");
    let number = |wanted: &str| match wanted {
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "f64" => "a number",
        "a sequence" => "a list such as [30, 60]",
        _ => "something else",
    };
    if let Some(name) = plain.strip_prefix("missing field ") {
        format!("the option {name} is missing")
    } else if let Some((name, known)) =
        plain.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", "))
    {
        let known = known.trim_start_matches("expected one of ").trim_start_matches("expected ");
        format!("there is no option {name}; known are {}", known.replace(" or ", ", "))
    } else if let Some((what, wanted)) = plain
        .strip_prefix("invalid ")
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(_, rest)| rest.split_once(", expected "))
    {
        let what = what.trim_start_matches("string ").trim_start_matches("integer ");
        format!("{} belongs where {what} stands", number(wanted.lines().next().unwrap_or_default()))
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_says_is_put_into_words() {
        for (message, words) in [
            ("missing field `t_0`", "the option t_0 is missing"),
            (
                "unknown field `x`, expected `gamma` or `step_size`",
                "there is no option x; known are gamma, step_size",
            ),
            ("unknown field `x`, expected one of `a`, `b`, `c`", "there is no option x; known are a, b, c"),
            (
                "invalid type: string \"x\", expected u64",
                "a whole number, 0 or more belongs where \"x\" stands",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "a whole number, 0 or more belongs where -1 stands",
            ),
            ("invalid type: string \"x\", expected f64", "a number belongs where \"x\" stands"),
        ] {
            assert_eq!(in_words(message), words);
        }
    }
}
