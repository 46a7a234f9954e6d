//! From a text to the numbers of one column.

use super::cell::number;
use super::choice::{named, unnamed};
use super::delimited::Rows;
use super::json::{Table, UNNAMED, is_json, table};
use super::problem::ColumnError;
use serde_json::Value;

/// The numbers of a column.
#[derive(Debug, Default, PartialEq)]
pub struct Column {
    /// Its name; `loss` without a line of names.
    pub name: String,
    /// At least one.
    pub values: Vec<f64>,
    /// Rows with nothing in this column, or a word for that: Lightning's rows of other metrics, `NA`, `null`.
    pub empty: usize,
    /// Lines of names after the first, as a logger leaves them that was started again.
    pub repeated: usize,
}

/// Reads the column of that name, or else `val_loss`, or else the only one.
pub fn column(text: &str, wanted: Option<&str>) -> Result<Column, ColumnError> {
    let text = text.trim_start_matches('\u{feff}');
    // Only before Mac OS X did lines end so.
    let old_lines = (text.contains('\r') && !text.contains('\n')).then(|| text.replace('\r', "\n"));
    let text = old_lines.as_deref().unwrap_or(text);
    let column = if is_json(text) { of_json(text, wanted)? } else { of_rows(text, wanted)? };
    if column.values.is_empty() {
        return Err(ColumnError::File(" holds no metrics: one number a line is expected".to_owned()));
    }
    Ok(column)
}

fn of_rows(text: &str, wanted: Option<&str>) -> Result<Column, ColumnError> {
    let mut rows = Rows::new(text);
    let mut next = rows.next()?;
    let first = next.as_ref().map(|(_, cells)| cells.clone()).unwrap_or_default();
    let has_names = first.iter().any(|cell| is_name(cell));
    let index = if has_names { named(&first, wanted)? } else { unnamed(first.len(), wanted)? };
    let name = if has_names { first[index].clone() } else { UNNAMED.to_owned() };
    if has_names {
        next = rows.next()?;
    }
    let mut column = Column { name, ..Column::default() };
    let mut points = Points { commas: rows.decimal_commas, ..Points::default() };
    while let Some((line, mut cells)) = next {
        while cells.len() > first.len() && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if has_names && cells == first {
            column.repeated += 1;
        } else {
            let value = value(&cells, index, first.len(), &mut points);
            match value.map_err(|problem| ColumnError::in_line(line, &problem))? {
                Some(value) => column.values.push(value),
                None => column.empty += 1,
            }
        }
        next = rows.next()?;
    }
    Ok(column)
}

/// How the numbers of a column are written.
#[derive(Default)]
struct Points {
    /// Whether they may have a decimal comma.
    commas: bool,
    seen_comma: bool,
    seen_point: bool,
}

impl Points {
    /// The cell with a decimal point.
    fn decimal(&mut self, cell: &str) -> Result<String, String> {
        let comma = self.commas && cell.matches(',').count() == 1 && !cell.contains('.');
        self.seen_comma |= comma;
        self.seen_point |= cell.contains('.') && number(cell).is_ok_and(|value| value.is_some());
        if self.seen_comma && self.seen_point {
            return Err(format!("`{cell}`: some numbers have a decimal comma, others a decimal point"));
        }
        Ok(if comma { cell.replace(',', ".") } else { cell.to_owned() })
    }
}

/// The number of a row in this column; `None` where the row has nothing there.
fn value(row: &[String], index: usize, columns: usize, points: &mut Points) -> Result<Option<f64>, String> {
    if row.len() != columns {
        return Err(format!("{} fields, but the first line has {columns}", row.len()));
    }
    number(&points.decimal(&row[index])?)
}

/// A name, and no number that was mistyped, nor a word for a missing one: a name does not begin like a number.
fn is_name(cell: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '_';
    cell.starts_with(begins) && number(cell).is_err()
}

fn of_json(text: &str, wanted: Option<&str>) -> Result<Column, ColumnError> {
    let Table { rows, mut columns } = table(text)?;
    let names: Vec<String> = columns.keys().cloned().collect();
    if names.is_empty() {
        return Ok(Column::default());
    }
    let name = names[named(&names, wanted)?].clone();
    let mut values = Vec::new();
    for (line, value) in columns.remove(&name).unwrap_or_default() {
        let value = match value {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(number.as_f64()),
            Value::String(text) => number(&text),
            other => Err(format!("`{other}` is not a number")),
        };
        values.extend(value.map_err(|problem| ColumnError::in_line(line, &format!("{name}: {problem}")))?);
    }
    Ok(Column { name, empty: rows.saturating_sub(values.len()), values, repeated: 0 })
}
