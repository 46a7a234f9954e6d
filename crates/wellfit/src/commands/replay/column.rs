//! One column of a CSV file: with a first line of names, as Keras' and Lightning's loggers and pandas write it,
//! or just a number a line.

#[cfg(test)]
mod fuzz;

use crate::error::CliError;
use csv::{Reader, ReaderBuilder, StringRecord, Terminator, Trim};
use wellfit::data::DataError;

/// The column taken when none is asked for, where there are several.
const USUAL: &str = "val_loss";

/// The numbers of a column.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// Its name; `metric` without a line of names.
    pub name: String,
    /// At least one.
    pub values: Vec<f64>,
    /// Rows with nothing in this column, which Lightning writes for its other metrics.
    pub empty: usize,
}

/// Why there is no such column.
#[derive(Debug, PartialEq)]
pub enum ColumnError {
    /// The choice of the column is wrong: another one may do.
    Choice(String),
    /// The file is.
    File(String),
}

impl ColumnError {
    /// The error, naming the file.
    pub fn at(self, place: &str) -> CliError {
        match self {
            Self::Choice(problem) => CliError::Usage(format!("{place} {problem}")),
            Self::File(problem) => DataError::Invalid(format!("{place}{problem}")).into(),
        }
    }
}

/// Reads the column of that name, or else `val_loss`, or else the only one.
pub fn column(text: &str, wanted: Option<&str>) -> Result<Column, ColumnError> {
    let mut rows = Rows::new(text.trim_start_matches('\u{feff}'));
    let mut next = rows.next()?;
    let first = next.as_ref().map(|(_, fields)| fields.clone()).unwrap_or_default();
    let names = if first.iter().any(|field| is_name(field)) { first.clone() } else { Vec::new() };
    let index = if names.is_empty() { unnamed(&first, wanted)? } else { named(&names, wanted)? };
    if !names.is_empty() {
        next = rows.next()?;
    }
    let name = names.into_iter().nth(index).unwrap_or_else(|| "metric".to_owned());
    let mut column = Column { name, values: Vec::new(), empty: 0 };
    while let Some((line, fields)) = next {
        match value(&fields, index, first.len()).map_err(|problem| at_line(line, &problem))? {
            Some(value) => column.values.push(value),
            None => column.empty += 1,
        }
        next = rows.next()?;
    }
    if column.values.is_empty() {
        return Err(ColumnError::File(" holds no metrics: one number a line is expected".to_owned()));
    }
    Ok(column)
}

fn at_line(line: u64, problem: &str) -> ColumnError {
    ColumnError::File(format!(", line {line}: {problem}"))
}

/// The rows of a file, without those that are blank.
struct Rows<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Where the newest row begins, and its line, from 1.
    place: (usize, u64),
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        // A carriage return before the line's end is trimmed like a blank.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All).terminator(Terminator::Any(b'\n'));
        Self { text, reader: builder.from_reader(text.as_bytes()), place: (0, 1) }
    }

    /// The next row: its line, from 1, and its fields.
    fn next(&mut self) -> Result<Option<(u64, Vec<String>)>, ColumnError> {
        let mut record = StringRecord::new();
        while self
            .reader
            .read_record(&mut record)
            .map_err(|error| at_line(self.place.1, &error.to_string()))?
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

/// A field without the quotes around it. The reader leaves them where there are blanks in front.
fn unquoted(field: &str) -> String {
    field.trim_matches('"').trim().to_owned()
}

/// The number of a row in this column; `None` where the row has nothing there.
fn value(row: &[String], index: usize, columns: usize) -> Result<Option<f64>, String> {
    if row.len() != columns {
        return Err(format!("{} fields, but the first line has {columns}", row.len()));
    }
    let field = &row[index];
    if field.is_empty() {
        return Ok(None);
    }
    field.parse().map(Some).map_err(|_| format!("`{}` is not a number", shortened(field)))
}

/// The beginning of a field, on one line: a quote that is never closed makes the rest of a file one field.
fn shortened(field: &str) -> String {
    const MOST: usize = 40;
    let line = field.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < field.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

/// A name, and no number that was mistyped: a name does not begin like one.
fn is_name(field: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '_';
    field.starts_with(begins) && field.parse::<f64>().is_err()
}

fn unnamed(first: &[String], wanted: Option<&str>) -> Result<usize, ColumnError> {
    if let Some(name) = wanted {
        return Err(ColumnError::Choice(format!(
            "has no line of names, so no column `{name}`: leave --column out"
        )));
    }
    if first.len() > 1 {
        let problem = format!(" has {} columns without names: put a line of names first", first.len());
        return Err(ColumnError::File(problem));
    }
    Ok(0)
}

fn named(names: &[String], wanted: Option<&str>) -> Result<usize, ColumnError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str, wanted: Option<&str>) -> Result<Vec<f64>, String> {
        column(text, wanted).map(|column| column.values).map_err(|problem| problem.at("f").to_string())
    }

    #[test]
    fn a_number_a_line() {
        assert_eq!(values("\u{feff}0.5\r\n\n .25 \r\n1e-3", None), Ok(vec![0.5, 0.25, 0.001]));
        let special = values("nan\n-Infinity\nINF\n+NaN\n", None).unwrap();
        assert!(special[0].is_nan() && special[3].is_nan());
        assert_eq!(special[1..3], [f64::NEG_INFINITY, f64::INFINITY]);
    }

    #[test]
    fn columns_with_names() {
        let text = "epoch,\"a, b\",val_loss\n0,1,0.5\n1,2,0.25\n";
        assert_eq!(values(text, None), Ok(vec![0.5, 0.25]));
        assert_eq!(values(text, Some("a, b")), Ok(vec![1.0, 2.0]));
        assert_eq!(values("loss\n3\n", None), Ok(vec![3.0]));
    }

    /// As spreadsheets and pandas write: quotes within quotes, blanks around them, an empty field in quotes.
    #[test]
    fn quotes_are_read() {
        let text = "\"a \"\"b\"\", c\", \"val_loss\" \r\n\"1\",\"2.5\"\r\n\r\n1, \"3\"\r\n";
        assert_eq!(values(text, None), Ok(vec![2.5, 3.0]));
        assert_eq!(values(text, Some("a \"b\", c")), Ok(vec![1.0, 1.0]));
        let expected = Column { name: "loss".to_owned(), values: vec![1.0, 2.0], empty: 1 };
        assert_eq!(column("loss\n1\n\"\"\n  \n2\n", None), Ok(expected), "a blank line is no row");
    }

    #[test]
    fn rows_without_the_metric_are_counted() {
        let lightning = "step,train_loss,val_loss\n9,0.7,\n9,,0.6\n19,0.5,\n19,,0.4\n";
        let expected = Column { name: "val_loss".to_owned(), values: vec![0.6, 0.4], empty: 2 };
        assert_eq!(column(lightning, None), Ok(expected));
    }

    #[test]
    fn problems_name_the_line() {
        for (text, wanted, problem) in [
            ("", None, "f holds no metrics: one number a line is expected"),
            ("val_loss\n\n", None, "f holds no metrics: one number a line is expected"),
            ("0.5x\n0.4\n", None, "f, line 1: `0.5x` is not a number"),
            ("loss\n0.5\n\nhalf\n", None, "f, line 4: `half` is not a number"),
            ("\n\r\nloss\r\n0.5\r\n\r\n \nhalf\n", None, "f, line 7: `half` is not a number"),
            ("0.4\n\"0.5\n0.6\n", None, "f, line 2: `0.5…` is not a number"),
            ("a,val_loss\n1,2\n3\n", None, "f, line 3: 1 fields, but the first line has 2"),
            ("0.5,0.4\n", None, "f has 2 columns without names: put a line of names first"),
            ("a,a\n1,2\n", Some("a"), "f has two columns `a`: rename one"),
            ("a,b\n1,2\n", None, "f has no column val_loss: choose one with --column; it has a, b"),
            ("a,b\n1,2\n", Some("c"), "f has no column `c`; it has a, b"),
            ("1\n2\n", Some("c"), "f has no line of names, so no column `c`: leave --column out"),
        ] {
            assert_eq!(values(text, wanted), Err(problem.to_owned()), "{text:?}");
        }
    }

    proptest! {
        /// No text makes it panic.
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\",;.0-9\\n\\r é-]{0,60}", wanted in "[a-c]?") {
            let _ = column(&text, Some(wanted.as_str()).filter(|name| !name.is_empty()));
        }

        /// Numbers come back as they were written, in whichever column.
        #[test]
        fn written_numbers_are_read(rows in prop::collection::vec([any::<f64>(), any::<f64>()], 1..9), last: bool) {
            let lines: String = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect();
            let index = usize::from(last);
            let read = values(&format!("a,b\n{lines}"), Some(["a", "b"][index])).unwrap();
            let written: Vec<u64> = rows.iter().map(|row| row[index].to_bits()).collect();
            let same = |(read, written): (&f64, &u64)| read.to_bits() == *written || read.is_nan();
            prop_assert!(read.len() == written.len() && read.iter().zip(&written).all(same));
        }
    }
}
