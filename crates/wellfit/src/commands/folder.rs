//! Files that a command writes into a folder of the user's.

use crate::error::CliError;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::file;
use wellfit::weights::write_bytes;

/// Write the files, unless one is there with other content; with `force` that is replaced. Whether one was.
pub fn write(directory: &Path, files: &[(&PathBuf, &[u8])], force: bool) -> Result<bool, CliError> {
    let replaced = changed(files)?;
    if let Some(path) = replaced.filter(|_| !force) {
        let problem = format!("{} exists with other content: give --force or another --out", path.shown());
        return Err(CliError::Output(problem));
    }
    fs::create_dir_all(directory).map_err(CliError::write(directory.to_owned()))?;
    for (path, bytes) in files {
        write_bytes(path, bytes).map_err(|error| CliError::Output(error.to_string()))?;
    }
    Ok(replaced.is_some())
}

/// The first file that is there with other content.
fn changed<'a>(files: &[(&'a PathBuf, &[u8])]) -> Result<Option<&'a Path>, CliError> {
    for (path, bytes) in files.iter().filter(|(path, _)| path.exists()) {
        let there = file::read_whole(path)
            .map_err(|cause| CliError::Output(format!("cannot read {}: {cause}", path.shown())))?;
        if there != *bytes {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
