//! Results stored for the next epoch: decoded images, and features of a frozen network.
//!
//! A [`Cache`] maps a [`Key`], which covers everything that a result depends on, to its bytes. It returns the bytes that
//! were put in, or nothing, and then the result is computed again. So no result depends on the cache.
//!
//! * In memory, entries stay until the budget is used up. There is no replacement: an epoch asks for every image
//!   once, and replacing the least recently used would throw each away just before it is asked for.
//! * On disk, entries also serve later runs; see [`disk`].

pub mod disk;

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use wellfit_base::hash::add;

use crate::error::DataError;
use disk::Disk;

/// The folder for what can be computed or downloaded again: `$XDG_CACHE_HOME/wellfit`, or the same below `~/.cache`.
/// None without a home.
#[must_use]
pub fn user_dir() -> Option<PathBuf> {
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = xdg.or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
    Some(base.join("wellfit"))
}

/// What a result depends on, in 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The SHA-256 of `parts`, each with its length, so that no two lists look the same.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| add(&mut hash, part));
        Self(hash.finalize().into())
    }

    /// Its bytes, to be a part of another key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A place for results. A clone shares it.
#[derive(Debug, Clone, Default)]
pub struct Cache(Place);

#[derive(Debug, Clone, Default)]
enum Place {
    #[default]
    Nowhere,
    Memory(Arc<Mutex<Memory>>),
    Disk(Arc<Disk>),
}

#[derive(Debug)]
struct Memory {
    entries: HashMap<Key, Arc<[u8]>>,
    /// Bytes that may still be taken.
    left: u64,
}

/// What an entry in memory takes besides its bytes, roughly.
const OVERHEAD: u64 = 128;

impl Cache {
    /// A cache that stores nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Keeps up to `budget` bytes in memory.
    #[must_use]
    pub fn memory(budget: u64) -> Self {
        Self(Place::Memory(Arc::new(Mutex::new(Memory { entries: HashMap::new(), left: budget }))))
    }

    /// Keeps up to `budget` bytes as files in the folder `dir`, which is made if need be.
    ///
    /// # Errors
    /// If the folder cannot be made or listed.
    pub fn disk(dir: &Path, budget: u64) -> Result<Self, DataError> {
        Ok(Self(Place::Disk(Arc::new(Disk::open(dir, budget)?))))
    }

    /// Whether it keeps anything at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !matches!(self.0, Place::Nowhere)
    }

    /// What was put in under `key`, if it is still there and whole.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<[u8]>> {
        match &self.0 {
            Place::Nowhere => None,
            Place::Memory(memory) => lock(memory).entries.get(key).cloned(),
            Place::Disk(disk) => disk.get(key).map(Arc::from),
        }
    }

    /// Whether there is an entry of this key that can be read. On disk it may yet turn out to be damaged.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        match &self.0 {
            Place::Nowhere => false,
            Place::Memory(memory) => lock(memory).entries.contains_key(key),
            Place::Disk(disk) => disk.has(key),
        }
    }

    /// Keep `bytes`, if there is room. A full disk or a folder that cannot be written is no error: see
    /// [`take_failure`](Self::take_failure).
    pub fn put(&self, key: Key, bytes: &Arc<[u8]>) {
        match &self.0 {
            Place::Nowhere => {}
            Place::Memory(memory) => lock(memory).put(key, bytes),
            Place::Disk(disk) => disk.put(&key, bytes),
        }
    }

    /// Why nothing more is stored, if writing has failed; returned once.
    #[must_use]
    pub fn take_failure(&self) -> Option<String> {
        match &self.0 {
            Place::Disk(disk) => disk.take_failure(),
            _ => None,
        }
    }
}

impl Memory {
    fn put(&mut self, key: Key, bytes: &Arc<[u8]>) {
        let cost = bytes.len() as u64 + OVERHEAD;
        if cost <= self.left && !self.entries.contains_key(&key) {
            self.left -= cost;
            self.entries.insert(key, Arc::clone(bytes));
        }
    }
}

/// A thread that died with the lock left whole entries behind, if any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
