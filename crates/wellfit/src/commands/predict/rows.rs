//! Predictions as CSV or JSON lines, one image a row.

use crate::error::CliError;
use crate::output;
use serde_json::Value;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::file;
use wellfit::base::shown::shown;
use wellfit::run::prediction_json;

/// The classes of an image, the most likely first, or why it has none.
pub type Row<'a> = Result<Vec<(&'a str, f32)>, &'a str>;

/// Where rows go, and how they are written.
pub struct Rows {
    writer: Writer,
    /// The file, for errors.
    path: Option<PathBuf>,
    /// How many classes a row has.
    top: usize,
    /// They go to a terminal.
    terminal: bool,
    /// Whoever reads them has read enough (`| head`).
    closed: bool,
}

enum Writer {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    JsonLines(Box<dyn Write>),
}

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of names, then a line an image.
    Csv,
    /// A JSON object an image.
    JsonLines,
}

impl Rows {
    /// Rows in a file, or on standard output.
    pub fn new(format: Format, path: Option<&Path>, force: bool, top: usize) -> Result<Self, CliError> {
        let to: Box<dyn Write> = match path {
            None => Box::new(io::stdout()),
            Some(path) => {
                Box::new(io::BufWriter::new(file::create(path, force).map_err(
                    |cause| match cause.kind() {
                        ErrorKind::AlreadyExists => {
                            CliError::Output(format!("{} exists: give --force or another file", path.shown()))
                        }
                        _ => CliError::write(path.to_owned())(cause),
                    },
                )?))
            }
        };
        let writer = match format {
            Format::Csv => Writer::Csv(Box::new(csv::Writer::from_writer(to))),
            Format::JsonLines => Writer::JsonLines(to),
        };
        let terminal = path.is_none() && io::stdout().is_terminal();
        let mut rows = Self { writer, path: path.map(Path::to_owned), top, terminal, closed: false };
        rows.head()?;
        Ok(rows)
    }

    fn head(&mut self) -> Result<(), CliError> {
        let Writer::Csv(csv) = &mut self.writer else { return Ok(()) };
        let more =
            (2..=self.top).flat_map(|place| [format!("class_{place}"), format!("probability_{place}")]);
        let first = ["image", "error", "class", "probability"].map(String::from);
        let done = csv.write_record(first.into_iter().chain(more)).map_err(io::Error::from);
        self.check(done)
    }

    /// Write an image's row.
    pub fn write(&mut self, image: &Path, row: &Row<'_>) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        let done = match &mut self.writer {
            Writer::Csv(csv) => {
                let cells = cells(image, row, self.top);
                // Exact for programs; a terminal has a person before it.
                let cells =
                    if self.terminal { cells.iter().map(|cell| plain(cell)).collect() } else { cells };
                csv.write_record(cells).map_err(io::Error::from)
            }
            Writer::JsonLines(to) => writeln!(to, "{}", output::json_line(&value(image, row))),
        };
        self.check(done)
    }

    /// Bring what was written to where it goes: after every batch.
    pub fn flush(&mut self) -> Result<(), CliError> {
        let done = match &mut self.writer {
            Writer::Csv(csv) => csv.flush(),
            Writer::JsonLines(to) => to.flush(),
        };
        self.check(done)
    }

    /// Whether nobody reads them any more.
    pub fn closed(&self) -> bool {
        self.closed
    }

    fn check(&mut self, done: io::Result<()>) -> Result<(), CliError> {
        match (done, &self.path) {
            (Ok(()), _) => Ok(()),
            (Err(cause), None) if cause.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            (Err(cause), path) => {
                Err(CliError::write(path.clone().unwrap_or_else(|| "standard output".into()))(cause))
            }
        }
    }
}

/// A cell with nothing in it that a terminal obeys.
fn plain(cell: &[u8]) -> Vec<u8> {
    shown(&String::from_utf8_lossy(cell)).into_owned().into_bytes()
}

/// Image, error, and the classes with their probabilities, as cells; all rows have as many.
fn cells(image: &Path, row: &Row<'_>, top: usize) -> Vec<Vec<u8>> {
    let mut cells = vec![image.as_os_str().as_encoded_bytes().to_vec()];
    cells.push(row.as_ref().err().map_or_else(Vec::new, |reason| reason.as_bytes().to_vec()));
    for place in 0..top {
        let found = row.as_ref().ok().and_then(|classes| classes.get(place));
        let [class, probability] = found.map_or_else(Default::default, |(class, probability)| {
            [class.as_bytes().to_vec(), format!("{probability:.6}").into_bytes()]
        });
        cells.extend([class, probability]);
    }
    cells
}

/// An image's prediction for programs.
pub fn value(image: &Path, row: &Row<'_>) -> Value {
    prediction_json(image, row.as_deref().map_err(|reason| *reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_as_many_cells_as_the_head_and_quote_what_must_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        let mut rows = Rows::new(Format::Csv, Some(&path), false, 2).unwrap();
        rows.write(Path::new("a, b.png"), &Ok(vec![("cat", 0.75), ("do\"g", 0.25)])).unwrap();
        rows.write(Path::new("bad.png"), &Err("the file is empty")).unwrap();
        rows.flush().unwrap();
        let text = String::from_utf8(file::read(&path, 1000).unwrap()).unwrap();
        assert_eq!(
            text,
            "image,error,class,probability,class_2,probability_2\n\
             \"a, b.png\",,cat,0.750000,\"do\"\"g\",0.250000\nbad.png,the file is empty,,,,\n"
        );
        assert!(Rows::new(Format::Csv, Some(&path), false, 2).is_err(), "it is there");
        assert!(Rows::new(Format::Csv, Some(&path), true, 2).is_ok());
    }

    #[test]
    fn json_lines_are_objects() {
        let row = value(Path::new("a.png"), &Ok(vec![("cat", 0.5)]));
        assert_eq!(row.to_string(), r#"{"image":"a.png","top":[{"class":"cat","probability":0.5}]}"#);
        assert_eq!(value(Path::new("b"), &Err("why")).to_string(), r#"{"error":"why","image":"b"}"#);
    }
}
