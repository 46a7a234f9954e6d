//! Whether each image has one label, and what it is called.

use super::read::Table;
use crate::open::multi_label::{first_with_several, several};

/// The labels of a column as they are used: whole numbers without a decimal point.
///
/// # Errors
/// If cells hold several labels, or measurements.
pub(super) fn labels(table: &Table, column: usize) -> Result<Vec<String>, String> {
    let cells: Vec<&str> = table.cells(column).collect();
    let name = &table.columns[column];
    if let Some(row) = first_with_several(&cells) {
        let (line, label) = (table.rows[row].0, cells[row]);
        return Err(several(&format!("line {line} has several labels in column ‘{name}’, ‘{label}’")));
    }
    let number = |cell: &&str| cell.parse::<f64>().ok().filter(|number| number.is_finite());
    let filled = || cells.iter().copied().filter(|cell| !cell.is_empty());
    let numbers: Option<Vec<f64>> = filled().map(|cell| number(&cell)).collect();
    match numbers {
        Some(numbers) if numbers.iter().any(|number| number.fract() != 0.0) => Err(format!(
            "column ‘{name}’ holds measurements such as {}, and no classes: Wellfit sorts images into classes. Name the \
             column of the classes with --label-column",
            numbers.iter().find(|number| number.fract() != 0.0).unwrap_or(&0.5)
        )),
        // pandas writes whole numbers with a point where one is missing.
        Some(_) => Ok(cells
            .iter()
            .map(|cell| cell.split_once('.').map_or(*cell, |(whole, _)| whole).to_owned())
            .collect()),
        None => Ok(cells.into_iter().map(|cell| crate::class_name(cell.as_ref())).collect()),
    }
}

/// The columns that hold nothing but 0 and 1, a class each, if there are several.
pub(super) fn one_hot(table: &Table) -> Vec<&str> {
    let is_flag = |column: usize| {
        table.cells(column).all(|cell| matches!(cell, "0" | "1" | "0.0" | "1.0"))
            && table.cells(column).any(|cell| cell.starts_with('1'))
    };
    let columns = (0..table.columns.len()).filter(|&column| is_flag(column));
    let names: Vec<&str> = columns.map(|column| table.columns[column].as_str()).collect();
    if names.len() > 1 { names } else { Vec::new() }
}
