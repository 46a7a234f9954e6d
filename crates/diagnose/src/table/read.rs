//! From a text to the numbers of some of its columns.

use super::cell::number;
use super::choice::{named, unnamed};
use super::delimited::Rows;
use super::json::{JsonCell, Table, UNNAMED, is_json, table};
use super::problem::ColumnError;
use serde_json::Value;

/// The first row of a text, as columns are chosen by it.
#[derive(Debug, Clone, Copy)]
pub enum Head<'a> {
    /// The names of the columns.
    Names(&'a [String]),
    /// There are none, only so many columns.
    Unnamed(usize),
}

/// Some columns of a text.
#[derive(Debug, Default, PartialEq)]
pub struct Columns {
    /// Those that were chosen, in that order.
    pub chosen: Vec<Cells>,
    /// How many rows the text has, without lines of names.
    pub rows: usize,
    /// Before which rows, from 0, the line of names came again, as a logger leaves it that was started again.
    pub repeated: Vec<usize>,
}

/// The numbers of one column.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Cells {
    /// Its name; `loss` without a line of names.
    pub name: String,
    /// Each number with its row, from 0. Rows with nothing in this column, or a word for that, are left out.
    pub values: Vec<(usize, f64)>,
}

/// The numbers of a column that is alone.
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
///
/// # Errors
/// If there is no such column, or a cell of it is no number.
pub fn column(text: &str, wanted: Option<&str>) -> Result<Column, ColumnError> {
    let choose = |head: Head<'_>| {
        let place = match head {
            Head::Names(names) => named(names, wanted),
            Head::Unnamed(count) => unnamed(count, wanted),
        };
        place.map(|place| vec![place])
    };
    let Columns { chosen, rows, repeated } = columns(text, &choose)?;
    match chosen.into_iter().next() {
        Some(Cells { name, values }) if !values.is_empty() => {
            let values: Vec<f64> = values.into_iter().map(|(_, value)| value).collect();
            Ok(Column { name, empty: rows.saturating_sub(values.len()), values, repeated: repeated.len() })
        }
        _ => Err(ColumnError::File(" holds no metrics: one number a line is expected".to_owned())),
    }
}

/// Reads the columns that `choose` names by their places. A text without a row has none.
///
/// # Errors
/// Those of `choose`, and if a cell of a chosen column is no number.
pub fn columns(
    text: &str,
    choose: &dyn Fn(Head<'_>) -> Result<Vec<usize>, ColumnError>,
) -> Result<Columns, ColumnError> {
    let text = text.trim_start_matches('\u{feff}');
    // Only before Mac OS X did lines end so.
    let old_lines = (text.contains('\r') && !text.contains('\n')).then(|| text.replace('\r', "\n"));
    let text = old_lines.as_deref().unwrap_or(text);
    if is_json(text) { of_json(text, choose) } else { of_rows(text, choose) }
}

fn of_rows(
    text: &str,
    choose: &dyn Fn(Head<'_>) -> Result<Vec<usize>, ColumnError>,
) -> Result<Columns, ColumnError> {
    let mut rows = Rows::new(text);
    let mut next = rows.next()?;
    let Some(first) = next.as_ref().map(|(_, cells)| cells.clone()) else { return Ok(Columns::default()) };
    let has_names = first.iter().any(|cell| is_name(cell));
    let places = choose(if has_names { Head::Names(&first) } else { Head::Unnamed(first.len()) })?;
    let name = |place: usize| if has_names { first[place].clone() } else { UNNAMED.to_owned() };
    let mut found = Columns::default();
    found.chosen.extend(places.iter().map(|&place| Cells { name: name(place), values: Vec::new() }));
    let mut points: Vec<Points> =
        places.iter().map(|_| Points { commas: rows.decimal_commas, ..Points::default() }).collect();
    if has_names {
        next = rows.next()?;
    }
    while let Some((line, mut cells)) = next {
        while cells.len() > first.len() && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if has_names && cells == first {
            found.repeated.push(found.rows);
        } else {
            for ((&place, points), column) in places.iter().zip(&mut points).zip(&mut found.chosen) {
                let value = value(&cells, place, first.len(), points);
                let value = value.map_err(|problem| ColumnError::in_line(line, &problem))?;
                column.values.extend(value.map(|value| (found.rows, value)));
            }
            found.rows += 1;
        }
        next = rows.next()?;
    }
    Ok(found)
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

fn of_json(
    text: &str,
    choose: &dyn Fn(Head<'_>) -> Result<Vec<usize>, ColumnError>,
) -> Result<Columns, ColumnError> {
    let Table { rows, mut columns } = table(text)?;
    let names: Vec<String> = columns.keys().cloned().collect();
    if names.is_empty() {
        return Ok(Columns::default());
    }
    let mut found = Columns { rows, ..Columns::default() };
    for place in choose(Head::Names(&names))? {
        let name = names[place].clone();
        let mut values = Vec::new();
        for JsonCell { row, line, value } in columns.remove(&name).unwrap_or_default() {
            let value = match value {
                Value::Null => Ok(None),
                Value::Number(number) => Ok(number.as_f64()),
                Value::String(text) => number(&text),
                other => Err(format!("`{other}` is not a number")),
            };
            let value = value.map_err(|problem| ColumnError::in_line(line, &format!("{name}: {problem}")))?;
            values.extend(value.map(|value| (row, value)));
        }
        found.chosen.push(Cells { name, values });
    }
    Ok(found)
}
