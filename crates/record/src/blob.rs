//! What the files of checkpoints hold: bytes that are hashed once and never copied, however many checkpoints have them.
//!
//! A file that is the same in one checkpoint after another, such as frozen weights or those of the best epoch, is not
//! written again: a commit gives the file of a checkpoint that it is about to replace a second name in the new one.
//! When the old one is gone the content has one name again: no two checkpoints that stay share a byte, so damage to
//! one spares the others. Only files that this process has written are linked. A resumed run reads what it finds once,
//! and then writes it anew, so damage is not passed on.

use crate::error::{At, Result};
use crate::io::{Io, write_file};
use crate::manifest::FileEntry;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use wellfit_base::Dir;
use wellfit_base::hash::sha256;

/// The content of a file. Clones are the same content, in memory once.
#[derive(Debug, Clone)]
pub struct Blob(Arc<Content>);

#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    sha256: OnceLock<String>,
}

impl Blob {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Content { bytes, sha256: OnceLock::new() }))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The memory of the bytes, to be used again, unless another clone still needs them.
    #[must_use]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        Arc::into_inner(self.0).map(|content| content.bytes)
    }

    /// What a manifest says of a file of that name with this content.
    pub(crate) fn entry(&self, name: &str) -> FileEntry {
        let sha256 = self.0.sha256.get_or_init(|| sha256(self.bytes())).clone();
        FileEntry { name: name.to_owned(), length: self.bytes().len() as u64, sha256 }
    }

    /// Puts the content into a new file `name` of `dir`, as a second name of that in `source` if that is possible.
    pub(crate) fn place(&self, io: &dyn Io, source: Option<&Dir>, dir: &Dir, name: &str) -> Result<()> {
        let there = || !matches!(dir.kind(name), Ok(None));
        match source.map(|source| io.link((source, name.as_ref()), (dir, name.as_ref()))) {
            Some(Ok(())) => Ok(()),
            // It was done and reported as failed: writing here would write into the older checkpoint.
            Some(Err(cause)) if there() => Err(cause).at("link", &dir.join(name)),
            // Not every file system knows second names.
            Some(Err(_)) | None => write_file(io, dir, name, self.bytes()),
        }
    }
}

/// The files that this process has on the disk in checkpoints, by the name of the checkpoint's directory. They keep no content in
/// memory: what nobody has any more will never be written again.
#[derive(Debug, Default)]
pub(crate) struct WrittenFiles(BTreeMap<String, Vec<(String, Weak<Content>)>>);

impl WrittenFiles {
    /// Remembers that a committed checkpoint holds these files.
    pub(crate) fn add(&mut self, checkpoint: &str, files: &[(String, Blob)]) {
        let files = files.iter().map(|(name, blob)| (name.clone(), Arc::downgrade(&blob.0)));
        self.0.insert(checkpoint.to_owned(), files.collect());
    }

    /// A checkpoint is about to be removed.
    pub(crate) fn remove(&mut self, checkpoint: &str) {
        self.0.remove(checkpoint);
    }

    /// Whether the checkpoint of that name, in `dir`, holds this very content. A file that was cut short since is left
    /// alone.
    pub(crate) fn holds(&self, checkpoint: &str, dir: &Dir, (name, blob): &(String, Blob)) -> bool {
        let same = |(held, content): &(String, Weak<Content>)| {
            held == name && std::ptr::eq(content.as_ptr(), Arc::as_ptr(&blob.0))
        };
        let held = self.0.get(checkpoint).is_some_and(|files| files.iter().any(same));
        held && dir.length(name).is_ok_and(|found| found == Some(blob.bytes().len() as u64))
    }
}
