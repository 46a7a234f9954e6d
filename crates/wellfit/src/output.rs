//! Printing: lines for the user, JSON for programs.

use crate::program::as_typed;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::path::Path;

/// Human lines to standard output, or to standard error when that is kept for JSON.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON object is the last line of standard output; everything else goes to standard error.
    pub json: bool,
    /// Errors only.
    pub quiet: bool,
}

impl Output {
    /// A line of text for the user.
    pub fn say(self, line: impl AsRef<str>) {
        if self.quiet {
            return;
        }
        // A closed pipe (`wellfit … | head`) is no reason to end a training run.
        let _ = if self.json {
            writeln!(std::io::stderr(), "{}", as_typed(line.as_ref()))
        } else {
            writeln!(std::io::stdout(), "{}", as_typed(line.as_ref()))
        };
    }

    /// A table for the user, its columns aligned: those in `right` to the right, for numbers.
    pub fn table<const N: usize>(self, rows: &[[String; N]], right: Range<usize>) {
        let width = |column: usize| {
            rows.iter().map(|row: &[String; N]| row[column].chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        for row in rows {
            let cells: Vec<String> = (0..N)
                .map(|column| {
                    let (cell, width) = (&row[column], widths[column]);
                    if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                })
                .collect();
            self.say(cells.join("  ").trim_end());
        }
    }

    /// Something the user should know.
    pub fn warn(self, line: impl AsRef<str>) {
        if self.quiet {
            return;
        }
        let _ = writeln!(std::io::stderr(), "warning: {}", as_typed(line.as_ref()));
    }

    /// The result for programs.
    pub fn result(self, value: &Value) {
        if self.json {
            let _ = writeln!(std::io::stdout(), "{value}");
        }
    }

    /// Whether progress bars make sense.
    pub fn bars(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// The command as typed; what is no Unicode in it becomes `\u{fffd}`.
pub fn command_line() -> String {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A path as JSON. What is no Unicode in it, which JSON lacks, becomes `\u{fffd}`.
pub fn path(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// A number as JSON; NaN and infinities, which JSON lacks, as null.
pub fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}
