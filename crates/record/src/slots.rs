//! Which checkpoints a run has, by the names of their directories.

use crate::error::{At, RecordError, Result};
use crate::manifest::{Checkpoint, LoadedCheckpoint, Manifest, read_checkpoint_in, read_manifest};
use std::ffi::OsStr;
use std::path::PathBuf;
use wellfit_base::Dir;

/// A name that should be a checkpoint's.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) number: u32,
    pub(crate) name: String,
    directory: String,
}

impl Slot {
    /// From the name of a directory, such as `0007-last`.
    pub(crate) fn parse(directory: &OsStr) -> Option<Self> {
        let directory = directory.to_str()?;
        let (number, name) = directory.split_once('-')?;
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        Some(Self { number, name: name.to_owned(), directory: directory.to_owned() })
    }

    /// The name of its directory.
    pub(crate) fn directory(&self) -> String {
        self.directory.clone()
    }
}

/// The checkpoints in `root`, oldest first. Whatever else has such a name is among them, so that no new one gets its
/// number; to read it is an error.
pub(crate) fn slots(root: &Dir) -> Result<Vec<Slot>> {
    let names = root.names().at("read", root.path())?;
    let mut slots: Vec<Slot> = names.iter().filter_map(|name| Slot::parse(name)).collect();
    slots.sort_by(|one, other| (one.number, &one.name).cmp(&(other.number, &other.name)));
    Ok(slots)
}

/// The directories of the checkpoints in `root`, oldest first, unverified.
pub(crate) fn paths(root: &Dir) -> Result<Vec<PathBuf>> {
    Ok(slots(root)?.iter().map(|slot| root.join(slot.directory())).collect())
}

/// What the manifests of a run's checkpoints say, oldest first; those whose manifest is damaged, or another run's, are
/// left out.
pub(crate) fn manifests(root: &Dir, run: Option<&str>) -> Result<Vec<Checkpoint>> {
    let read = |slot: &Slot| read_manifest(&root.open_dir(slot.directory()).ok()?).ok();
    let own = |found: &Checkpoint| found.manifest.run.as_deref() == run;
    Ok(slots(root)?.iter().filter_map(read).filter(own).collect())
}

/// The newest checkpoint whose every byte is right, and the newer ones that were skipped.
#[derive(Debug)]
pub struct NewestGood {
    /// The newest valid checkpoint, if there is one.
    pub found: Option<LoadedCheckpoint>,
    /// Why newer ones were skipped.
    pub skipped: Vec<RecordError>,
}

/// The newest valid checkpoint of the run with that id in `root`: of that `name`, or of any, with a manifest that is
/// `wanted`. One of another run is an error: someone put it there.
pub(crate) fn newest_good(
    root: &Dir,
    run: Option<&str>,
    name: Option<&str>,
    wanted: &dyn Fn(&Manifest) -> bool,
) -> Result<NewestGood> {
    let mut skipped = Vec::new();
    let named = |slot: &Slot| name.is_none_or(|name| slot.name == name);
    for slot in slots(root)?.into_iter().filter(named).rev() {
        let manifest = root.open_dir(&slot.directory).ok().and_then(|dir| read_manifest(&dir).ok());
        if manifest.is_some_and(|found| !wanted(&found.manifest)) {
            continue;
        }
        match read_slot(root, run, &slot.directory) {
            Ok(found) => return Ok(NewestGood { found: Some(found), skipped }),
            Err(error @ RecordError::OtherRun { .. }) => return Err(error),
            Err(error) => skipped.push(error),
        }
    }
    Ok(NewestGood { found: None, skipped })
}

/// A checkpoint with every byte checked, and that it is this run's.
pub(crate) fn read_slot(root: &Dir, run: Option<&str>, directory: &str) -> Result<LoadedCheckpoint> {
    let dir = root.open_dir(directory).at("open", &root.join(directory))?;
    let found = read_manifest(&dir)?.manifest.run;
    if found.as_deref() != run {
        let (path, expected) = (dir.path().into(), run.map(str::to_owned));
        let run = root.path().parent().unwrap_or_else(|| root.path()).into();
        return Err(RecordError::OtherRun { path, found, run, expected });
    }
    read_checkpoint_in(&dir)
}
