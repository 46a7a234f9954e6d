//! From the bytes of a table to its cells, as text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wellfit_base::file;
use wellfit_images::EXTENSIONS;

use crate::error::DataError;
use crate::open::entry::extension;

/// The most bytes of a table: 1 GiB, some ten million images.
pub(super) const MOST: u64 = 1 << 30;
/// What stands between the values of a list in JSON.
pub(super) const LIST: &str = " | ";

/// A table of text.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its file.
    pub path: PathBuf,
    /// The names of the columns; numbers from 1 where there is no line of names.
    pub columns: Vec<String>,
    /// The cells of each row, and the line it begins in.
    pub rows: Vec<(usize, Vec<String>)>,
    /// Whether the first line is a row already.
    pub is_headless: bool,
}

impl Table {
    /// Read a table by the extension of its name: `.csv`, `.tsv`, `.jsonl`, `.ndjson` or `.json` (a list of objects).
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = file::read(path, MOST).map_err(DataError::io(path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            problem(path, &format!("{}: save the table as UTF-8", encoding(error.as_bytes())))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let table = match extension(path).as_str() {
            "jsonl" | "ndjson" => json_lines(text, path),
            "json" => json_list(text, path),
            ending => delimited(text, path, ending == "tsv" || ending == "tab"),
        }?;
        if table.rows.is_empty() {
            return Err(problem(path, "the table has no rows"));
        }
        Ok(table)
    }

    /// The place of a column by its name, else by its name in any capitals.
    pub fn column(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column == name);
        exact.or_else(|| self.columns.iter().position(|column| column.eq_ignore_ascii_case(name)))
    }

    /// The cells of a column.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |(_, row)| row[column].as_str())
    }

    /// The names of the columns, for a sentence.
    pub fn seen(&self) -> String {
        if self.is_headless {
            return format!("it has {} columns without names", self.columns.len());
        }
        const MOST_NAMES: usize = 20;
        let names: Vec<&str> = self.columns.iter().map(String::as_str).take(MOST_NAMES).collect();
        let more = self.columns.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("its columns are {}{more}", names.join(", "))
    }
}

/// An error about a table.
pub(super) fn problem(path: &Path, problem: &str) -> DataError {
    DataError::Layout { path: path.to_path_buf(), problem: problem.to_owned() }
}

fn encoding(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16 text",
        [b'P', b'K', ..] => "it is a zip file or a spreadsheet, and no text",
        [0x1f, 0x8b, ..] => "it is gzipped",
        _ => "it is not UTF-8 text",
    }
}

fn delimited(text: &str, path: &Path, by_tabs: bool) -> Result<Table, DataError> {
    let delimiter = if by_tabs { b'\t' } else { delimiter(text) };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<String>> = None;
    let (mut rows, mut is_headless) = (Vec::new(), false);
    for record in reader.records() {
        let record = record.map_err(|error| problem(path, &error.to_string()))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let Some(columns) = &columns else {
            // No column is called `a.jpg`.
            is_headless = cells.iter().any(|cell| EXTENSIONS.contains(&&*extension(Path::new(cell))));
            if is_headless {
                columns = Some((1..=cells.len()).map(|number| number.to_string()).collect());
                rows.push((line, cells));
            } else {
                unlike(&cells).map_err(|error| problem(path, &error))?;
                columns = Some(cells);
            }
            continue;
        };
        if cells.len() != columns.len() {
            let (found, expected) = (cells.len(), columns.len());
            return Err(problem(
                path,
                &format!(
                    "line {line}: {found} values where the first line has {expected}: quote values that hold the separator"
                ),
            ));
        }
        rows.push((line, cells));
    }
    Ok(Table { path: path.into(), columns: columns.unwrap_or_default(), rows, is_headless })
}

/// The separator that is most frequent in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|&byte| byte == delimiter).count();
    // The last of equal ones wins: a comma.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// Two columns of one name could not be told apart.
fn unlike(columns: &[String]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    match columns.iter().find(|column| !column.is_empty() && !seen.insert(*column)) {
        None => Ok(()),
        Some(twice) => Err(format!("two columns are called ‘{twice}’: rename one of them")),
    }
}

fn json_lines(text: &str, path: &Path) -> Result<Table, DataError> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let objects = lines.map(|(line, text)| match serde_json::from_str(text) {
        Ok(object) => Ok((line, object)),
        Err(error) => Err(problem(path, &format!("line {line} is no JSON object: {error}"))),
    });
    objects_table(path, &objects.collect::<Result<Vec<_>, _>>()?)
}

fn json_list(text: &str, path: &Path) -> Result<Table, DataError> {
    let list: Vec<Map<String, Value>> = serde_json::from_str(text)
        .map_err(|error| problem(path, &format!("it is no list of JSON objects, one an image: {error}")))?;
    objects_table(path, &(1..).zip(list).collect::<Vec<_>>())
}

/// The columns are the names in the first objects, sorted; what is missing in a row is empty.
fn objects_table(path: &Path, objects: &[(usize, Map<String, Value>)]) -> Result<Table, DataError> {
    let names: BTreeSet<&String> = objects.iter().flat_map(|(_, object)| object.keys()).collect();
    let columns: Vec<String> = names.into_iter().cloned().collect();
    let cells = |object: &Map<String, Value>| columns.iter().map(|name| cell(object.get(name))).collect();
    let rows = objects.iter().map(|(line, object)| (*line, cells(object))).collect();
    Ok(Table { path: path.into(), columns, rows, is_headless: false })
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Array(values)) => {
            values.iter().map(|value| cell(Some(value))).collect::<Vec<_>>().join(LIST)
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Result<Table, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        Table::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_of_a_table_has_the_same_cells() {
        for (name, text) in [
            ("a.csv", "file,label\na b.jpg,\"x, y\"\nc.jpg,z\n"),
            ("a.csv", "\u{feff}file;label\r\na b.jpg;x, y\r\n\r\nc.jpg;z"),
            ("a.tsv", "file\tlabel\na b.jpg\tx, y\nc.jpg\tz\n"),
            ("a.csv", "file\tlabel\na b.jpg\tx, y\nc.jpg\tz\n"),
            ("a.jsonl", "{\"file\":\"a b.jpg\",\"label\":\"x, y\"}\n{\"label\":\"z\",\"file\":\"c.jpg\"}\n"),
            ("a.json", "[{\"file\":\"a b.jpg\",\"label\":\"x, y\"},{\"label\":\"z\",\"file\":\"c.jpg\"}]"),
        ] {
            let table = table(name, text).unwrap();
            assert_eq!(table.columns, ["file", "label"], "{name} {text}");
            let cells: Vec<&Vec<String>> = table.rows.iter().map(|(_, row)| row).collect();
            assert_eq!(cells, [&["a b.jpg", "x, y"], &["c.jpg", "z"]], "{name} {text}");
        }
    }

    #[test]
    fn what_is_no_table_says_where() {
        for (name, text, what) in [
            ("a.csv", "", "no rows"),
            ("a.csv", "file,label\n", "no rows"),
            ("a.csv", "file,label\na.jpg,x\nb.jpg\n", "line 3: 1 values where the first line has 2"),
            ("a.csv", "file,file\na.jpg,x\n", "two columns are called ‘file’"),
            ("a.jsonl", "{\"file\":1}\n\nnonsense\n", "line 3 is no JSON object"),
            ("a.jsonl", "[1]\n", "line 1 is no JSON object"),
            ("a.json", "{\"images\":[]}", "no list of JSON objects"),
        ] {
            let error = table(name, text).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_first_line_with_an_image_is_a_row() {
        let table = table("a.csv", "a.jpg,x\nb.jpg,y\n").unwrap();
        assert_eq!((table.columns.len(), table.rows.len(), table.is_headless), (2, 2, true));
    }
}
