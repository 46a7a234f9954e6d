//! From what a table says of an image to its file.

use std::path::{Path, PathBuf};

use wellfit_base::Shown;
use wellfit_images::EXTENSIONS;

use super::read::Table;
use crate::error::DataError;
use crate::open::entry::extension;
use crate::open::tree::Tree;

/// How many rows are tried to find out where images are.
const TRIED: usize = 20;

/// Finds the files that cells name.
#[derive(Debug)]
pub(super) struct Finder {
    /// The folder that names begin in.
    pub folder: PathBuf,
    /// The extension that helped last.
    last: String,
}

impl Finder {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, last: "jpg".to_owned() }
    }

    /// The file that a cell names: a path from the folder or an absolute one, with backslashes as well, and maybe
    /// without its extension.
    pub fn find(&mut self, cell: &str) -> Option<PathBuf> {
        if cell.is_empty() {
            return None;
        }
        let path = self.folder.join(cell);
        if path.is_file() {
            return Some(path);
        }
        if cell.contains('\\') {
            return self.find(&cell.replace('\\', "/"));
        }
        if EXTENSIONS.contains(&&*extension(Path::new(cell))) {
            return None;
        }
        let with =
            |ending: &str| Some(self.folder.join(format!("{cell}.{ending}"))).filter(|path| path.is_file());
        let any = || {
            let spellings =
                EXTENSIONS.iter().flat_map(|ending| [(*ending).to_owned(), ending.to_uppercase()]);
            spellings.into_iter().find_map(|ending| Some((with(&ending)?, ending)))
        };
        if let Some(path) = with(&self.last) {
            return Some(path);
        }
        let (path, ending) = any()?;
        self.last = ending;
        Some(path)
    }

    /// How many of the first cells of a column lead to files.
    pub fn found(&mut self, table: &Table, column: usize) -> usize {
        table.cells(column).take(TRIED).filter(|cell| self.find(cell).is_some()).count()
    }
}

/// The folder in which the first cells of a column are files: that of the table, or the only one inside it.
///
/// # Errors
/// If several folders have them.
pub(super) fn folder_of(table: &Table, columns: &[usize]) -> Result<Option<PathBuf>, DataError> {
    let beside = table.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let holds = |folder: &Path| {
        let mut finder = Finder::new(folder.to_path_buf());
        columns.iter().any(|&column| finder.found(table, column) > 0)
    };
    if holds(beside) {
        return Ok(Some(beside.to_path_buf()));
    }
    let tree = Tree::read(beside)?;
    let folders: Vec<&Path> =
        tree.all().into_iter().skip(1).map(|folder| folder.path.as_path()).filter(|dir| holds(dir)).collect();
    match folders[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_path_buf())),
        [one, other, ..] => Err(super::read::problem(
            &table.path,
            &format!(
                "its images may be those in {} or in {}: say which with --images DIR",
                one.shown(),
                other.shown()
            ),
        )),
    }
}
