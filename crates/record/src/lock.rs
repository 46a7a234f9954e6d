//! One owner a run: an advisory lock that the system takes back when the process ends, however it ends.

use crate::error::{At, RecordError, Result};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The lock's file in a run's directory. It is empty and stays there; only the lock on it means anything.
pub(crate) const LOCK_FILE: &str = ".lock";

/// [`is_locked`] holds a shared lock for an instant; a claimant waits that long, not longer.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// Held as long as this value lives.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: File,
}

impl RunLock {
    /// Claims the run in `dir`.
    pub(crate) fn acquire(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK_FILE);
        let options = File::options().create(true).append(true).open(&path);
        let file = options.at("create", &path)?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // Some network disks have no locks. A run without one is better than no run.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(error).at("lock", &path),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
        Err(RecordError::InUse(dir.into()))
    }
}

/// Whether a living process owns the run in `dir`.
pub(crate) fn is_locked(dir: &Path) -> bool {
    let Ok(file) = File::open(dir.join(LOCK_FILE)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asking whether a run is alive takes its lock for an instant; that must not keep an owner from claiming it.
    #[test]
    fn a_reader_does_not_keep_an_owner_out() {
        let root = tempfile::tempdir().unwrap();
        drop(RunLock::acquire(root.path()).unwrap());
        let probe = File::open(root.path().join(LOCK_FILE)).unwrap();
        probe.try_lock_shared().unwrap();
        let instant = std::thread::spawn(move || {
            std::thread::sleep(PAUSE);
            drop(probe);
        });
        assert!(RunLock::acquire(root.path()).is_ok());
        instant.join().unwrap();
    }
}
