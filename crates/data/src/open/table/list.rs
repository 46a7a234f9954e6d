//! A table as a listing of images.

use std::path::{Path, PathBuf};
use wellfit_base::Shown;

use super::files::{Finder, folder_of};
use super::labels;
#[cfg(feature = "parquet")]
use super::parquet;
use super::read::{Table, problem};
use super::roles::{self, Roles};
use crate::error::DataError;
use crate::open::check::Suspicious;
use crate::open::entry::extension;
use crate::open::listing::Listing;
#[cfg(not(feature = "parquet"))]
use crate::open::parquet;
use crate::open::remark::Remark;
use crate::open::rows::{Row, Rows};
use crate::open::split_name::{Part, recognise};
use crate::open::{Columns, OpenOptions};

/// Whether a file is a table, by its name.
pub(crate) fn is_table(path: &Path) -> bool {
    if extension(path) == "parquet" {
        return path.is_file() && parquet::is_plain(path);
    }
    let table = ["csv", "tsv", "tab", "jsonl", "ndjson", "json"].contains(&extension(path).as_str());
    table && path.is_file()
}

/// The table in a file.
pub(crate) fn read(path: &Path) -> Result<Table, DataError> {
    if extension(path) == "parquet" { parquet::read(path) } else { Table::read(path) }
}

/// The images that a table names.
pub(crate) fn list(path: &Path, options: &OpenOptions) -> Result<Listing, DataError> {
    let mut rows = Rows::new(super::super::name(path), path);
    list_rows(&read(path)?, options, None, &mut rows)?;
    rows.list(options)
}

/// Add the images that a table names to `rows`, all of a `part` if its place says so.
pub(crate) fn list_rows(
    table: &Table,
    options: &OpenOptions,
    part: Option<Part>,
    rows: &mut Rows,
) -> Result<(), DataError> {
    let wrong = |sentence: String| problem(&table.path, &sentence);
    let columns = &options.columns;
    let candidates = roles::file_candidates(table, columns).map_err(wrong)?;
    let folder = folder(table, columns, &candidates, rows)?;
    let mut finder = Finder::new(folder);
    let file = roles::file(table, &candidates, &mut finder).map_err(wrong)?;
    if !options.need.labels() {
        return images_only(table, file, &mut finder, rows);
    }
    let label = roles::label(table, columns, file).map_err(wrong)?;
    let split = if part.is_some() { None } else { roles::split(table, columns).map_err(wrong)? };
    if file == label {
        return Err(wrong(format!("column ‘{}’ cannot name both files and labels", table.columns[file])));
    }
    let roles = Roles { file, label, split };
    rows.remarks.push(remark(table, roles));
    let labels = labels::labels(table, label).map_err(wrong)?;
    let mut gone = Vec::new();
    for ((line, row), label) in table.rows.iter().zip(labels) {
        let part = match split {
            Some(column) => Some(part_of(&row[column]).ok_or_else(|| {
                let (name, value) = (&table.columns[column], &row[column]);
                wrong(format!(
                    "line {line}: ‘{value}’ in column ‘{name}’ is no part: write train, val or test"
                ))
            })?),
            None => part,
        };
        match finder.find(&row[file]) {
            Some(path) => rows.rows.push(Row { path, label, part, at: (table.path.clone(), *line) }),
            None => gone.push((*line, finder.folder.join(&row[file]))),
        }
    }
    missing(table, gone, options.skip_bad, rows)
}

/// Add the images that a column names, whatever else the table says. Files that are not there are left out, if some are.
fn images_only(table: &Table, file: usize, finder: &mut Finder, rows: &mut Rows) -> Result<(), DataError> {
    let mut gone = Vec::new();
    for (line, row) in &table.rows {
        let at = (table.path.clone(), *line);
        match finder.find(&row[file]) {
            Some(path) => rows.rows.push(Row { path, label: String::new(), part: None, at }),
            None => gone.push((*line, finder.folder.join(&row[file]))),
        }
    }
    missing(table, gone, true, rows)
}

/// The folder that names of files begin in.
fn folder(
    table: &Table,
    columns: &Columns,
    candidates: &[usize],
    rows: &mut Rows,
) -> Result<PathBuf, DataError> {
    let beside = table.path.parent().unwrap_or(Path::new("")).to_path_buf();
    if let Some(images) = &columns.images {
        if images.is_dir() {
            return Ok(images.clone());
        }
        let sentence =
            "--images names no folder: give the folder that the names of files in the table begin in";
        return Err(problem(images, sentence));
    }
    let Some(found) = folder_of(table, candidates)? else { return Ok(beside) };
    let is_beside = found.as_os_str() == "." || found == beside;
    if !is_beside {
        rows.remarks.push(Remark::Inside(found.clone()));
    }
    Ok(if is_beside { beside } else { found })
}

fn remark(table: &Table, roles: Roles) -> Remark {
    let name = |column: usize| table.columns[column].clone();
    let (file, label, split) = (name(roles.file), name(roles.label), roles.split.map(name));
    Remark::ColumnsUsed { table: table.path.clone(), file, label, split }
}

/// The part that a value means.
fn part_of(value: &str) -> Option<Part> {
    recognise(value).map(|name| name.part)
}

/// Files that are named and not there are an error, or are left out.
fn missing(
    table: &Table,
    gone: Vec<(usize, PathBuf)>,
    skip_bad: bool,
    rows: &mut Rows,
) -> Result<(), DataError> {
    if gone.is_empty() {
        return Ok(());
    }
    if skip_bad && gone.len() < table.rows.len() {
        let bad = |(line, path): (usize, PathBuf)| Suspicious {
            path,
            reason: format!("it is named in line {line} of {}, and not there", table.path.shown()),
        };
        rows.skipped.extend(gone.into_iter().map(bad));
        return Ok(());
    }
    let first: Vec<String> =
        gone.iter().take(5).map(|(line, path)| format!("\n  line {line}: {}", path.shown())).collect();
    let is_address = gone[0].1.to_string_lossy().contains("://");
    let advice = match () {
        () if is_address => "They are addresses: download the images and name their files",
        () if gone.len() == table.rows.len() => {
            "Say where the images are with --images DIR, or which column names them with --file-column"
        }
        () => "Add or remove them, or leave them out with --skip-bad",
    };
    let (count, all) = (gone.len(), table.rows.len());
    let sentence = format!("{count} of the {all} files it names are not there:{}\n{advice}", first.concat());
    Err(problem(&table.path, &sentence))
}
