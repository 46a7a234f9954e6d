//! One process at a time: an advisory lock that the system takes back when its owner ends, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Held as long as this value lives.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl Drop for FileLock {
    /// Closing the file is not enough: a process that was started meanwhile may still have it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl FileLock {
    /// Take the lock on the file at `path`, which is made if it is not there and stays, empty. While another process has
    /// it, `waiting` is called and asked again after `pause`. `None` where the file system has no locks.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn wait(path: &Path, pause: Duration, mut waiting: impl FnMut()) -> io::Result<Option<Self>> {
        let file = File::options().create(true).append(true).open(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { file })),
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    std::thread::sleep(pause);
                }
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    return Ok(None);
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

/// Whether the error of locking a file means that its file system has no locks, as some network disks.
#[must_use]
pub fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    let none_left = error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error());
    #[cfg(not(unix))]
    let none_left = false;
    none_left || error.kind() == io::ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut first = FileLock::wait(&path, Duration::from_millis(1), || panic!("it is free")).unwrap();
        let mut waited = 0;
        let second = FileLock::wait(&path, Duration::from_millis(1), || {
            waited += 1;
            if waited == 3 {
                first = None;
            }
        });
        assert!(second.unwrap().is_some());
        assert_eq!(waited, 3);
    }
}
