//! Which column of a table names the files, which the labels, and which the parts.

use std::collections::HashMap;
use wellfit_base::Shown;

use super::files::Finder;
use super::labels::one_hot;
use super::read::Table;
use crate::open::Columns;
use crate::open::multi_label::several;
use crate::open::split_name::recognise;

/// Names of columns with files, in letters and digits only.
const FILE: [&str; 26] = [
    "filename",
    "file",
    "filepath",
    "imagepath",
    "imgpath",
    "image",
    "img",
    "imagefile",
    "imagefilename",
    "imagename",
    "imgname",
    "path",
    "relativepath",
    "relpath",
    "picture",
    "photo",
    "photopath",
    "imageid",
    "imgid",
    "isicid",
    "photoid",
    "fileid",
    "id",
    "idcode",
    "name",
    "filepaths",
];
/// Names of columns with labels.
const LABEL: [&str; 22] = [
    "label",
    "labels",
    "class",
    "classname",
    "classes",
    "labelname",
    "category",
    "categoryname",
    "categories",
    "target",
    "targetname",
    "species",
    "speciesname",
    "breed",
    "variety",
    "diagnosis",
    "dx",
    "classid",
    "labelid",
    "categoryid",
    "y",
    "groundtruth",
];
/// Names of columns with parts.
const SPLIT: [&str; 8] = ["split", "splits", "set", "subset", "partition", "dataset", "datasetsplit", "part"];

/// The columns that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Roles {
    pub file: usize,
    pub label: usize,
    pub split: Option<usize>,
}

/// Letters and digits, in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Columns that have one of these names.
fn called(table: &Table, names: &[&str]) -> Vec<usize> {
    let is = |column: &usize| names.contains(&plain(&table.columns[*column]).as_str());
    (0..table.columns.len()).filter(is).collect()
}

/// Whether there is a column that may hold labels.
pub(crate) fn has_label(table: &Table, columns: &Columns) -> bool {
    columns.label.is_some() || !called(table, &LABEL).is_empty()
}

/// The column of that name, which was asked for.
fn given(table: &Table, name: &str, option: &str) -> Result<usize, String> {
    table.column(name).ok_or_else(|| format!("there is no column ‘{name}’ for {option}: {}", table.seen()))
}

/// Columns that may name files.
pub(super) fn file_candidates(table: &Table, columns: &Columns) -> Result<Vec<usize>, String> {
    if let Some(name) = &columns.file {
        return Ok(vec![given(table, name, "--file-column")?]);
    }
    if table.is_headless {
        let is_file = |column: &usize| {
            let cell = table.cells(*column).next().unwrap_or_default();
            wellfit_images::EXTENSIONS.contains(&&*crate::open::entry::extension(cell.as_ref()))
        };
        return Ok((0..table.columns.len()).filter(is_file).collect());
    }
    Ok(called(table, &FILE))
}

/// The column of the files: of those that may be, the one whose first cells are found.
pub(super) fn file(table: &Table, candidates: &[usize], finder: &mut Finder) -> Result<usize, String> {
    let found: Vec<usize> = candidates.iter().copied().map(|column| finder.found(table, column)).collect();
    let most = found.iter().copied().max().unwrap_or(0);
    let best: Vec<usize> = candidates
        .iter()
        .zip(&found)
        .filter(|(_, found)| **found == most)
        .map(|(column, _)| *column)
        .collect();
    match (&best[..], most) {
        ([], _) => {
            Err(format!("which column names the image files? {}: say it with --file-column", table.seen()))
        }
        ([one], _) => Ok(*one),
        (several, 0) => Err(format!(
            "columns {} may name the image files, but none of their first values is a file in {}: say which with \
             --file-column, and where the images are with --images DIR",
            quoted(table, several),
            finder.folder.shown()
        )),
        ([first, others @ ..], _) => {
            let mut same = |row: &Vec<String>| {
                let file = finder.find(&row[*first]);
                others.iter().all(|&other| finder.find(&row[other]) == file)
            };
            if table.rows.iter().take(1000).all(|(_, row)| same(row)) {
                return Ok(*first);
            }
            Err(format!(
                "columns {} may both name the image files: say which with --file-column",
                quoted(table, &best)
            ))
        }
    }
}

fn quoted(table: &Table, columns: &[usize]) -> String {
    columns.iter().map(|&column| format!("‘{}’", table.columns[column])).collect::<Vec<_>>().join(" and ")
}

/// The column of the labels.
pub(super) fn label(table: &Table, columns: &Columns, file: usize) -> Result<usize, String> {
    if let Some(name) = &columns.label {
        return given(table, name, "--label-column");
    }
    let mut candidates: Vec<usize> = match (table.is_headless, table.columns.len()) {
        (true, 2) => vec![1 - file],
        (true, _) => Vec::new(),
        _ => called(table, &LABEL),
    };
    candidates.retain(|&column| column != file);
    match candidates[..] {
        [] => Err(no_label(table)),
        [one] => Ok(one),
        [first, ..] => {
            if !candidates.iter().all(|&other| say_the_same(table, first, other)) {
                return Err(format!(
                    "columns {} may all be the label: say which with --label-column",
                    quoted(table, &candidates)
                ));
            }
            // A number and its name: the name.
            let is_name = |column: &usize| table.cells(*column).any(|cell| cell.parse::<f64>().is_err());
            Ok(candidates.iter().copied().find(is_name).unwrap_or(first))
        }
    }
}

fn no_label(table: &Table) -> String {
    let hot = one_hot(table);
    if hot.is_empty() {
        return format!("which column holds the labels? {}: say it with --label-column", table.seen());
    }
    let is_hot = |column: &usize| hot.contains(&table.columns[*column].as_str());
    let hot_columns: Vec<usize> = (0..table.columns.len()).filter(is_hot).collect();
    let ones = |row: &Vec<String>| hot_columns.iter().filter(|&&column| row[column].starts_with('1')).count();
    let names = hot.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    match table.rows.iter().find(|(_, row)| ones(row) > 1) {
        Some((line, _)) => {
            several(&format!("columns {names} are a class each, and line {line} has several of them"))
        }
        None => format!(
            "columns {names} are a class each: put the name of each image's class into one column called ‘label’, or \
             name the column of the labels with --label-column"
        ),
    }
}

/// Whether two columns divide the rows alike.
fn say_the_same(table: &Table, a: usize, b: usize) -> bool {
    let (mut to, mut from) = (HashMap::new(), HashMap::new());
    table.rows.iter().all(|(_, row)| {
        let (a, b) = (row[a].as_str(), row[b].as_str());
        *to.entry(a).or_insert(b) == b && *from.entry(b).or_insert(a) == a
    })
}

/// The column of the parts, if there is one.
pub(super) fn split(table: &Table, columns: &Columns) -> Result<Option<usize>, String> {
    if let Some(name) = &columns.split {
        return given(table, name, "--split-column").map(Some);
    }
    // `set` and `dataset` may be about something else.
    let tells = |column: &usize| {
        plain(&table.columns[*column]) == "split"
            || table.cells(*column).all(|cell| recognise(cell).is_some())
    };
    let candidates: Vec<usize> = called(table, &SPLIT).into_iter().filter(tells).collect();
    match candidates[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(format!(
            "columns {} may all say what is for training: say which with --split-column",
            quoted(table, &candidates)
        )),
    }
}
