//! The event files of a directory.

use crate::error::LogError;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;

/// What is in the name of every event file.
const IN_THE_NAME: &str = "tfevents";
/// How far folders are looked into: `logs/version_0/train`.
const DEPTH: u32 = 3;
/// More event files than this are those of many trainings.
const MOST: usize = 1000;

/// The event files below a directory, oldest name first, each with the part of the data that the name of its folder says:
/// Keras writes into `train` and `validation`, torch's `add_scalars` into `Loss_train` and so on.
///
/// # Errors
/// If a folder cannot be listed, or if the files are those of several trainings.
pub fn files(directory: &Path) -> Result<Vec<(PathBuf, &'static str)>, LogError> {
    let mut found = Vec::new();
    collect(directory, "", DEPTH, &mut found)?;
    found.sort();
    let folders: BTreeSet<PathBuf> =
        found.iter().filter_map(|(file, phase)| of_training(file, phase)).collect();
    if folders.len() > 1 {
        let list: Vec<String> = folders.iter().map(|folder| folder.shown()).collect();
        let problem = format!("{} has several trainings: name one, {}", directory.shown(), list.join(" or "));
        return Err(LogError::Choice(problem));
    }
    Ok(found)
}

/// The folder of a training to which a file belongs: its own, or the one around those of the parts of the data.
fn of_training(file: &Path, phase: &str) -> Option<PathBuf> {
    let own = file.parent()?;
    Some(if phase.is_empty() { own } else { own.parent()? }.to_path_buf())
}

fn collect(
    directory: &Path,
    phase: &'static str,
    depth: u32,
    found: &mut Vec<(PathBuf, &'static str)>,
) -> Result<(), LogError> {
    let io = |source| LogError::Io { path: directory.to_path_buf(), source };
    for entry in fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if path.is_dir() && depth > 0 {
            collect(&path, of_folder(&name), depth - 1, found)?;
        } else if name.contains(IN_THE_NAME) && path.is_file() && found.len() < MOST {
            found.push((path, phase));
        }
    }
    Ok(())
}

fn of_folder(name: &str) -> &'static str {
    let has = |word: &str| name.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
    match () {
        () if has("train") || has("training") => "train",
        () if ["val", "valid", "validation", "test", "eval"].into_iter().any(has) => "val",
        () => "",
    }
}
