//! The directory of a trial: its plan, and the pairs of runs that may be made by several processes at once.
//!
//! ```text
//! runs/animals-dropout-1/
//!   trial.toml               the plan; written before the first pair
//!   trial.number             larger than those of the older trials beside it
//!   pair-0/baseline/         an ordinary run; 0 is the seed of the pair
//!   pair-0/dropout/          another one
//! ```

use crate::error::{At, RecordError, Result};
use crate::improvement::text;
use crate::io::{Disk, replace_file};
use crate::lock::{RunLock, is_locked};
use crate::manifest::read_file;
use crate::place;
use crate::run::RUN_TOML;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::{Dir, atomic};

/// The file of the plan.
pub const TRIAL_TOML: &str = "trial.toml";
/// The longest plan that is read.
const MOST_BYTES: u64 = 1 << 20;
/// The file of the number that orders the trials of a folder, whatever the clock says.
pub(crate) const NUMBER: &str = "trial.number";

/// A trial on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialDir {
    path: PathBuf,
}

/// The right to work on a pair. It ends with this value, or with the process.
#[derive(Debug)]
pub struct PairLock {
    _held: RunLock,
}

impl TrialDir {
    /// Begins a trial with that plan: in `out`, which must be missing or empty, or else in `runs/<hint>-<n>` with the smallest
    /// free n. It stands there once the plan is on the disk.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, plan: &str) -> Result<Self> {
        let (staged, lock) = place::claim(Arc::new(Disk), out, hint, false)?;
        let path = staged.place.path().to_owned();
        let put = |name: &str, text: &str| replace_file(&Disk, &staged.dir, name, text.as_bytes());
        let numbered = next_number(&path).and_then(|number| put(NUMBER, &format!("{number}\n")));
        match numbered.and_then(|()| put(TRIAL_TOML, plan)) {
            Ok(()) => staged.publish(Arc::new(lock)).map(|_lock| Self { path }),
            Err(error) => {
                staged.discard();
                Err(error)
            }
        }
    }

    /// The trial in a directory, if there is one.
    #[must_use]
    pub fn find(path: &Path) -> Option<Self> {
        Dir::open(path).ok()?.is_file(TRIAL_TOML).ok()?.then(|| Self { path: path.to_owned() })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Later trials of a folder have larger numbers, whatever the clock said; 0 where it is not known.
    #[must_use]
    pub fn number(&self) -> u64 {
        number_in(&self.path)
    }

    /// The text of its plan.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn plan(&self) -> Result<String> {
        let bytes = read_file(&self.dir()?, TRIAL_TOML, MOST_BYTES)?;
        let path = self.path.join(TRIAL_TOML);
        String::from_utf8(bytes).map_err(|error| RecordError::damaged(&path, error.to_string()))
    }

    /// Where the run of an arm is, or is to be.
    #[must_use]
    pub fn run(&self, seed: u64, arm: &str) -> PathBuf {
        self.path.join(pair(seed)).join(arm)
    }

    /// The runs there are, pair by pair.
    #[must_use]
    pub fn runs(&self) -> Vec<PathBuf> {
        let names = |path: &Path| {
            let names = Dir::open(path).and_then(|dir| dir.names()).unwrap_or_default();
            names.into_iter().filter_map(|name| name.into_string().ok()).collect::<Vec<_>>()
        };
        let seed = |name: &String| name.strip_prefix("pair-").and_then(|seed| seed.parse().ok());
        let mut seeds: Vec<u64> = names(&self.path).iter().filter_map(seed).collect();
        seeds.sort_unstable();
        let arms = |seed: u64| {
            let mut arms = names(&self.path.join(pair(seed)));
            arms.sort();
            arms.into_iter().map(move |arm| self.run(seed, &arm))
        };
        seeds.into_iter().flat_map(arms).filter(|run| run.join(RUN_TOML).is_file()).collect()
    }

    /// The right to work on the pair of that seed; None while another process has it.
    ///
    /// # Errors
    /// If the pair's directory cannot be made or locked.
    pub fn claim(&self, seed: u64) -> Result<Option<PairLock>> {
        let (dir, name) = (self.dir()?, pair(seed));
        match dir.create_dir(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.at("create", &dir.join(&name))?,
        }
        let within = dir.open_dir(&name).at("open", &dir.join(&name))?;
        Ok(RunLock::attempt(&within)?.map(|held| PairLock { _held: held }))
    }

    /// Whether a living process works on the pair of that seed.
    #[must_use]
    pub fn is_claimed(&self, seed: u64) -> bool {
        self.dir()
            .and_then(|dir| dir.open_dir(pair(seed)).at("open", &self.path))
            .is_ok_and(|dir| is_locked(&dir))
    }

    /// The text of a file in the directory; none if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read, or is no text.
    pub fn read_file(&self, name: &str) -> Result<Option<String>> {
        text(&self.dir()?, &self.path, name)
    }

    /// Puts a file into the directory, as a whole or not at all; one that is there is replaced. No process owns the
    /// directory, so each removes what those left that ended while they wrote.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        atomic::replace(&path, bytes).at("write", &path)
    }

    pub(crate) fn dir(&self) -> Result<Dir> {
        Dir::open(&self.path).at("open", &self.path)
    }
}

/// The number after those of all that is ordered in the folder of `path`. What cannot be read may have had the next.
pub(crate) fn next_number(path: &Path) -> Result<u64> {
    let folder = std::fs::canonicalize(path).at("open", path)?;
    let Some(folder) = folder.parent() else { return Ok(1) };
    let names = Dir::open(folder).and_then(|dir| Ok((dir.names()?, dir)));
    let (names, folder) = names.at("read", folder)?;
    let (mut largest, mut unread) = (0, 0);
    for entry in names.into_iter().filter_map(|name| folder.open_dir(name).ok()) {
        match number_of(&entry) {
            Some(number) => largest = number.max(largest),
            None => unread += u64::from(entry.is_file(NUMBER).unwrap_or(true)),
        }
    }
    Ok(largest.saturating_add(unread).saturating_add(1))
}

/// The number in a directory; 0 where it is not known.
pub(crate) fn number_in(path: &Path) -> u64 {
    Dir::open(path).ok().and_then(|dir| number_of(&dir)).unwrap_or(0)
}

fn number_of(dir: &Dir) -> Option<u64> {
    let bytes = read_file(dir, NUMBER, 32).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

pub(crate) fn pair(seed: u64) -> String {
    format!("pair-{seed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_beyond_those_that_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let next = || next_number(&root.path().join("new")).unwrap();
        let put = |name: &str, text: &str| {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join(NUMBER), text).unwrap();
        };
        std::fs::create_dir(root.path().join("new")).unwrap();
        assert_eq!(next(), 1);
        put("third", "3\n");
        assert_eq!(next(), 4);
        put("damaged", "\0");
        assert_eq!(next(), 5);
    }
}
