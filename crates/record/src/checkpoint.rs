//! Checkpoints as atomic commits.
//!
//! A checkpoint is a directory `checkpoints/NNNN-name`. NNNN counts the run's commits, so a directory is
//! never overwritten and one rename is the whole commit; there is no moment without a valid checkpoint and
//! no pointer that could disagree with what it points to. The newest of a name is the one with the highest
//! number. Names starting with a dot are leftovers of a crash, or directories that are being written or removed.

use crate::blob::{Blob, WrittenFiles};
use crate::error::{At, RecordError, Result};
use crate::io::{Io, write_file};
use crate::manifest::{
    CHECKSUM, Checkpoint, CheckpointInfo, LoadedCheckpoint, MANIFEST, Manifest, check_name, checksum_line,
    read_checkpoint, read_manifest,
};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::hash;

const TEMPORARY: &str = ".tmp-";

/// Commits checkpoints to one directory. Only the run's owner may have one.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    io: Arc<dyn Io>,
    root: PathBuf,
    written: WrittenFiles,
}

/// A checkpoint that is to be committed.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its name; it replaces the older ones of that name.
    pub name: String,
    /// How many of these, the newest, stay nevertheless.
    pub keep: usize,
    /// Name and content of its files. Where this process has put the very same [`Blob`] under the same name into a
    /// checkpoint that is now replaced, it is not written again. However many stay, each has a copy of its own.
    pub files: Vec<(String, Blob)>,
    /// Where in the run it was taken.
    pub info: CheckpointInfo,
}

impl CheckpointWriter {
    /// Opens or makes the directory `root` and removes what crashed commits left in it.
    pub(crate) fn open(io: Arc<dyn Io>, root: PathBuf) -> Result<Self> {
        match io.create_dir(&root) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.at("create", &root)?,
        }
        let writer = Self { io, root, written: WrittenFiles::default() };
        writer.clean()?;
        Ok(writer)
    }

    /// Writes a checkpoint that replaces the older ones of its name, but for the `keep` newest of these.
    ///
    /// Whatever fails, and whenever, the older ones stay valid until the new one is safely on the disk.
    pub(crate) fn commit(&mut self, commit: &Commit) -> Result<Checkpoint> {
        let Commit { name, keep, files, info } = commit;
        commit.check()?;
        self.clean()?;
        let older = slots(&self.root)?;
        let number = older.last().map_or(1, |slot| slot.number + 1);
        let slot = format!("{number:04}-{name}");
        let temporary = self.root.join(format!("{TEMPORARY}{slot}"));
        let path = self.root.join(slot);
        let replaced: Vec<_> = older.iter().rev().filter(|slot| slot.name == *name).skip(*keep).collect();

        let entries = files.iter().map(|(name, blob)| blob.entry(name)).collect();
        let manifest = Manifest::new(name, entries, info.clone());
        let sha256 = self.write(&temporary, &manifest, files, &replaced)?;
        self.io.rename(&temporary, &path).at("rename", &temporary)?;
        self.io.sync_dir(&self.root).at("write", &self.root)?;

        self.written.add(&path, files);
        replaced.into_iter().for_each(|slot| self.remove(slot));
        Ok(Checkpoint { path, manifest, sha256 })
    }

    /// Removes the checkpoints of that name that are newer than the one in `path` (all if there is none): the
    /// damaged, and those of a future that will be computed again.
    pub(crate) fn remove_newer(&mut self, name: &str, path: Option<&Path>) -> Result<()> {
        let last = path.and_then(|path| Slot::parse(path.into())).map_or(0, |slot| slot.number);
        let newer = |slot: &&Slot| slot.name == name && slot.number > last;
        slots(&self.root)?.iter().filter(newer).for_each(|slot| self.remove(slot));
        Ok(())
    }

    /// Fills a new directory and returns the manifest's checksum.
    fn write(
        &self,
        dir: &Path,
        manifest: &Manifest,
        files: &[(String, Blob)],
        replaced: &[&Slot],
    ) -> Result<String> {
        let json = serde_json::to_vec_pretty(manifest)
            .map_err(|e| RecordError::Unwritable { path: dir.join(MANIFEST), problem: e.to_string() })?;
        let sha256 = hash::sha256(&json);
        self.io.create_dir(dir).at("create", dir)?;
        for file in files {
            let source = replaced.iter().find_map(|old| self.written.source(&old.path, file));
            file.1.place(&*self.io, source, &dir.join(&file.0))?;
        }
        write_file(&*self.io, &dir.join(MANIFEST), &json)?;
        write_file(&*self.io, &dir.join(CHECKSUM), checksum_line(&sha256).as_bytes())?;
        self.io.sync_dir(dir).at("write", dir)?;
        Ok(sha256)
    }

    /// Removes a replaced checkpoint. It is renamed first, so that nobody reads a half-removed one.
    ///
    /// A failure costs space only, and the next commit of the name tries again.
    fn remove(&mut self, slot: &Slot) {
        self.written.remove(&slot.path);
        let hidden = self.root.join(format!("{TEMPORARY}{:04}-{}", slot.number, slot.name));
        if self.io.rename(&slot.path, &hidden).is_ok() {
            let _ = self.io.remove_dir(&hidden);
        }
    }

    fn clean(&self) -> Result<()> {
        for entry in fs::read_dir(&self.root).at("read", &self.root)? {
            let entry = entry.at("read", &self.root)?;
            if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                self.io.remove_dir(&entry.path()).at("remove", &entry.path())?;
            }
        }
        Ok(())
    }
}

impl Commit {
    /// No file may stand in for another, nor for the manifest.
    pub(crate) fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        let mut taken = vec![MANIFEST, CHECKSUM];
        for (name, _) in &self.files {
            check_name(name)?;
            if taken.contains(&&**name) {
                return Err(RecordError::BadName(name.clone()));
            }
            taken.push(name);
        }
        Ok(())
    }
}

/// A directory that should be a checkpoint, going by its name.
#[derive(Debug)]
struct Slot {
    number: u64,
    name: String,
    path: PathBuf,
}

impl Slot {
    fn parse(path: PathBuf) -> Option<Self> {
        let (number, name) = path.file_name()?.to_str()?.split_once('-')?;
        let (number, name) = (number.parse().ok()?, name.to_owned());
        Some(Self { number, name, path })
    }
}

/// The checkpoints in `root`, oldest first.
fn slots(root: &Path) -> Result<Vec<Slot>> {
    let mut slots = Vec::new();
    for entry in fs::read_dir(root).at("read", root)? {
        slots.extend(Slot::parse(entry.at("read", root)?.path()));
    }
    slots.sort_by_key(|slot| slot.number);
    Ok(slots)
}

/// The directories of the checkpoints in `root`, oldest first, unverified.
pub(crate) fn paths(root: &Path) -> Result<Vec<PathBuf>> {
    Ok(slots(root)?.into_iter().map(|slot| slot.path).collect())
}

/// What the manifests in `root` say, oldest first; checkpoints whose manifest is damaged are left out.
pub(crate) fn manifests(root: &Path) -> Result<Vec<Checkpoint>> {
    Ok(slots(root)?.iter().filter_map(|slot| read_manifest(&slot.path).ok()).collect())
}

/// The newest checkpoint whose every byte is right, and the newer ones that were skipped.
#[derive(Debug)]
pub struct NewestGood {
    /// The newest valid checkpoint, if there is one.
    pub found: Option<LoadedCheckpoint>,
    /// Why newer ones were skipped.
    pub skipped: Vec<RecordError>,
}

/// The newest valid checkpoint in `root`: of that `name`, or of any.
pub(crate) fn newest_good(root: &Path, name: Option<&str>) -> Result<NewestGood> {
    let mut skipped = Vec::new();
    let wanted = |slot: &Slot| name.is_none_or(|name| slot.name == name);
    for slot in slots(root)?.into_iter().filter(wanted).rev() {
        match read_checkpoint(&slot.path) {
            Ok(found) => return Ok(NewestGood { found: Some(found), skipped }),
            Err(error) => skipped.push(error),
        }
    }
    Ok(NewestGood { found: None, skipped })
}
