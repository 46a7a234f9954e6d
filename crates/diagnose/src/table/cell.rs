//! What a cell of a table means: a number, or that there is none.

/// The words for a missing value, in lower case: pandas', R's, SQL's, spreadsheets', and dashes.
const MISSING: &[&str] = &[
    "",
    "na",
    "n/a",
    "n.a.",
    "#n/a",
    "#n/a n/a",
    "#na",
    "<na>",
    "null",
    "(null)",
    "\\n",
    "nil",
    "none",
    "missing",
    "undefined",
    "-",
    "--",
    "---",
    "\u{2013}",
    "\u{2014}",
    ".",
    "?",
];

/// How Microsoft's C library writes what is no number, in lower case without its sign, and how Rust does.
const SPECIAL: &[(&str, f64)] =
    &[("1.#ind", f64::NAN), ("1.#qnan", f64::NAN), ("1.#snan", f64::NAN), ("1.#inf", f64::INFINITY)];

/// The number of a cell, `None` where a word says that it is missing. `NaN` and infinities are numbers: a run had them.
///
/// # Errors
/// If it is neither.
pub fn number(cell: &str) -> Result<Option<f64>, String> {
    let text = cell.trim().replace('\u{2212}', "-");
    if let Ok(number) = text.parse() {
        return Ok(Some(number));
    }
    let lower = text.to_lowercase();
    if MISSING.contains(&lower.as_str()) {
        return Ok(None);
    }
    let (sign, size) = lower.strip_prefix('-').map_or((1.0, lower.as_str()), |size| (-1.0, size));
    match SPECIAL.iter().find(|(word, _)| *word == size) {
        Some((_, value)) => Ok(Some(sign * value)),
        None => Err(format!("`{}` is not a number", shortened(cell))),
    }
}

/// The beginning of a cell, on one line: a quote that is never closed makes the rest of a file one cell.
fn shortened(cell: &str) -> String {
    const MOST: usize = 40;
    let line = cell.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < cell.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
