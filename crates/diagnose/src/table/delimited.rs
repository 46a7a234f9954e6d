//! The rows of a text with separators between its cells.

use super::problem::ColumnError;
use csv::{Reader, ReaderBuilder, StringRecord, Terminator, Trim};

/// What may stand between cells. A comma is the last, so that it wins where as many of another are found.
const SEPARATORS: [char; 3] = ['\t', ';', ','];
/// What spreadsheets write before the first row.
const DIRECTIVE: &str = "sep=";

/// The rows of a file, without those that are blank.
pub struct Rows<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Whether a comma may stand for the decimal point: it does not separate cells.
    pub decimal_commas: bool,
    /// Where the newest row begins, and its line, from 1.
    place: (usize, u64),
}

impl<'a> Rows<'a> {
    /// Of a text whose first row says what separates its cells.
    pub fn new(text: &'a str) -> Self {
        let directive = text.trim_start().lines().next().and_then(|line| line.trim().strip_prefix(DIRECTIVE));
        let told = directive.and_then(|rest| rest.chars().next()).filter(char::is_ascii);
        let separator = told.unwrap_or_else(|| separator(text));
        // A carriage return before the line's end is trimmed like a blank.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All).terminator(Terminator::Any(b'\n'));
        builder.delimiter(separator as u8);
        let (reader, decimal_commas) = (builder.from_reader(text.as_bytes()), separator != ',');
        let mut rows = Self { text, reader, decimal_commas, place: (0, 1) };
        if told.is_some() {
            let _ = rows.next();
        }
        rows
    }

    /// The next row: its line, from 1, and its cells.
    pub fn next(&mut self) -> Result<Option<(u64, Vec<String>)>, ColumnError> {
        let mut record = StringRecord::new();
        while self
            .reader
            .read_record(&mut record)
            .map_err(|error| ColumnError::in_line(self.place.1, &error.to_string()))?
        {
            let begin = record.position().map_or(0, |position| position.byte() as usize);
            let (line, row) = self.locate(begin);
            if !row.trim().is_empty() {
                return Ok(Some((line, record.iter().map(unquoted).collect())));
            }
        }
        Ok(None)
    }

    /// The line of the record that begins at this byte, and its text. The reader skips empty lines before a record
    /// without saying so.
    fn locate(&mut self, begin: usize) -> (u64, &'a str) {
        let text = self.text;
        let rest = text.get(begin..).unwrap_or_default();
        let begin = begin + (rest.len() - rest.trim_start_matches('\n').len());
        let passed = text.get(self.place.0..begin).unwrap_or_default();
        let lines = passed.bytes().filter(|&byte| byte == b'\n').count() as u64;
        self.place = (begin, self.place.1 + lines);
        (self.place.1, text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default())
    }
}

/// What is most frequent in the first row, outside of quotes; a comma where nothing is.
fn separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let bare: String = first.split('"').step_by(2).collect();
    let count = |separator: &char| bare.matches(*separator).count();
    SEPARATORS.into_iter().max_by_key(count).unwrap_or(',')
}

/// A cell without the quotes around it. The reader leaves them where there are blanks in front.
fn unquoted(cell: &str) -> String {
    cell.trim_matches('"').trim().to_owned()
}
