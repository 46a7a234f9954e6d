//! The event files of a directory.

use crate::error::LogError;
use std::fs;
use std::path::{Path, PathBuf};

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
/// If a folder cannot be listed.
pub fn files(directory: &Path) -> Result<Vec<(PathBuf, &'static str)>, LogError> {
    let mut found = Vec::new();
    collect(directory, "", DEPTH, &mut found)?;
    found.sort();
    Ok(found)
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
