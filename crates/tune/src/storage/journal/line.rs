//! A line of a journal. Python writes NaN and infinities as bare words, which are no JSON.

use crate::trial::Trial;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// What a line does; the numbers are Optuna's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    CreateStudy = 0,
    DeleteStudy = 1,
    SetStudyUser = 2,
    SetStudySystem = 3,
    CreateTrial = 4,
    SetParameter = 5,
    SetState = 6,
    SetReport = 7,
    SetUser = 8,
    SetSystem = 9,
}

impl Operation {
    pub const ALL: [Self; 10] = [
        Self::CreateStudy,
        Self::DeleteStudy,
        Self::SetStudyUser,
        Self::SetStudySystem,
        Self::CreateTrial,
        Self::SetParameter,
        Self::SetState,
        Self::SetReport,
        Self::SetUser,
        Self::SetSystem,
    ];
}

/// A line that is being written.
#[derive(Debug, Clone)]
pub struct Line(String);

impl Line {
    pub fn new(operation: Operation, worker: &str) -> Self {
        Self(format!("{{\"op_code\":{},\"worker_id\":{}", operation as u8, quoted(worker)))
    }

    /// A field whose JSON is given.
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        // Writing into a string cannot fail.
        let _ = write!(self.0, ",{}:{json}", quoted(key));
        self
    }

    pub fn int(self, key: &str, value: i64) -> Self {
        self.raw(key, &value.to_string())
    }

    pub fn text(self, key: &str, value: &str) -> Self {
        self.raw(key, &quoted(value))
    }

    /// A field that is a table with one entry.
    pub fn attribute(self, field: &str, key: &str, value: &Value) -> Self {
        self.raw(field, &format!("{{{}:{value}}}", quoted(key)))
    }

    /// All that a trial holds.
    pub fn template(self, trial: &Trial) -> Self {
        let table = |entries: Vec<(String, String)>| {
            let entries: Vec<String> =
                entries.into_iter().map(|(key, json)| format!("{}:{json}", quoted(&key))).collect();
            format!("{{{}}}", entries.join(","))
        };
        let parameters = || trial.parameters.iter();
        let distribution = parameters().map(|(key, one)| (key.clone(), quoted(&one.distribution.to_json())));
        let internal = parameters().map(|(key, one)| (key.clone(), number(one.internal)));
        let reports = trial.reports.iter().map(|(step, value)| (step.to_string(), number(*value)));
        let notes = |notes: &std::collections::BTreeMap<String, Value>| {
            notes.iter().map(|(key, value)| (key.clone(), value.to_string())).collect()
        };
        self.raw("datetime_start", "null")
            .int("state", trial.state as i64)
            .raw("value", &trial.value.map_or_else(|| "null".to_owned(), number))
            .raw("values", "null")
            .raw("distributions", &table(distribution.collect()))
            .raw("params", &table(internal.collect()))
            .raw("user_attrs", &table(notes(&trial.user)))
            .raw("system_attrs", &table(notes(&trial.system)))
            .raw("intermediate_values", &table(reports.collect()))
    }

    /// The whole line.
    pub fn end(self) -> String {
        self.0 + "}\n"
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A number as Python's JSON has it.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// The fields of a line. Bare words for numbers become texts, which [`real`] takes.
pub fn parse(line: &[u8]) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let parsed = serde_json::from_str(text).or_else(|error| {
        serde_json::from_str(&with_words_quoted(text)).map_err(|_| format!("it is not JSON: {error}"))
    })?;
    match parsed {
        Value::Object(fields) => Ok(fields),
        _ => Err("it is no operation".to_owned()),
    }
}

/// A number, or one of Python's words.
pub fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// NaN, Infinity and -Infinity outside texts become texts.
fn with_words_quoted(text: &str) -> String {
    let (mut out, mut rest, mut inside) = (String::with_capacity(text.len() + 16), text, false);
    while let Some(c) = rest.chars().next() {
        let word =
            ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| !inside && rest.starts_with(word));
        let length = match word {
            Some(word) => word.len(),
            None if inside && c == '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            None => c.len_utf8(),
        };
        inside ^= c == '"';
        let (taken, left) = rest.split_at(length);
        match word {
            Some(word) => out.extend(["\"", word, "\""]),
            None => out.push_str(taken),
        }
        rest = left;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_words_are_numbers_outside_texts() {
        let fields =
            parse(br#"{"a":NaN,"b":[-Infinity,Infinity,1e-3],"c":"NaN \" Infinity","d":2}"#).unwrap();
        assert!(real(&fields["a"]).unwrap().is_nan());
        let numbers: Vec<_> = fields["b"].as_array().unwrap().iter().map(real).collect();
        assert_eq!(numbers, [Some(f64::NEG_INFINITY), Some(f64::INFINITY), Some(1e-3)]);
        assert_eq!(fields["c"], "NaN \" Infinity");
        for bad in [&b"{\"a\":1"[..], b"[1]", b"\xff", b"{\"a\":nan}"] {
            assert!(parse(bad).is_err());
        }
    }

    #[test]
    fn a_line_is_what_optuna_reads() {
        let line = Line::new(Operation::SetReport, "w-1")
            .int("trial_id", 3)
            .raw("x", &number(f64::NAN))
            .text("y", "a\"b");
        assert_eq!(
            line.end(),
            "{\"op_code\":7,\"worker_id\":\"w-1\",\"trial_id\":3,\"x\":NaN,\"y\":\"a\\\"b\"}\n"
        );
        assert_eq!([number(0.1), number(-0.0), number(1e300)], ["0.1", "-0.0", "1e300"]);
    }
}
