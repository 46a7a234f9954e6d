//! A directory of several runs that belong together, such as the folds of a cross-validation.

use crate::error::Result;
use crate::io::{Disk, replace_file};
use crate::lock::RunLock;
use crate::place;
use std::path::{Path, PathBuf};

/// The one owner of a directory whose sub-directories are runs. Its lock ends with this value, or with the process; each
/// run has its own besides.
#[derive(Debug)]
pub struct RunGroup {
    path: PathBuf,
    _lock: RunLock,
}

impl RunGroup {
    /// Claims a fresh directory: `out`, or else `runs/<hint>-<n>` with the smallest free n.
    ///
    /// `out` must be missing or empty, unless `force` allows to replace the run or the group in it.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, force: bool) -> Result<Self> {
        let claim = match out {
            Some(dir) => place::claim_at(&Disk, dir, force)?,
            None => place::claim_numbered(&Disk, Path::new("runs"), hint)?,
        };
        // What cannot be removed costs space only, and the next owner tries again.
        let _ = place::remove_replaced_run(&Disk, &claim.path);
        Ok(Self { path: claim.path, _lock: claim.lock })
    }

    /// Becomes the owner of a group that is there.
    ///
    /// # Errors
    /// If it is in use, or cannot be written.
    pub fn resume(dir: &Path) -> Result<Self> {
        let lock = RunLock::acquire(dir)?;
        Ok(Self { path: dir.to_path_buf(), _lock: lock })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of its run number `number`, from 1.
    #[must_use]
    pub fn run(dir: &Path, number: u32) -> PathBuf {
        place::member(dir, number)
    }

    /// Puts a file into the directory, as a whole or not at all; one that is there is replaced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        replace_file(&Disk, &self.path.join(name), bytes)
    }
}
