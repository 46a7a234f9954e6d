//! Files that a command writes into a folder of the user's.

use crate::error::CliError;
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::{file, folder};

/// Write the files into the folder as one commit, unless one is there with other content; with `force` that is replaced.
/// Whether one was. The first file describes the others.
pub fn write(directory: &Path, files: &[(&PathBuf, &[u8])], force: bool) -> Result<bool, CliError> {
    let replaced = changed(files)?;
    if let Some(path) = replaced.filter(|_| !force) {
        let problem = format!("{} exists with other content: give --force or another --out", path.shown());
        return Err(CliError::Output(problem));
    }
    let names: Vec<String> = files
        .iter()
        .map(|(path, _)| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let named: Vec<(&str, &[u8])> =
        names.iter().zip(files).map(|(name, (_, bytes))| (name.as_str(), *bytes)).collect();
    folder::commit(directory, &named).map_err(CliError::write(directory.to_owned()))?;
    Ok(replaced.is_some())
}

/// The first file that is there with other content.
fn changed<'a>(files: &[(&'a PathBuf, &[u8])]) -> Result<Option<&'a Path>, CliError> {
    // What cannot be looked at may be there: reading it then says why not.
    for (path, bytes) in files.iter().filter(|(path, _)| file::may_exist(path)) {
        let there = file::read_whole(path)
            .map_err(|cause| CliError::Output(format!("cannot read {}: {cause}", path.shown())))?;
        if there != *bytes {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
