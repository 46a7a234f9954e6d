//! One owner a run: an advisory lock that the system takes back when the process ends, however it ends.

use crate::error::{At, RecordError, Result};
use std::fs::{File, TryLockError};
use std::time::Duration;
use wellfit_base::Dir;
use wellfit_base::dir::Identity;
use wellfit_base::lock::has_no_locks;

/// The lock's file in a run's directory. It is empty and stays there; only the lock on it means anything.
pub(crate) const LOCK_FILE: &str = ".lock";

/// [`is_locked`] holds a shared lock for an instant; a claimant waits that long, not longer.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// Held as long as this value lives.
#[derive(Debug)]
pub(crate) struct RunLock {
    file: Identity,
    works: bool,
    held: File,
}

impl Drop for RunLock {
    /// Closing the file is not enough: a process that was started meanwhile may still have it open.
    fn drop(&mut self) {
        let _ = self.held.unlock();
    }
}

impl RunLock {
    /// Claims the run in `dir`, which must still be where it was opened.
    pub(crate) fn acquire(dir: &Dir) -> Result<Self> {
        (0..ATTEMPTS)
            .find_map(|attempt| {
                if attempt > 0 {
                    std::thread::sleep(PAUSE);
                }
                Self::attempt(dir).transpose()
            })
            .unwrap_or_else(|| Err(RecordError::InUse(dir.path().into())))
    }

    /// The lock, unless another process has it.
    pub(crate) fn attempt(dir: &Dir) -> Result<Option<Self>> {
        let path = dir.join(LOCK_FILE);
        let held = dir.append_file(LOCK_FILE).at("open", &path)?;
        let works = match held.try_lock() {
            Ok(()) => true,
            // Some network disks have no locks. A run without one is better than no run.
            Err(TryLockError::Error(error)) if has_no_locks(&error) => false,
            Err(TryLockError::Error(error)) => return Err(error).at("lock", &path),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let file = Dir::identity_of_file(&held).at("lock", &path)?;
        let lock = Self { file, works, held };
        // Its owner may have removed it, or put another directory there, since it was opened.
        let stands = lock.is_in(dir) && dir.is_in_place().unwrap_or(false);
        Ok(stands.then_some(lock))
    }

    /// Whether it is the lock of that directory: its file has not been removed or replaced.
    pub(crate) fn is_in(&self, dir: &Dir) -> bool {
        dir.identity_of(LOCK_FILE).is_ok_and(|found| found == Some(self.file))
    }

    /// Whether the file system has locks.
    pub(crate) const fn works(&self) -> bool {
        self.works
    }
}

/// Whether a living process owns the run in `dir`.
pub(crate) fn is_locked(dir: &Dir) -> bool {
    let Ok(file) = dir.open_file(LOCK_FILE) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asking whether a run is alive takes its lock for an instant; that must not keep an owner from claiming it.
    #[test]
    fn a_reader_does_not_keep_an_owner_out() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        drop(RunLock::acquire(&dir).unwrap());
        let probe = dir.open_file(LOCK_FILE).unwrap();
        probe.try_lock_shared().unwrap();
        let instant = std::thread::spawn(move || {
            std::thread::sleep(PAUSE);
            drop(probe);
        });
        assert!(RunLock::acquire(&dir).is_ok());
        instant.join().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_is_removed_or_whose_directory_is_moved_is_none() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let dir = Dir::open(&run).unwrap();
        let lock = RunLock::acquire(&dir).unwrap();
        assert!(lock.is_in(&dir));
        std::fs::remove_file(run.join(LOCK_FILE)).unwrap();
        assert!(!lock.is_in(&dir));
        let second = RunLock::acquire(&dir).unwrap();
        assert!(second.is_in(&dir) && !lock.is_in(&dir));
        drop(second);
        std::fs::rename(&run, root.path().join("other")).unwrap();
        assert!(matches!(RunLock::acquire(&dir), Err(RecordError::InUse(_))));
    }
}
