//! A study in a file: every operation is a line of JSON, and whoever reads all lines knows the study.
//!
//! We hold the file's lock from reading what others wrote until our own lines are on the disk. So what we write is true when it
//! is written, which Optuna finds out only afterwards.

mod line;
mod lock;
mod replay;

use super::{Change, Result, Storage, StorageError, counted};
use crate::storage::time::with_offset;
use crate::trial::{Direction, State, Trial};
use line::{Line, Operation, number};
use lock::Lock;
use replay::Replay;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wellfit_base::{Dir, Shown};

/// The key of the note by which a worker says that it is alive: Optuna's journals know no heartbeats.
const HEARTBEAT: &str = "wellfit:heartbeat";
/// The longest line.
const MOST: u64 = 1 << 24;

/// A study in a journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    worker: String,
    name: String,
    direction: Direction,
    /// How far the file is read, and how many lines that is.
    read: (u64, u64),
    replay: Replay,
    /// The heartbeats as they were seen, and when they were first seen so.
    seen: HashMap<i64, (Value, Instant)>,
}

impl Journal {
    /// Open or make the study of that name.
    pub fn open(path: &Path, name: &str, direction: Direction, make: bool) -> Result<Self> {
        let mut journal = Self {
            path: path.to_owned(),
            worker: String::new(),
            name: name.to_owned(),
            direction,
            read: (0, 0),
            replay: Replay::of(name),
            seen: HashMap::new(),
        };
        // Optuna wants a worker's name to hold a hyphen.
        let random = wellfit_base::id::random().map_err(|error| journal.failed(&error))?;
        journal.worker = format!("wellfit-{random}");
        if path.exists() {
            journal.read()?;
        } else if !make {
            return Err(journal.broken("there is no such file"));
        }
        if journal.replay.study().is_none() && make {
            journal.write(|journal| {
                let line = journal.line(Operation::CreateStudy).text("study_name", &journal.name);
                let line = line.raw("directions", &format!("[{}]", direction as u8));
                let there = journal.replay.study().is_some();
                Ok((if there { Vec::new() } else { vec![line] }, ()))
            })?;
        }
        match journal.replay.study() {
            None => {
                Err(journal
                    .broken(&format!("there is no study {name}; there are: {}", journal.replay.names())))
            }
            Some(study) if study.directions.len() != 1 => {
                Err(journal.broken(&format!("study {name} has several objectives, and one is searched here")))
            }
            Some(study) => {
                journal.direction =
                    if study.directions[0] == 2 { Direction::Maximize } else { Direction::Minimize };
                Ok(journal)
            }
        }
    }

    fn broken(&self, problem: &str) -> StorageError {
        StorageError { storage: self.path.shown(), problem: problem.to_owned() }
    }

    fn failed(&self, error: &io::Error) -> StorageError {
        self.broken(&error.to_string())
    }

    fn line(&self, operation: Operation) -> Line {
        Line::new(operation, &self.worker)
    }

    fn study(&self) -> u64 {
        self.replay.study().map_or(0, |study| study.id)
    }

    /// Read what was written since. The last line may still be written, and is left for the next time.
    fn read(&mut self) -> Result<()> {
        let mut file = wellfit_base::file::open(&self.path).map_err(|error| self.failed(&error))?;
        let length = file.metadata().map_err(|error| self.failed(&error))?.len();
        if length < self.read.0 {
            return Err(self.broken("the file was cut short while it was in use"));
        }
        if length == self.read.0 {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.read.0)).map_err(|error| self.failed(&error))?;
        let mut lines = BufReader::with_capacity(1 << 16, file.take(length - self.read.0));
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines
                .by_ref()
                .take(MOST)
                .read_until(b'\n', &mut line)
                .map_err(|error| self.failed(&error))?;
            if read as u64 == MOST {
                return Err(self.broken(&format!("line {} has no end", self.read.1 + 1)));
            }
            if line.last() != Some(&b'\n') {
                return Ok(());
            }
            let applied = line::parse(&line).and_then(|value| self.replay.apply(&value));
            applied.map_err(|problem| self.broken(&format!("line {}: {problem}", self.read.1 + 1)))?;
            self.read = (self.read.0 + read as u64, self.read.1 + 1);
        }
    }

    /// Under the lock: read, let `make` say which lines follow and what comes of it, and write these.
    fn write<T>(&mut self, make: impl FnOnce(&Self) -> Result<(Vec<Line>, T)>) -> Result<T> {
        let (folder, name) = (folder(&self.path), self.path.file_name().unwrap_or_default().to_owned());
        let lock = Lock::take(&self.path).map_err(|error| self.failed(&error))?;
        let mut file =
            Dir::open(folder).and_then(|dir| dir.append_file(&name)).map_err(|error| self.failed(&error))?;
        self.read()?;
        let (lines, result) = make(self)?;
        if !lines.is_empty() {
            let text: String = lines.into_iter().map(Line::end).collect();
            let written = self.cut_rest(&file).and_then(|()| {
                file.write_all(text.as_bytes())?;
                file.sync_data()
            });
            written.map_err(|error| self.failed(&error))?;
            self.read()?;
        }
        lock.release().map_err(|error| self.failed(&error))?;
        Ok(result)
    }

    /// A line that another worker did not write to its end before it died is taken away: it said nothing yet.
    fn cut_rest(&self, file: &std::fs::File) -> io::Result<()> {
        if file.metadata()?.len() > self.read.0 { file.set_len(self.read.0) } else { Ok(()) }
    }

    fn lines_of(&self, id: i64, changes: &[Change]) -> Vec<Line> {
        let of = |operation| self.line(operation).int("trial_id", id);
        let line = |change: &Change| match change {
            Change::Parameter(name, one) => of(Operation::SetParameter)
                .text("param_name", name)
                .raw("param_value_internal", &number(one.internal))
                .text("distribution", &one.distribution.to_json()),
            Change::Report(step, value) => {
                of(Operation::SetReport).int("step", *step).raw("intermediate_value", &number(*value))
            }
            Change::User(key, value) => of(Operation::SetUser).attribute("user_attr", key, value),
            Change::System(key, value) => of(Operation::SetSystem).attribute("system_attr", key, value),
        };
        changes.iter().map(line).collect()
    }

    /// Whether a trial is under way.
    fn is_open(&self, id: i64) -> bool {
        self.replay.trial(id).is_some_and(|trial| !trial.state.is_finished())
    }
}

impl Storage for Journal {
    fn name(&self) -> &str {
        &self.name
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn trials(&mut self) -> Result<&[Trial]> {
        self.read()?;
        Ok(self.replay.trials())
    }

    fn notes(&mut self) -> Result<BTreeMap<String, Value>> {
        self.read()?;
        Ok(self.replay.study().map(|study| study.user.clone()).unwrap_or_default())
    }

    fn note(&mut self, key: &str, value: &Value) -> Result<()> {
        self.write(|journal| {
            let line = journal.line(Operation::SetStudyUser).int("study_id", journal.study() as i64);
            Ok((vec![line.attribute("user_attr", key, value)], ()))
        })
    }

    fn begin(&mut self, most: usize, notes: &[Change]) -> Result<Option<i64>> {
        self.write(|journal| {
            if counted(journal.replay.trials()) >= most {
                return Ok((Vec::new(), None));
            }
            let id = journal.replay.next_trial();
            let line = journal.line(Operation::CreateTrial).int("study_id", journal.study() as i64);
            let mut lines = vec![line.text("datetime_start", &with_offset())];
            lines.extend(journal.lines_of(id, notes));
            Ok((lines, Some(id)))
        })
    }

    fn take(&mut self, id: i64, notes: &[Change]) -> Result<bool> {
        self.write(|journal| {
            if journal.replay.trial(id).is_none_or(|trial| trial.state != State::Waiting) {
                return Ok((Vec::new(), false));
            }
            let line =
                journal.line(Operation::SetState).int("trial_id", id).int("state", State::Running as i64);
            let mut lines = vec![line.raw("values", "null").text("datetime_start", &with_offset())];
            lines.extend(journal.lines_of(id, notes));
            Ok((lines, true))
        })
    }

    fn change(&mut self, id: i64, changes: &[Change]) -> Result<bool> {
        self.write(|journal| {
            let open = journal.is_open(id);
            Ok((if open { journal.lines_of(id, changes) } else { Vec::new() }, open))
        })
    }

    fn finish(&mut self, id: i64, state: State, value: Option<f64>, again: Option<&Trial>) -> Result<bool> {
        self.write(|journal| {
            if !journal.is_open(id) {
                return Ok((Vec::new(), false));
            }
            let values = value.map_or_else(|| "null".to_owned(), |value| format!("[{}]", number(value)));
            let line = journal.line(Operation::SetState).int("trial_id", id).int("state", state as i64);
            let mut lines = vec![line.raw("values", &values).text("datetime_complete", &with_offset())];
            let study = journal.study() as i64;
            lines
                .extend(again.map(|again| {
                    journal.line(Operation::CreateTrial).int("study_id", study).template(again)
                }));
            Ok((lines, true))
        })
    }

    fn beat(&mut self, id: i64) -> Result<()> {
        let change = Change::System(HEARTBEAT.to_owned(), Value::from(with_offset()));
        self.change(id, &[change]).map(drop)
    }

    /// Clocks of hosts differ: a heartbeat is old once it has not changed for so long while this process watched.
    fn silent(&mut self, grace: Duration) -> Result<Vec<i64>> {
        self.read()?;
        let now = Instant::now();
        let running = self.replay.trials().iter().filter(|trial| trial.state == State::Running);
        let beats: HashMap<i64, Value> =
            running.filter_map(|trial| Some((trial.id, trial.system.get(HEARTBEAT)?.clone()))).collect();
        self.seen.retain(|id, (value, _)| beats.get(id) == Some(value));
        for (id, value) in beats {
            self.seen.entry(id).or_insert((value, now));
        }
        let old = self.seen.iter().filter(|(_, (_, since))| now.duration_since(*since) > grace);
        Ok(old.map(|(id, _)| *id).collect())
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
