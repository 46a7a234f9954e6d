//! Hugging Face's `imagefolder` with metadata: a table `metadata.csv`, `.jsonl` or `.parquet` with a column `file_name`,
//! beside the images of each part or above all of them
//! (<https://huggingface.co/docs/datasets/image_dataset#imagefolder>).

use std::fs;
use std::path::{Path, PathBuf};

use super::class_name;
use super::listing::Listing;
use super::rows::Rows;
use super::split_name::{Part, recognise};
use super::table::{has_label, is_table, list_rows, read};
use super::{Columns, OpenOptions};
use crate::error::DataError;

/// The column that Hugging Face asks for.
const FILE_NAME: &str = "file_name";
/// The names that the table may have.
const NAMES: [&str; 3] = ["metadata.csv", "metadata.jsonl", "metadata.parquet"];

/// Whether `dir` has such tables, and they have labels; without, the folders may be the classes.
pub(crate) fn is(dir: &Path) -> bool {
    let labelled = |path: &PathBuf| {
        read(path)
            .is_ok_and(|table| table.column(FILE_NAME).is_some() && has_label(&table, &Columns::default()))
    };
    tables(dir).first().is_some_and(labelled)
}

/// The images that the tables name.
pub(crate) fn list(dir: &Path, options: &OpenOptions) -> Result<Listing, DataError> {
    let mut rows = Rows::new(super::name(dir), dir);
    for path in tables(dir) {
        let table = read(&path)?;
        let own = path.parent().unwrap_or(dir).to_path_buf();
        let part = if own == dir { None } else { part_of(&own) };
        let mut options = options.clone();
        let columns = &mut options.columns;
        columns.file.get_or_insert_with(|| FILE_NAME.to_owned());
        columns.images.get_or_insert(own);
        list_rows(&table, &options, part, &mut rows)?;
    }
    parts_by_folder(dir, &mut rows);
    rows.list(options)
}

/// The tables: in `dir`, else in the folders inside it, or in those of `data/`.
fn tables(dir: &Path) -> Vec<PathBuf> {
    let here = |dir: &Path| NAMES.iter().map(|name| dir.join(name)).find(|path| is_table(path));
    if let Some(path) = here(dir) {
        return vec![path];
    }
    let inside = |dir: &Path| -> Vec<PathBuf> {
        let folders = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut tables: Vec<PathBuf> =
            folders.filter(|path| path.is_dir()).filter_map(|path| here(&path)).collect();
        tables.sort();
        tables
    };
    let tables = inside(dir);
    if tables.is_empty() { inside(&dir.join("data")) } else { tables }
}

fn part_of(folder: &Path) -> Option<Part> {
    recognise(&class_name(folder.file_name()?)).map(|name| name.part)
}

/// A table above all images names them as `train/1.jpg`: then the folders are the parts, if all of them are.
fn parts_by_folder(dir: &Path, rows: &mut Rows) {
    let part = |path: &Path| part_of(Path::new(path.strip_prefix(dir).ok()?.iter().next()?));
    if rows.rows.iter().all(|row| row.part.is_none() && part(&row.path).is_some()) {
        rows.rows.iter_mut().for_each(|row| row.part = part(&row.path));
    }
}
