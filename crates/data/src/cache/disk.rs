//! Entries as files, for later runs.
//!
//! One file an entry, `<two hex digits>/<62 hex digits>` of its key: the entry's bytes, then the key and a CRC-32 of
//! both. A file is written under another name and renamed, and is used only if key and sum are right. So a kill, a
//! crash or a bad disk can lose an entry but never gives a wrong pixel. When the budget is reached, the entries that
//! no run has used for longest go first; files with other names are not touched. Several runs may share a folder;
//! each counts what was there when it began and what it writes itself, and the next one removes what is too much.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use wellfit_base::file;
use wellfit_base::hash::hex;

use super::{Key, lock};
use crate::error::DataError;

/// Key and sum.
const TRAILER: usize = 32 + 4;

/// A folder of entries.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    budget: u64,
    room: Mutex<Room>,
}

/// What the folder holds.
#[derive(Debug)]
struct Room {
    used: u64,
    /// What was there at the start and may have to go, the least recently used first.
    old: VecDeque<Old>,
    /// Writing has failed: existing entries are still used, nothing is added.
    failed: bool,
    /// Why, until it is reported.
    failure: Option<String>,
}

#[derive(Debug)]
struct Old {
    used: SystemTime,
    path: PathBuf,
    length: u64,
}

impl Disk {
    pub(super) fn open(root: &Path, budget: u64) -> Result<Self, DataError> {
        fs::create_dir_all(root).map_err(DataError::io(root))?;
        let mut old = Vec::new();
        for folder in fs::read_dir(root).map_err(DataError::io(root))? {
            let folder = folder.map_err(DataError::io(root))?.path();
            if is_hex(folder.file_name(), 2) && folder.is_dir() {
                old.extend(entries(&folder));
            }
        }
        old.sort_by_key(|old| old.used);
        let used = old.iter().map(|old| old.length).sum();
        let mut room = Room { used, old: old.into(), failed: false, failure: None };
        room.make(0, budget);
        Ok(Self { root: root.to_path_buf(), budget, room: Mutex::new(room) })
    }

    pub(super) fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        let mut bytes = file::read(&path, self.budget).ok()?;
        if checked(&mut bytes, key).is_none() {
            let _ = fs::remove_file(&path);
            return None;
        }
        // Only the order in which entries go depends on it, so it may fail.
        let _ = file::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(bytes)
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        file::length(&self.path(key)).is_ok()
    }

    pub(super) fn put(&self, key: &Key, bytes: &[u8]) {
        let length = (bytes.len() + TRAILER) as u64;
        if !lock(&self.room).make(length, self.budget) {
            return;
        }
        if let Err(error) = self.write(key, bytes) {
            let mut room = lock(&self.room);
            if !room.failed {
                room.failure = Some(DataError::io(&self.root)(error).to_string());
            }
            room.failed = true;
        }
    }

    pub(super) fn take_failure(&self) -> Option<String> {
        lock(&self.room).failure.take()
    }

    /// Without a sync: a crash may cost the entry, and one that is damaged is found out.
    fn write(&self, key: &Key, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.write_all(key.bytes())?;
        file.write_all(&sum(&[bytes, key.bytes()]))?;
        file.persist(path).map(drop).map_err(io::Error::from)
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name = hex(key.bytes());
        self.root.join(&name[..2]).join(&name[2..])
    }
}

/// How the names of files begin that are still being written.
const PARTIAL: &str = ".partial-";

/// The entries of a folder. What a kill left half written is removed once it is an hour old.
fn entries(folder: &Path) -> Vec<Old> {
    let old = |entry: fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        let (used, path) = (metadata.modified().ok()?, entry.path());
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            if used.elapsed().is_ok_and(|age| age.as_secs() > 3600) {
                let _ = fs::remove_file(path);
            }
            return None;
        }
        is_hex(path.file_name(), 62).then(|| Old { used, length: metadata.len(), path: path.clone() })
    };
    fs::read_dir(folder).map_or_else(|_| Vec::new(), |list| list.flatten().filter_map(old).collect())
}

/// Whether a name has that many hex digits: only such files are this cache's to remove.
fn is_hex(name: Option<&OsStr>, digits: usize) -> bool {
    let bytes = name.unwrap_or_default().as_encoded_bytes();
    bytes.len() == digits && bytes.iter().all(u8::is_ascii_hexdigit)
}

impl Room {
    /// Take `length` bytes, at the cost of old entries if need be; false if there is no room even so.
    fn make(&mut self, length: u64, budget: u64) -> bool {
        if self.failed {
            return false;
        }
        while self.used + length > budget {
            let Some(old) = self.old.pop_front() else { return false };
            let unused =
                fs::metadata(&old.path).and_then(|metadata| metadata.modified()).map(|now| now <= old.used);
            match unused {
                Ok(false) => {}
                Ok(true) if fs::remove_file(&old.path).is_err() => {}
                _ => self.used = self.used.saturating_sub(old.length),
            }
        }
        self.used += length;
        true
    }
}

fn sum(parts: &[&[u8]]) -> [u8; 4] {
    let mut crc = crc32fast::Hasher::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.finalize().to_le_bytes()
}

/// Take the trailer off; none if it is not that of these bytes and this key.
fn checked(bytes: &mut Vec<u8>, key: &Key) -> Option<()> {
    let end = bytes.len().checked_sub(TRAILER)?;
    let (rest, found) = bytes.split_last_chunk::<4>()?;
    if rest[end..] != *key.bytes() || *found != sum(&[rest]) {
        return None;
    }
    bytes.truncate(end);
    Some(())
}
