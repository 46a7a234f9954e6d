//! Moving near-duplicates out of folders of images, and back.
//!
//! What is to be moved is written down, as a whole and synced, before the first file moves, and a file moves by one renaming.
//! So whenever the process ends, each file is in one of its two places, and the list knows both.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wellfit_base::words::plural;
use wellfit_base::{Shown, atomic, file};

use crate::error::DataError;

/// The list of what was moved, in the folder it was moved to.
pub const MOVED: &str = "moved.json";
/// More than a list of ten million files.
const MOST_BYTES: u64 = 1 << 32;

/// A file and its two places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Where it was among the data: a whole path.
    pub from: PathBuf,
    /// Where it is now, in the folder of the list.
    pub to: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    moved: Vec<Move>,
}

/// What came of bringing files back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Files that are where they were.
    pub back: Vec<PathBuf>,
    /// Files that are not, each with the reason.
    pub left: Vec<(PathBuf, String)>,
}

/// Whether images of `data` can be moved: they are files in folders that say all there is to know of them. A table would
/// go on naming them.
#[must_use]
pub fn is_movable(data: &str) -> bool {
    crate::open::is_class_folders(Path::new(data))
}

/// Move files out of the folder `root` into `dir`, which is new, empty, or one that files were moved to before. Each keeps
/// its path from `root`. Nothing that is there is replaced.
///
/// # Errors
/// If `dir` is in `root` or holds other things, lies on another file system, or something cannot be moved: then all that
/// was moved before is in the list.
pub fn move_out(files: &[PathBuf], root: &Path, dir: &Path) -> Result<Vec<Move>, DataError> {
    let (whole_root, whole_dir) = (absolute(root)?, absolute(dir)?);
    if whole_dir.starts_with(&whole_root) {
        return Err(DataError::Invalid(format!(
            "{} lies in {}, where its folders would be classes: give a folder outside",
            dir.shown(),
            root.shown()
        )));
    }
    let mut list = opened(dir)?;
    // What an earlier process did not come to move is where it was.
    list.moved.retain(|earlier| exists(&dir.join(&earlier.to)));
    let mut taken: BTreeSet<PathBuf> = list.moved.iter().map(|earlier| earlier.to.clone()).collect();
    let mut moves = Vec::new();
    for path in files {
        let from = absolute(path)?;
        let inside = from.strip_prefix(&whole_root).map_or_else(|_| last_three(&from), Path::to_path_buf);
        if from.to_str().is_none() {
            let problem =
                format!("{}: its name is no Unicode, so no list can hold it: rename it", path.shown());
            return Err(DataError::Invalid(problem));
        }
        let to = free(dir, &inside, &mut taken);
        moves.push(Move { from, to });
    }
    if moves.is_empty() {
        return Ok(moves);
    }
    fs::create_dir_all(dir).map_err(DataError::io(dir))?;
    list.moved.extend(moves.iter().cloned());
    write(dir, &list)?;
    for Move { from, to } in &moves {
        let target = dir.join(to);
        let folder = target.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(DataError::io(folder))?;
        rename(from, &target)?;
    }
    Ok(moves)
}

/// Bring back what [`move_out`] moved to `dir`, as far as its places are free, and take it off the list. A list of which
/// nothing is left is removed.
///
/// # Errors
/// If there is no list, or it cannot be read or written.
pub fn move_back(dir: &Path) -> Result<Undone, DataError> {
    let path = dir.join(MOVED);
    if !path.is_file() {
        let problem = format!("{} holds no {MOVED}, the list of what was moved there", dir.shown());
        return Err(DataError::Invalid(problem));
    }
    let list = opened(dir)?;
    let (mut undone, mut rest) = (Undone::default(), Vec::new());
    for entry in list.moved {
        let here = dir.join(&entry.to);
        let problem = match (exists(&here), exists(&entry.from)) {
            (true, false) => back(&here, &entry.from).err(),
            (false, true) => None,
            (true, true) => Some("its place is taken".to_owned()),
            (false, false) => Some("it is gone".to_owned()),
        };
        match problem {
            None => undone.back.push(entry.from),
            Some(problem) => {
                undone.left.push((here, problem));
                rest.push(entry);
            }
        }
    }
    if rest.is_empty() {
        fs::remove_file(&path).map_err(DataError::io(&path))?;
        remove_empty(dir);
    } else {
        write(dir, &List { moved: rest })?;
    }
    Ok(undone)
}

fn back(here: &Path, from: &Path) -> Result<(), String> {
    let folder = from.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(|cause| cause.to_string())?;
    rename(here, from).map_err(|error| error.to_string())
}

fn rename(from: &Path, to: &Path) -> Result<(), DataError> {
    if exists(to) {
        return Err(DataError::Invalid(format!("{} is there already: nothing is replaced", to.shown())));
    }
    fs::rename(from, to).map_err(|cause| match cause.kind() {
        io::ErrorKind::CrossesDevices => DataError::Invalid(format!(
            "{} and {} lie on different file systems: give a folder on the same one, so that no file is ever in none",
            from.shown(),
            to.shown()
        )),
        _ => DataError::Io { path: from.into(), source: cause },
    })
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The list in a folder; empty where there is no folder, or nothing in it.
fn opened(dir: &Path) -> Result<List, DataError> {
    let path = dir.join(MOVED);
    if path.is_file() {
        let text = file::read_text(&path, MOST_BYTES).map_err(DataError::io(&path))?;
        let bad = |error: serde_json::Error| DataError::Invalid(format!("{}: {error}", path.shown()));
        return serde_json::from_str(&text).map_err(bad);
    }
    match fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(DataError::Invalid(format!(
            "{} holds other things than images that were moved there: give a new folder",
            dir.shown()
        ))),
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(DataError::Io { path: dir.into(), source: cause })
        }
        _ => Ok(List::default()),
    }
}

fn write(dir: &Path, list: &List) -> Result<(), DataError> {
    let path = dir.join(MOVED);
    let text = serde_json::to_string_pretty(list)
        .map_err(|error| DataError::Invalid(format!("{}: {error}", plural(list.moved.len(), "file"))))?;
    atomic::replace(&path, format!("{text}\n").as_bytes()).map_err(DataError::io(&path))
}

/// A path from `dir` that no other file has, with a number where one has it.
fn free(dir: &Path, inside: &Path, taken: &mut BTreeSet<PathBuf>) -> PathBuf {
    let stem = inside.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = inside.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    let numbered = |number: u32| inside.with_file_name(format!("{stem}-{number}{ending}"));
    let names = std::iter::once(inside.to_path_buf()).chain((2..).map(numbered));
    let mut free = names.filter(|name| !taken.contains(name) && !exists(&dir.join(name)));
    let name = free.next().unwrap_or_else(|| inside.to_path_buf());
    taken.insert(name.clone());
    name
}

/// `part/class/name`, of a file that is elsewhere than in the folder of the data, by a link.
fn last_three(path: &Path) -> PathBuf {
    let parts: Vec<_> = path.iter().collect();
    parts[parts.len().saturating_sub(3)..].iter().filter(|part| **part != "/").collect()
}

fn absolute(path: &Path) -> Result<PathBuf, DataError> {
    // What does not exist yet has no canonical path, but what it is made in has.
    let whole = std::path::absolute(path).map_err(DataError::io(path))?;
    let (folder, name) = (whole.parent(), whole.file_name());
    let known = whole.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    Ok(match (folder.zip(name), known) {
        // A file that is a link keeps its own name.
        (Some((folder, name)), _) if whole.is_file() => {
            folder.canonicalize().map_or(whole.clone(), |folder| folder.join(name))
        }
        (_, Some((above, canonical))) => whole.strip_prefix(above).map_or(whole.clone(), |rest| {
            if rest.as_os_str().is_empty() { canonical.clone() } else { canonical.join(rest) }
        }),
        _ => whole,
    })
}

/// Remove folders of which nothing is left.
fn remove_empty(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .for_each(|entry| remove_empty(&entry.path()));
    // It fails where something is left, as is meant.
    let _ = fs::remove_dir(dir);
}
