//! Reading a run.

use crate::error::{At, RecordError, Result};
use crate::event::{Event, StepRecord};
use crate::identity::Identified;
use crate::lines::{Log, first_line, last_line, lines_after, read_lines};
use crate::lock::is_locked;
use crate::manifest::{FileEntry, LoadedCheckpoint, Manifest, read_file};
use crate::rows::without_replaced;
use crate::slots::{self, NewestGood};
use crate::staged::settle;
use crate::statistics::Statistics;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use wellfit_base::Dir;

pub(crate) const RUN_TOML: &str = "run.toml";
pub(crate) const EVENTS: &str = "events.jsonl";
pub(crate) const STEPS: &str = "steps.jsonl";
pub(crate) const STATISTICS: &str = "statistics.jsonl";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// The longest `run.toml` that is read, and so written: the names of some ten thousand classes, however long they are.
pub(crate) const MOST_BYTES: u64 = 16 << 20;
/// The version of `run.toml`.
pub(crate) const FORMAT: u32 = 1;

/// A run on disk, for reading. Another process may be writing to it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Opens the run in the directory `path`.
    ///
    /// # Errors
    /// If there is no such directory, or no `run.toml` in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        if !fs::metadata(&path).at("open", &path)?.is_dir() {
            return Err(RecordError::NotADirectory(path));
        }
        let dir = Dir::open(&path).at("open", &path)?;
        settle(&dir)?;
        let is_run = dir.is_file(RUN_TOML).at("open", &path.join(RUN_TOML))?;
        if is_run { Ok(Self { path }) } else { Err(RecordError::NotARun(path)) }
    }

    /// The directory, opened: what is looked up in it is in it, and links are not followed.
    ///
    /// # Errors
    /// If it is gone.
    pub fn dir(&self) -> Result<Dir> {
        Dir::open(&self.path).at("open", &self.path)
    }

    /// The run's id, which its event file and its checkpoints have, too; none in a run of a version without ids.
    ///
    /// # Errors
    /// If `run.toml` cannot be read.
    pub fn id(&self) -> Result<Option<String>> {
        identified(&self.dir()?).map(|found| found.id)
    }

    /// The run's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of `run.toml`: [`RunInfo`](crate::RunInfo), or any type with some of its fields.
    ///
    /// # Errors
    /// With the line, if the file is not as `T` needs it; if a newer version wrote it.
    pub fn read_run_toml<T: DeserializeOwned>(&self) -> Result<T> {
        read_run_toml_in(&self.dir()?)
    }

    /// All events, in the order they happened. See [`epochs`](crate::epochs) for the metrics.
    ///
    /// # Errors
    /// Only if the file cannot be read; damaged lines are reported in the log.
    pub fn events(&self) -> Result<Log<Event>> {
        let mut log = self.lines(EVENTS)?;
        log.rows.retain(|event| !matches!(event, Event::Run { .. }));
        Ok(log)
    }

    /// The same, unless the file is missing or another run's.
    ///
    /// # Errors
    /// As [`events`](Self::events); [`RecordError::OtherRun`].
    pub fn own_events(&self) -> Result<Log<Event>> {
        if matches!(self.dir()?.kind(EVENTS), Ok(None)) {
            return Err(RecordError::damaged(&self.path.join(EVENTS), "it is missing"));
        }
        check_events(&self.dir()?, self.id()?.as_deref())?;
        self.events()
    }

    /// The checkpoint in the directory of that name, such as `0007-last`, with every byte checked.
    ///
    /// # Errors
    /// As [`read_checkpoint`](crate::read_checkpoint); [`RecordError::OtherRun`] if it is another run's.
    pub fn checkpoint(&self, directory: &str) -> Result<LoadedCheckpoint> {
        slots::read_slot(&self.checkpoint_dir()?, self.id()?.as_deref(), directory)
    }

    /// Later runs of a folder have larger numbers, whatever the clock said; 0 where `run.toml` does not say.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.dir().ok().and_then(|dir| Identified::glance(&dir)).map_or(0, |found| found.sequence)
    }

    /// What the run left besides its record and checkpoints, once it ended; nothing in a run that did not end, or of a
    /// version that did not say.
    ///
    /// # Errors
    /// If the events cannot be read.
    pub fn files(&self) -> Result<Option<Vec<FileEntry>>> {
        Ok(self.events()?.rows.into_iter().rev().find_map(|event| match event {
            Event::Files { files } => Some(files),
            _ => None,
        }))
    }

    /// Length and checksum of a file of the run, as it is on the disk.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn entry(&self, name: &str) -> Result<FileEntry> {
        FileEntry::of_file(&self.dir()?, name)
    }

    /// All steps in order; those that were done again after a resume count once, as recorded last.
    ///
    /// # Errors
    /// Only if the file cannot be read; damaged lines are reported in the log.
    pub fn steps(&self) -> Result<Log<StepRecord>> {
        let log = self.lines::<StepRecord>(STEPS)?;
        Ok(Log { rows: without_replaced(log.rows, |row| row.step), ..log })
    }

    /// The steps from some byte of their file on, and where reading goes on next time: for who follows a run.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn steps_after(&self, read: u64) -> Result<(Vec<StepRecord>, u64)> {
        lines_after(&self.dir()?, STEPS, read)
    }

    /// The step that was recorded last, also of an epoch under way; none where there is none, or none that can be read.
    #[must_use]
    pub fn last_step(&self) -> Option<StepRecord> {
        last_line(&self.dir().ok()?, STEPS)
    }

    /// The rows of a file of lines; of one that is missing none, so that a run that lost it can go on.
    fn lines<T: DeserializeOwned>(&self, name: &str) -> Result<Log<T>> {
        let dir = self.dir()?;
        match dir.kind(name) {
            Ok(None) => Ok(Log { rows: Vec::new(), problems: Vec::new(), torn: false }),
            _ => read_lines(&dir, name),
        }
    }

    /// What was recorded for a diagnosis; none where it was turned off, or in a run of an older version.
    ///
    /// # Errors
    /// Only if the file cannot be read; damaged lines are reported in the log.
    pub fn statistics(&self) -> Result<Option<Log<Statistics>>> {
        let there = !matches!(self.dir()?.kind(STATISTICS), Ok(None));
        there.then(|| self.lines(STATISTICS)).transpose()
    }

    /// The directories of the checkpoints, oldest first; read one with
    /// [`read_checkpoint`](crate::read_checkpoint).
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        slots::paths(&self.checkpoint_dir()?)
    }

    pub(crate) fn checkpoint_dir(&self) -> Result<Dir> {
        self.dir()?.open_dir(CHECKPOINTS).at("open", &self.path.join(CHECKPOINTS))
    }

    /// The newest valid checkpoint of that name, or of any name; damaged ones are skipped and named.
    ///
    /// # Errors
    /// If the directory cannot be read, or a checkpoint in it is another run's.
    pub fn newest_good(&self, name: Option<&str>) -> Result<NewestGood> {
        self.newest_good_where(name, |_| true)
    }

    /// The same of those whose manifest is `wanted`.
    ///
    /// # Errors
    /// As [`newest_good`](Self::newest_good).
    pub fn newest_good_where(
        &self,
        name: Option<&str>,
        wanted: impl Fn(&Manifest) -> bool,
    ) -> Result<NewestGood> {
        slots::newest_good(&self.checkpoint_dir()?, self.id()?.as_deref(), name, &wanted)
    }

    /// Whether a living process is writing to the run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.dir().is_ok_and(|dir| is_locked(&dir))
    }
}

/// What the `run.toml` in a directory says of which run it is.
pub(crate) fn identified(dir: &Dir) -> Result<Identified> {
    match Identified::glance(dir) {
        Some(found) if found.id.is_some() => Ok(found),
        _ => read_run_toml_in(dir),
    }
}

/// Refuses an event file that is another run's. One whose first line is damaged may be anybody's.
pub(crate) fn check_events(dir: &Dir, id: Option<&str>) -> Result<()> {
    let Some(first) = first_line::<Event>(dir, EVENTS) else { return Ok(()) };
    let found = if let Event::Run { id } = first { Some(id) } else { None };
    if found.as_deref() == id {
        return Ok(());
    }
    let (run, expected) = (dir.path().into(), id.map(str::to_owned));
    Err(RecordError::OtherRun { path: dir.join(EVENTS), found, run, expected })
}

fn read_run_toml_in<T: DeserializeOwned>(dir: &Dir) -> Result<T> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let (path, bytes) = (dir.join(RUN_TOML), read_file(dir, RUN_TOML, MOST_BYTES)?);
    let text = String::from_utf8(bytes).map_err(|error| RecordError::damaged(&path, error.to_string()))?;
    let bad = |error: toml::de::Error| RecordError::damaged(&path, error.to_string());
    let found = toml::from_str::<Version>(&text).map_err(bad)?.format;
    if found > FORMAT {
        return Err(RecordError::Newer { path, found, supported: FORMAT });
    }
    toml::from_str(&text).map_err(bad)
}
