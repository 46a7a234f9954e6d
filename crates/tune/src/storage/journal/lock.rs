//! The lock of a journal: a link beside the file, as Optuna makes it. It works on network disks that have no other locks.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// After so long without a change, the owner of a lock is taken for dead.
const GRACE: Duration = Duration::from_secs(30);

/// Held until it is released.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    held: bool,
}

impl Lock {
    /// Wait for the lock of the journal, and take it.
    pub fn take(journal: &Path) -> io::Result<Self> {
        Self::take_after(journal, GRACE)
    }

    /// The same; one that has not changed for `grace` is taken over.
    fn take_after(journal: &Path, grace: Duration) -> io::Result<Self> {
        // Optuna asks where the link leads, from wherever it runs.
        let target = std::path::absolute(journal)?;
        let mut path = journal.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let (mut pause, mut seen) = (Duration::from_millis(1), (None, Instant::now()));
        loop {
            match put(&target, &path) {
                Ok(()) => return Ok(Self { path, held: true }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            let changed = changed(&path);
            if changed != seen.0 {
                seen = (changed, Instant::now());
            } else if seen.1.elapsed() > grace && remove(&path).is_ok() {
                (pause, seen) = (Duration::from_millis(1), (None, Instant::now()));
                continue;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Give it back.
    ///
    /// # Errors
    /// If another worker took it over: this one was too slow, and its lines may stand among others.
    pub fn release(mut self) -> io::Result<()> {
        self.held = false;
        remove(&self.path).map_err(|_| {
            io::Error::other(
                "another worker took over the lock, for this one did not answer for half a minute",
            )
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held {
            let _ = remove(&self.path);
        }
    }
}

#[cfg(unix)]
fn put(journal: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(journal, path)
}

/// Where links need rights of their own: a new file, as Optuna's other lock.
#[cfg(not(unix))]
fn put(_: &Path, path: &Path) -> io::Result<()> {
    wellfit_base::file::create(path, false).map(drop)
}

/// When the lock was last changed. Optuna asks the link's target, which changes with each line that is written; the link itself
/// where there is no target yet.
fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().or_else(|_| path.symlink_metadata()).and_then(|found| found.modified()).ok()
}

/// Under another name first: of two that remove it, one succeeds.
fn remove(path: &Path) -> io::Result<()> {
    let mut other = path.as_os_str().to_owned();
    other.push(wellfit_base::id::random()?);
    other.push(".rename");
    std::fs::rename(path, &other)?;
    std::fs::remove_file(&other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("study.log");
        let (inside, most) = (std::sync::atomic::AtomicU32::new(0), std::sync::atomic::AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = Lock::take(&journal).unwrap();
                        let now = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                        most.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        lock.release().unwrap();
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_lock_of_a_dead_worker_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("study.log");
        std::mem::forget(Lock::take(&journal).unwrap());
        let taken = Lock::take_after(&journal, Duration::from_millis(20)).unwrap();
        taken.release().unwrap();
        assert!(remove(&dir.path().join("study.log.lock")).is_err());
    }
}
