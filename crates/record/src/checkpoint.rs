//! Checkpoints as atomic commits.
//!
//! A checkpoint is a directory `checkpoints/NNNN-name`. NNNN counts the run's commits, so a directory is
//! never overwritten and one rename is the whole commit; there is no moment without a valid checkpoint and
//! no pointer that could disagree with what it points to. The newest of a name is the one with the highest
//! number. Names starting with a dot are leftovers of a crash, or directories that are being written or removed.

use crate::error::{At, RecordError, Result};
use crate::fixed::{FixedFile, FixedFilesWritten};
use crate::io::{Io, write_file};
use crate::manifest::{
    CHECKSUM, Checkpoint, CheckpointInfo, FileEntry, LoadedCheckpoint, MANIFEST, Manifest, check_name,
    checksum_line, read_checkpoint,
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
    written: FixedFilesWritten,
}

/// What goes into a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    /// Name and bytes of the files that are written.
    pub(crate) files: &'a [(&'a str, &'a [u8])],
    /// A file that older checkpoints may hold already.
    pub(crate) fixed: Option<&'a FixedFile>,
}

impl CheckpointWriter {
    /// Opens or makes the directory `root` and removes what crashed commits left in it.
    pub(crate) fn open(io: Arc<dyn Io>, root: PathBuf) -> Result<Self> {
        match io.create_dir(&root) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.at("create", &root)?,
        }
        let writer = Self { io, root, written: FixedFilesWritten::default() };
        writer.clean()?;
        Ok(writer)
    }

    /// Writes a checkpoint that replaces the older ones of its name, but for the `keep` newest of these.
    ///
    /// Whatever fails, and whenever, the older ones stay valid until the new one is safely on the disk.
    pub(crate) fn commit(
        &mut self,
        name: &str,
        keep: usize,
        content: Content<'_>,
        info: CheckpointInfo,
    ) -> Result<Checkpoint> {
        check_name(name)?;
        content.check()?;
        self.clean()?;
        let older = slots(&self.root)?;
        let number = older.last().map_or(1, |slot| slot.number + 1);
        let slot = format!("{number:04}-{name}");
        let temporary = self.root.join(format!("{TEMPORARY}{slot}"));
        let path = self.root.join(slot);
        let replaced: Vec<_> = older.iter().rev().filter(|slot| slot.name == name).skip(keep).collect();
        let source = content
            .fixed
            .and_then(|file| replaced.iter().find_map(|old| self.written.source(&old.path, file)));

        let manifest = Manifest::new(name, content.entries(), info);
        let sha256 = self.write(&temporary, &manifest, content, source)?;
        self.io.rename(&temporary, &path).at("rename", &temporary)?;
        self.io.sync_dir(&self.root).at("write", &self.root)?;

        content.fixed.iter().for_each(|file| self.written.add(&path, file));
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
        content: Content<'_>,
        source: Option<PathBuf>,
    ) -> Result<String> {
        let json = serde_json::to_vec_pretty(manifest)
            .map_err(|e| RecordError::Unwritable { path: dir.join(MANIFEST), problem: e.to_string() })?;
        let sha256 = hash::sha256(&json);
        self.io.create_dir(dir).at("create", dir)?;
        for (name, bytes) in content.files {
            write_file(&*self.io, &dir.join(name), bytes)?;
        }
        content.fixed.map_or(Ok(()), |file| file.place(&*self.io, source, dir))?;
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

impl Content<'_> {
    /// No file may stand in for another, nor for the manifest.
    fn check(self) -> Result<()> {
        let mut taken = vec![MANIFEST, CHECKSUM];
        let names = self.files.iter().map(|&(name, _)| name);
        for name in names.chain(self.fixed.map(FixedFile::name)) {
            check_name(name)?;
            if taken.contains(&name) {
                return Err(RecordError::BadName(name.to_owned()));
            }
            taken.push(name);
        }
        Ok(())
    }

    fn entries(self) -> Vec<FileEntry> {
        let written = self.files.iter().map(|(name, bytes)| FileEntry::new(name, bytes));
        written.chain(self.fixed.map(|file| file.entry.clone())).collect()
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
