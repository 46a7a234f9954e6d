//! Which column is meant.

use super::problem::ColumnError;

/// The column taken when none is asked for, where there are several.
const USUAL: &str = "val_loss";

/// The place of the wanted column among these names; without a wish that of `val_loss`, or else of the only one.
pub fn named(names: &[String], wanted: Option<&str>) -> Result<usize, ColumnError> {
    let list = names.join(", ");
    let name = match (wanted, names) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) if names.iter().any(|name| name == USUAL) => USUAL,
        (None, _) => {
            return Err(ColumnError::Choice(format!(
                "has no column {USUAL}: choose one with --column; it has {list}"
            )));
        }
    };
    let mut places = (0..names.len()).filter(|&index| names[index] == name);
    match (places.next(), places.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(ColumnError::File(format!(" has two columns `{name}`: rename one"))),
        (None, _) => Err(ColumnError::Choice(format!("has no column `{name}`; it has {list}"))),
    }
}

/// The same for a file without names, of so many columns.
pub fn unnamed(columns: usize, wanted: Option<&str>) -> Result<usize, ColumnError> {
    if let Some(name) = wanted {
        return Err(ColumnError::Choice(format!(
            "has no line of names, so no column `{name}`: leave --column out"
        )));
    }
    if columns > 1 {
        let problem = format!(" has {columns} columns without names: put a line of names first");
        return Err(ColumnError::File(problem));
    }
    Ok(0)
}
