//! Files that stay the same from checkpoint to checkpoint, such as frozen weights, are linked, not written again.
//!
//! A commit gives the file of a checkpoint that it is about to replace a second name in the new one. When the old one
//! is gone the content has one name again: no two checkpoints that stay share a byte, so damage to one spares the
//! others. Only files that this process has written are linked. A resumed run reads what it finds once, and then
//! writes it anew, so damage is not passed on.

use crate::error::{At, Result};
use crate::io::{Io, write_file};
use crate::manifest::FileEntry;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file that is the same in many checkpoints of a run, such as frozen weights. It is written for the first of them;
/// later ones take it over from those they replace.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedFile {
    pub(crate) entry: FileEntry,
    bytes: Vec<u8>,
}

impl FixedFile {
    /// A file of that name in a checkpoint's directory. The bytes stay in memory, for checkpoints that replace none.
    #[must_use]
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        Self { entry: FileEntry::new(name, &bytes), bytes }
    }

    /// Its name in a checkpoint's directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Puts the file into the new directory `dir`, as a second name of `source` if that is possible.
    pub(crate) fn place(&self, io: &dyn Io, source: Option<PathBuf>, dir: &Path) -> Result<()> {
        let path = dir.join(self.name());
        match source.map(|source| io.link(&source, &path)) {
            Some(Ok(())) => Ok(()),
            // It was done and reported as failed: writing here would write into the older checkpoint.
            Some(Err(cause)) if path.symlink_metadata().is_ok() => Err(cause).at("link", &path),
            // Not every file system knows second names.
            Some(Err(_)) | None => write_file(io, &path, &self.bytes),
        }
    }
}

/// The fixed files that this process has on the disk: one a checkpoint, by the checkpoint's directory.
#[derive(Debug, Default)]
pub(crate) struct FixedFilesWritten(BTreeMap<PathBuf, FileEntry>);

impl FixedFilesWritten {
    /// Remembers that a committed checkpoint holds `file`.
    pub(crate) fn add(&mut self, checkpoint: &Path, file: &FixedFile) {
        self.0.insert(checkpoint.into(), file.entry.clone());
    }

    /// A checkpoint is about to be removed.
    pub(crate) fn remove(&mut self, checkpoint: &Path) {
        self.0.remove(checkpoint);
    }

    /// Where the checkpoint holds this very file, if it does. One that was cut short since is left alone.
    pub(crate) fn source(&self, checkpoint: &Path, file: &FixedFile) -> Option<PathBuf> {
        let path = checkpoint.join(file.name());
        let held = self.0.get(checkpoint) == Some(&file.entry);
        let whole = || fs::metadata(&path).is_ok_and(|found| found.len() == file.entry.length);
        (held && whole()).then_some(path)
    }
}
