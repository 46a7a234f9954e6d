//! Rows from JSON: one object a line, a list of objects, Hugging Face's `trainer_state.json` with its `log_history`, or
//! the lists of Keras' `History.history`.

use super::problem::ColumnError;
use serde_json::{Deserializer, Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name of numbers that have none, as in `[0.5, 0.4]`.
pub const UNNAMED: &str = "loss";

/// The values of all rows, by name; those of an object inside another have a name with a point, `val.loss`.
#[derive(Default)]
pub struct Table {
    /// How many rows there are.
    pub rows: usize,
    /// The values of the rows that have one.
    pub columns: BTreeMap<String, Vec<JsonCell>>,
}

/// A value of a row.
pub struct JsonCell {
    /// The row, from 0.
    pub row: usize,
    /// Its line, from 1.
    pub line: u64,
    /// The value.
    pub value: Value,
}

/// Whether a text is meant to be JSON.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// All rows of a text.
pub fn table(text: &str) -> Result<Table, ColumnError> {
    let text = with_quoted_numbers(text);
    let mut values = Deserializer::from_str(&text).into_iter::<Value>();
    let (mut table, mut passed, mut line) = (Table::default(), 0, 1);
    loop {
        let rest = text.get(values.byte_offset()..).unwrap_or_default();
        let begin = text.len() - rest.trim_start().len();
        line += text.get(passed..begin).unwrap_or_default().matches('\n').count() as u64;
        passed = begin;
        match values.next() {
            None => return Ok(table),
            Some(Err(error)) => return Err(ColumnError::File(format!(" is no JSON: {error}"))),
            Some(Ok(value)) => table.add(value, line),
        }
    }
}

/// Python writes NaN and infinities bare, which JSON does not have; here they become texts.
fn with_quoted_numbers(text: &str) -> Cow<'_, str> {
    if !["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
        return text.into();
    }
    let mut made = String::with_capacity(text.len());
    let (mut rest, mut in_text) = (text, false);
    while let Some(letter) = rest.chars().next() {
        let special = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| rest.starts_with(word));
        let taken = match special.filter(|_| !in_text) {
            Some(word) => {
                made.extend(["\"", word, "\""]);
                word.len()
            }
            None => {
                let escaped = in_text && letter == '\\';
                in_text ^= letter == '"';
                let after = if escaped { rest[1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
                let taken = letter.len_utf8() + after;
                made.push_str(&rest[..taken]);
                taken
            }
        };
        rest = &rest[taken..];
    }
    made.into()
}

impl Table {
    /// Takes in the rows that a value is.
    fn add(&mut self, value: Value, line: u64) {
        match value {
            Value::Array(list) => list.into_iter().for_each(|value| self.add(value, line)),
            Value::Object(mut map) => match map.remove("log_history") {
                Some(history) => self.add(history, line),
                None if !map.is_empty() && map.values().all(Value::is_array) => self.add_lists(map, line),
                None => {
                    self.add_row("", map, line);
                    self.rows += 1;
                }
            },
            value => {
                self.put(UNNAMED.to_owned(), line, value);
                self.rows += 1;
            }
        }
    }

    fn add_row(&mut self, before: &str, map: Map<String, Value>, line: u64) {
        for (name, value) in map {
            let name = format!("{before}{name}");
            match value {
                Value::Object(inner) => self.add_row(&format!("{name}."), inner, line),
                value => self.put(name, line, value),
            }
        }
    }

    /// Lists by name, whose places are rows.
    fn add_lists(&mut self, lists: Map<String, Value>, line: u64) {
        let first = self.rows;
        let lengths = lists.values().filter_map(|list| Some(list.as_array()?.len()));
        self.rows += lengths.max().unwrap_or(0);
        for (name, list) in lists {
            if let Value::Array(list) = list {
                let values = (first..).zip(list).map(|(row, value)| JsonCell { row, line, value });
                self.columns.entry(name).or_default().extend(values);
            }
        }
    }

    fn put(&mut self, name: String, line: u64, value: Value) {
        self.columns.entry(name).or_default().push(JsonCell { row: self.rows, line, value });
    }
}
