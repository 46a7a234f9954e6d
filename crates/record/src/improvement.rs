//! The directory of an improvement: its plan, and the runs and trials that follow from it, made by one process at a time.
//!
//! ```text
//! runs/animals-improve-1/
//!   improve.toml             the plan; written before the first run
//!   trial.number             as a trial's
//!   first/  final/           ordinary runs
//!   round-1/  round-2/       trials
//! ```

use crate::error::{At, RecordError, Result};
use crate::io::{Disk, replace_file};
use crate::lock::RunLock;
use crate::manifest::read_file;
use crate::place;
use crate::trial::{NUMBER, next_number, number_in};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::Dir;

/// The file of the plan.
pub const IMPROVE_TOML: &str = "improve.toml";
/// The longest file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// The one owner of an improvement on disk. Its lock ends with this value, or with the process.
#[derive(Debug)]
pub struct ImprovementDir {
    path: PathBuf,
    _lock: Arc<RunLock>,
}

impl ImprovementDir {
    /// Begins one with that plan: in `out`, which must be missing or empty, or else in `runs/<hint>-<n>` with the smallest free
    /// n. It stands there once the plan is on the disk.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, plan: &str) -> Result<Self> {
        let (staged, lock) = place::claim(Arc::new(Disk), out, hint, false)?;
        let path = staged.place.path().to_owned();
        let put = |name: &str, text: &str| replace_file(&Disk, &staged.dir, name, text.as_bytes());
        let numbered = next_number(&path).and_then(|number| put(NUMBER, &format!("{number}\n")));
        match numbered.and_then(|()| put(IMPROVE_TOML, plan)) {
            Ok(()) => Ok(Self { _lock: staged.publish(Arc::new(lock))?, path }),
            Err(error) => {
                staged.discard();
                Err(error)
            }
        }
    }

    /// Becomes the owner of one that is there.
    ///
    /// # Errors
    /// If it is in use.
    pub fn resume(path: &Path) -> Result<Self> {
        let dir = Dir::open(path).at("open", path)?;
        Ok(Self { path: path.to_owned(), _lock: Arc::new(RunLock::acquire(&dir)?) })
    }

    /// The plan of the improvement in a directory; none if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn plan_in(path: &Path) -> Result<Option<String>> {
        Dir::open(path).ok().map_or(Ok(None), |dir| text(&dir, path, IMPROVE_TOML))
    }

    /// Later improvements of a folder have larger numbers, whatever the clock said; 0 where it is not known.
    #[must_use]
    pub fn number_of(path: &Path) -> u64 {
        number_in(path)
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of a file in the directory; none if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read, or is no text.
    pub fn read_file(&self, name: &str) -> Result<Option<String>> {
        text(&Dir::open(&self.path).at("open", &self.path)?, &self.path, name)
    }

    /// Puts a file into the directory, as a whole or not at all; one that is there is replaced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        replace_file(&Disk, &Dir::open(&self.path).at("open", &self.path)?, name, bytes)
    }
}

/// The text of a file in an open directory; none if there is no such file.
pub(crate) fn text(dir: &Dir, path: &Path, name: &str) -> Result<Option<String>> {
    if !dir.is_file(name).at("open", &path.join(name))? {
        return Ok(None);
    }
    let text = String::from_utf8(read_file(dir, name, MOST_BYTES)?);
    text.map(Some).map_err(|error| RecordError::damaged(&path.join(name), error.to_string()))
}
