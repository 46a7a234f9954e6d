//! Printing: lines for the user, JSON for programs.

use crate::program::as_typed;
use serde_json::Value;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use wellfit::base::shown::{shown, shown_lines};

/// Human lines to standard output, or to standard error when that is kept for JSON.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON object is the last line of standard output; everything else goes to standard error.
    pub json: bool,
    /// Errors only.
    pub quiet: bool,
    /// Standard output has rows of a table for programs, so lines for the user go to standard error.
    pub rows: bool,
}

impl Output {
    /// A line of text for the user.
    pub fn say(self, line: impl AsRef<str>) {
        self.say_good(line, "");
    }

    /// A line of text with good news in it, green on a terminal.
    pub fn say_good(self, line: impl AsRef<str>, good: &str) {
        if self.quiet {
            return;
        }
        let (width, coloured) = if self.aside() {
            (stderr_width(), colours(&std::io::stderr()))
        } else {
            (stdout_width(), colours(&std::io::stdout()))
        };
        let mut text = wrapped(&as_typed(&shown_lines(line.as_ref())), width);
        if !good.is_empty() {
            text = text.replacen(good, &paint(good, "32", coloured), 1);
        }
        if self.aside() {
            let _ = writeln!(std::io::stderr(), "{text}");
        } else {
            print(&text);
        }
    }

    /// Whether standard output belongs to programs.
    fn aside(self) -> bool {
        self.json || self.rows
    }

    /// A table for the user, its columns aligned: those in `right` to the right, for numbers.
    pub fn table<const N: usize>(self, rows: &[[String; N]], right: Range<usize>) {
        let rows: Vec<[String; N]> =
            rows.iter().map(|row| std::array::from_fn(|column| shown(&row[column]).into_owned())).collect();
        let width = |column: usize| {
            rows.iter().map(|row: &[String; N]| row[column].chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        for row in &rows {
            let cells: Vec<String> = (0..N)
                .filter(|&column| widths[column] > 0)
                .map(|column| {
                    let (cell, width) = (&row[column], widths[column]);
                    if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                })
                .collect();
            self.say(cells.join("  ").trim_end());
        }
    }

    /// The same for a terminal: columns of the list `less` are left out, one after the other, until it fits.
    pub fn fitting_table<const N: usize>(self, rows: &[[String; N]], right: Range<usize>, less: &[usize]) {
        let mut rows = rows.to_vec();
        let width = if self.aside() { stderr_width() } else { stdout_width() };
        for &column in less {
            if width.is_none_or(|width| table_width(&rows) <= width) {
                break;
            }
            rows.iter_mut().for_each(|row| row[column].clear());
        }
        self.table(&rows, right);
    }

    /// Something the user should know.
    pub fn warn(self, line: impl AsRef<str>) {
        if !self.quiet {
            headed("warning:", "33", line.as_ref());
        }
    }

    /// The result for programs.
    pub fn result(self, value: &Value) {
        if self.json {
            print(&json_line(value));
        }
    }

    /// Whether progress bars make sense.
    pub fn bars(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// Why the first line that standard output did not take was lost.
static LOST: OnceLock<String> = OnceLock::new();

/// Print a line to standard output. A full disk is no reason to end a training run, so it is told at the end; nobody misses
/// what a closed pipe (`wellfit … | head`) did not take.
fn print(line: &str) {
    note_loss(writeln!(std::io::stdout(), "{line}"));
}

/// Print a text as it is.
pub fn print_text(text: &str) {
    note_loss(std::io::stdout().write_all(text.as_bytes()));
}

/// Remember why standard output did not take something.
pub fn note_loss(result: std::io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// Why standard output is not complete, if it is not.
pub fn loss() -> Option<&'static str> {
    note_loss(std::io::stdout().flush());
    LOST.get().map(String::as_str)
}

/// What a table takes: columns that are empty are not printed.
fn table_width<const N: usize>(rows: &[[String; N]]) -> usize {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).filter(|width| *width > 0).collect();
    widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
}

fn stdout_width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}

fn stderr_width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0.into())
}

/// Print why a command failed.
pub fn error(problem: &str) {
    headed("error:", "31", &without_lines_of(std::env::args_os().skip(1), problem));
}

/// Print a text to standard error, a coloured word in front.
fn headed(word: &str, colour: &str, text: &str) {
    let text = wrapped(&format!("{word} {}", as_typed(&shown_lines(text))), stderr_width());
    let text = text.strip_prefix(word).unwrap_or(&text);
    let word = paint(word, colour, colours(&std::io::stderr()));
    let _ = writeln!(std::io::stderr(), "{word}{text}");
}

/// A text whose lines are broken between words to fit a terminal. Tables, whose cells are two spaces apart, are left as
/// they are, and so is a word that is too long.
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| *width > 20) else { return text.to_owned() };
    let line = |line: &str| {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if line.chars().count() <= width || words.contains("  ") {
            return line.to_owned();
        }
        let (mut text, mut column) = (" ".repeat(indent), indent);
        for (place, word) in words.split(' ').enumerate() {
            let length = word.chars().count();
            if place > 0 && column + 1 + length > width {
                text += &format!("\n{}", " ".repeat(indent + 2));
                column = indent + 2;
            } else if place > 0 {
                text.push(' ');
                column += 1;
            }
            text += word;
            column += length;
        }
        text
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Whether to use colours there: on a terminal that has them, unless the user wants none (<https://no-color.org>).
fn colours(stream: &impl IsTerminal) -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let able = std::env::var_os("TERM").is_some_and(|name| name != "dumb");
    wanted && able && stream.is_terminal()
}

fn paint(text: &str, colour: &str, coloured: bool) -> String {
    if coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// The command as typed; what is no Unicode in it becomes `\u{fffd}`.
pub fn command_line() -> String {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A JSON document on a line, in ASCII where a terminal would obey a character: JSON has an escape for each, so programs
/// read the same text.
pub fn json_line(value: &Value) -> String {
    let text = value.to_string();
    match shown(&text) {
        Cow::Borrowed(_) => text,
        // Ends of lines and other controls below a space are escaped in JSON already.
        Cow::Owned(_) => text.chars().map(json_character).collect(),
    }
}

fn json_character(c: char) -> Cow<'static, str> {
    let text = c.to_string();
    let obeyed = matches!(shown(&text), Cow::Owned(_));
    if obeyed { format!("\\u{:04x}", u32::from(c)).into() } else { text.into() }
}

/// A message in which ends of lines that stand in `words` as well, between the same two characters, are written `\n`: they
/// were typed, and begin no line of ours. All else that a terminal obeys is escaped wherever a message is printed.
pub fn without_lines_of(words: impl Iterator<Item = OsString>, message: &str) -> String {
    let mut message = message.to_owned();
    for word in words {
        let word = word.to_string_lossy();
        for (place, _) in word.match_indices('\n') {
            let before = word[..place].chars().next_back().map(String::from).unwrap_or_default();
            let after = word[place + 1..].chars().next().map(String::from).unwrap_or_default();
            message = message.replace(&format!("{before}\n{after}"), &format!("{before}\\n{after}"));
        }
    }
    message
}

/// A path as JSON. What is no Unicode in it, which JSON lacks, becomes `\u{fffd}`.
pub fn path(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// A number as JSON; NaN and infinities, which JSON lacks, as null.
pub fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_text_without_what_a_terminal_obeys() {
        let value = serde_json::json!({ "a\u{9b}2J": "gpj.\u{202e}exe\n\u{7f}猫" });
        let line = json_line(&value);
        assert_eq!(line, r#"{"a\u009b2J":"gpj.\u202eexe\n\u007f猫"}"#);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    #[test]
    fn a_typed_end_of_a_line_begins_none() {
        let words = || ["a\nerror: lost", "x\n", "plain"].map(OsString::from).into_iter();
        let message = "unknown `a\nerror: lost` in `x\n`\nTry another";
        assert_eq!(without_lines_of(words(), message), "unknown `a\\nerror: lost` in `x\\n`\nTry another");
    }

    #[test]
    fn lines_are_broken_between_words() {
        let text = "one two three four five six seven\n  eight nine ten eleven twelve";
        let narrow = "one two three four five\n  six seven\n  eight nine ten eleven\n    twelve";
        assert_eq!(wrapped(text, Some(24)), narrow);
        assert_eq!(wrapped(text, Some(80)), text);
        assert_eq!(wrapped(text, None), text);
        let table = "a cell            another cell of a table";
        assert_eq!(wrapped(table, Some(24)), table);
        let word = "x".repeat(40);
        assert_eq!(wrapped(&word, Some(24)), word);
    }
}
