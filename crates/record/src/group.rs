//! A directory of several runs that belong together, such as the folds of a cross-validation.

use crate::error::{At, Result};
use crate::io::{Disk, replace_file};
use crate::lock::RunLock;
use crate::owner::check_held;
use crate::place;
use crate::staged::{Staged, settle};
use crate::writer::RunWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::Dir;

/// The one owner of a directory whose sub-directories are runs. Its lock ends with this value, or with the process; each
/// run has its own besides.
#[derive(Debug)]
pub struct RunGroup {
    /// Where it is, or is to be.
    path: PathBuf,
    dir: Arc<Dir>,
    lock: Arc<RunLock>,
    /// Until it stands in its place.
    staged: Option<Staged>,
}

impl RunGroup {
    /// Begins a fresh group: in `out`, or else in `runs/<hint>-<n>` with the smallest free n. It stands there once its
    /// [first run](Self::begin_with) does.
    ///
    /// `out` must be missing or empty, unless `force` allows to replace the run or the group in it.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, force: bool) -> Result<Self> {
        let (staged, lock) = place::claim(Arc::new(Disk), out, hint, force)?;
        let (path, dir) = (staged.place.path().to_owned(), Arc::clone(&staged.dir));
        Ok(Self { path, dir, lock: Arc::new(lock), staged: Some(staged) })
    }

    /// Becomes the owner of a group that is there.
    ///
    /// # Errors
    /// If it is in use, or cannot be written.
    pub fn resume(dir: &Path) -> Result<Self> {
        let (path, dir) = (dir.to_path_buf(), Arc::new(Dir::open(dir).at("open", dir)?));
        let lock = RunLock::acquire(&dir)?;
        place::tidy(&Disk, &dir)?;
        Ok(Self { path, dir, lock: Arc::new(lock), staged: None })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finishes what a process left that ended while it put a group in its place.
    ///
    /// # Errors
    /// If that cannot be done, or another process is at it.
    pub fn settle(dir: &Path) -> Result<()> {
        Dir::open(dir).at("open", dir).and_then(|dir| settle(&dir))
    }

    /// Where its run number `number`, from 1, is to be made now: the group itself need not stand yet.
    #[must_use]
    pub fn place_of(&self, number: u32) -> PathBuf {
        place::member(self.dir.path(), number)
    }

    /// The directory of its run number `number`, from 1.
    #[must_use]
    pub fn run(dir: &Path, number: u32) -> PathBuf {
        place::member(dir, number)
    }

    /// Puts a group in its place whose first run stands in it, and gives that run there. In a group that stands nothing
    /// is done.
    ///
    /// # Errors
    /// If it cannot be put there, or the run not be opened again.
    pub fn begin_with(&mut self, first: RunWriter) -> Result<RunWriter> {
        let Some(staged) = self.staged.take() else { return Ok(first) };
        drop(first);
        self.lock = staged.publish(Arc::clone(&self.lock))?;
        self.dir = Arc::new(Dir::open(&self.path).at("open", &self.path)?);
        RunWriter::resume(place::member(&self.path, 1))
    }

    /// Puts a file into the directory, as a whole or not at all; one that is there is replaced.
    ///
    /// # Errors
    /// If it cannot be written, or if the directory is no longer this group's.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        check_held(&self.dir, &self.lock)?;
        replace_file(&Disk, &self.dir, name, bytes)
    }
}

impl Drop for RunGroup {
    fn drop(&mut self) {
        if let Some(staged) = self.staged.take() {
            staged.discard();
        }
    }
}
