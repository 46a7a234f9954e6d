//! Writing a run.

use crate::behind::{Batch, Behind, Done, Write};
use crate::blob::Blob;
use crate::checkpoint::{CheckpointWriter, Commit};
use crate::error::{At, RecordError, Result};
use crate::event::{Event, StepRecord};
use crate::identity::{Identified, next_sequence};
use crate::io::{Disk, Io, replace_file};
use crate::lines::{LineWriter, read_lines};
use crate::lock::RunLock;
use crate::manifest::{Checkpoint, CheckpointInfo, FileEntry};
use crate::owner::Owner;
use crate::place;
use crate::request;
use crate::request::{REQUEST, Request};
use crate::run::{
    CHECKPOINTS, EVENTS, MOST_BYTES, RUN_TOML, RunDir, STATISTICS, STEPS, check_events, identified,
};
use crate::slots;
use crate::staged::{Staged, remove_abandoned};
use crate::statistics::Statistics;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wellfit_base::{Dir, id};

/// Steps wait in memory until an event ends their epoch, or until they are this many bytes.
const STEPS_BUFFER: usize = 1 << 18;
/// … or this long: whoever watches a long epoch sees it move.
const STEPS_TIME: Duration = Duration::from_secs(5);

/// The one owner of a run on disk. Its lock ends with this value, or with the process.
#[derive(Debug)]
pub struct RunWriter {
    io: Arc<dyn Io>,
    /// Where it is, or is to be.
    path: PathBuf,
    owner: Arc<Owner>,
    events: LineWriter,
    steps: LineWriter,
    /// When steps were written last.
    steps_told: Instant,
    /// Where there are any, or were when the run was opened.
    statistics: Option<LineWriter>,
    checkpoints: Behind,
    /// Those that stand and were not asked for yet.
    committed: Vec<Checkpoint>,
    /// Until it stands in its place.
    staged: Option<Staged>,
}

impl RunWriter {
    /// Begins a fresh run: in `out`, or else in `runs/<hint>-<n>` with the smallest free n. It stands there once it has
    /// its [`run.toml`](Self::write_run_toml); until then it is built where nobody looks, and goes with this value.
    ///
    /// `out` must be missing or empty, unless `force` allows to replace the run in it, which stays whole until the new
    /// one stands. Nothing but a run is ever replaced.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, force: bool) -> Result<Self> {
        let io: Arc<dyn Io> = Arc::new(Disk);
        let claim = place::claim(io.clone(), out, hint, force)?;
        Self::build(io, claim)
    }

    /// [`create`](Self::create) in `root/<hint>-<n>`, with a file layer of your own.
    ///
    /// # Errors
    /// If `root` cannot be written.
    pub fn create_numbered(io: Arc<dyn Io>, root: &Path, hint: &str) -> Result<Self> {
        let claim = place::claim_numbered(io.clone(), root, hint)?;
        Self::build(io, claim)
    }

    /// [`create`](Self::create) in `dir`, with a file layer of your own.
    ///
    /// # Errors
    /// If `dir` is in the way, in use, or cannot be written.
    pub fn create_at(io: Arc<dyn Io>, dir: &Path, force: bool) -> Result<Self> {
        let claim = place::claim_at(io.clone(), dir, force)?;
        Self::build(io, claim)
    }

    fn build(io: Arc<dyn Io>, (staged, lock): (Staged, RunLock)) -> Result<Self> {
        let dir = Arc::clone(&staged.dir);
        let begun = id::random().at("name a run in", dir.path()).and_then(|id| {
            let owner = Owner::new(dir, Arc::new(lock), Some(id), false);
            Self::set_up(io, owner, staged.place.path().to_owned())
        });
        match begun {
            Ok(mut writer) => {
                writer.staged = Some(staged);
                Ok(writer)
            }
            Err(error) => {
                staged.discard();
                Err(error)
            }
        }
    }

    /// Becomes the owner of an existing run and removes the traces of a crash: a torn last line,
    /// half-written checkpoints, files that are not whole.
    ///
    /// # Errors
    /// If `path` is no run, is in use, or cannot be written; if its events are another run's.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self> {
        Self::resume_with(Arc::new(Disk), path)
    }

    /// [`resume`](Self::resume) with a file layer of your own.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_with(io: Arc<dyn Io>, path: impl Into<PathBuf>) -> Result<Self> {
        let run = RunDir::open(path)?;
        let (path, dir) = (run.path().to_path_buf(), Arc::new(run.dir()?));
        let lock = RunLock::acquire(&dir)?;
        place::tidy(&*io, &dir)?;
        request::drop_waiting(&*io, &dir)?;
        if let Some(folder) = std::path::absolute(&path).ok().as_deref().and_then(Path::parent) {
            remove_abandoned(&*io, folder);
        }
        let id = identified(&dir)?.id;
        check_events(&dir, id.as_deref())?;
        Self::set_up(io, Owner::new(dir, Arc::new(lock), id, true), path)
    }

    /// Takes a resumed run back to `checkpoint`, or to its beginning: what happened later, and will
    /// happen again, leaves the record, and newer checkpoints of that `name` are removed, as are older ones but for the
    /// `keep` newest of these.
    ///
    /// # Errors
    /// If the record cannot be rewritten; it is then as it was, and this can be tried again.
    pub fn go_back_to(&mut self, checkpoint: Option<&Checkpoint>, name: &str, keep: usize) -> Result<()> {
        let (epoch, step) =
            checkpoint.map_or((0, 0), |found| (found.manifest.info.epoch, found.manifest.info.step));
        self.settle()?;
        self.owner.check()?;
        self.checkpoints.go_back_to(name, checkpoint.map(|found| &*found.path), keep)?;
        self.steps.retain(|row: &StepRecord| row.step <= step)?;
        if let Some(statistics) = &mut self.statistics {
            statistics.retain(|row: &Statistics| row.stays_after_going_back_to(epoch, step))?;
        }
        self.events.retain(|event: &Event| event.stays_after_going_back_to(epoch, step))?;
        self.tell_of_checkpoints(epoch, step)
    }

    /// A process that ends between a commit and its event leaves a checkpoint that the record does not know: the
    /// events of those up to there that are missing are made up for, and of the files beside them.
    fn tell_of_checkpoints(&mut self, epoch: u32, step: u64) -> Result<()> {
        let dir = &self.owner.dir;
        let told = read_lines::<Event>(dir, EVENTS)?.rows;
        let root = dir.open_dir(CHECKPOINTS).at("open", &dir.join(CHECKPOINTS))?;
        let found = slots::manifests(&root, self.owner.id())?;
        let files = found.iter().flat_map(|Checkpoint { manifest, .. }| {
            let event = |file: &FileEntry| Event::File { epoch: manifest.info.epoch, file: file.clone() };
            manifest.beside.iter().map(event)
        });
        for event in files.chain(found.iter().map(event_of)) {
            if event.stays_after_going_back_to(epoch, step) && !told.contains(&event) {
                self.events.push(&event)?;
            }
        }
        self.events.flush()
    }

    fn set_up(io: Arc<dyn Io>, owner: Owner, path: PathBuf) -> Result<Self> {
        let dir = &owner.dir;
        let mut events = LineWriter::open(io.clone(), dir, EVENTS)?;
        if let Some(id) = owner.id().filter(|_| events.is_empty()) {
            events.push(&Event::Run { id: id.to_owned() })?;
            events.flush()?;
        }
        let steps = LineWriter::open(io.clone(), dir, STEPS)?;
        let known = dir.kind(STATISTICS).at("read", &dir.join(STATISTICS))?.is_some();
        let statistics = known.then(|| LineWriter::open(io.clone(), dir, STATISTICS)).transpose()?;
        let checkpoints = CheckpointWriter::open(io.clone(), dir, CHECKPOINTS, owner.id())?;
        io.sync_dir(dir).at("write", dir.path())?;
        let (checkpoints, owner) = (Behind::new(checkpoints), Arc::new(owner));
        let (committed, staged) = (Vec::new(), None);
        let steps_told = Instant::now();
        Ok(Self { io, path, owner, events, steps, steps_told, statistics, checkpoints, committed, staged })
    }

    /// The run's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name: that of its directory.
    #[must_use]
    pub fn name(&self) -> String {
        crate::summary::name_of(&self.path)
    }

    /// Whether the file system has locks, so that no other process can write to the run.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.owner.lock.works()
    }

    /// Whether the run has a file of that name. Where that cannot be told it has none: it is made again, or that fails.
    #[must_use]
    pub fn has_file(&self, name: &str) -> bool {
        self.owner.dir.is_file(name).unwrap_or(false)
    }

    /// Length and checksum of each of these files of the run, as they are on the disk; those that are not there are left
    /// out.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn entries(&self, names: &[String]) -> Result<Vec<FileEntry>> {
        let dir = &self.owner.dir;
        let entry = |name: &String| match dir.length(name).at("read", &dir.join(name))? {
            None => Ok(None),
            Some(_) => FileEntry::of_file(dir, name).map(Some),
        };
        names.iter().filter_map(|name| entry(name).transpose()).collect()
    }

    /// Writes `run.toml`, once: a [`RunInfo`](crate::RunInfo) or any type that is a TOML table without the keys `format`,
    /// `id` and `sequence`. With it the run stands in its place, whole, and what it replaces is gone.
    ///
    /// # Errors
    /// If it is there already, cannot be TOML, or cannot be written. What was in the place is then still there.
    pub fn write_run_toml(&mut self, info: &impl Serialize) -> Result<()> {
        let Some(staged) = self.staged.take() else {
            return Err(RecordError::AlreadyWritten(self.path.join(RUN_TOML)));
        };
        match self.describe(info, &staged) {
            Ok(identified) => self.publish(staged, identified),
            Err(error) => {
                self.staged = Some(staged);
                Err(error)
            }
        }
    }

    /// Writes all that is to be on the disk before the run stands.
    fn describe(&mut self, info: &impl Serialize, staged: &Staged) -> Result<Identified> {
        self.settle()?;
        let real = std::fs::canonicalize(staged.place.path()).ok();
        let sequence = real.as_deref().and_then(Path::parent).map_or(Ok(1), next_sequence)?;
        let identified = Identified { id: self.owner.id().map(str::to_owned), sequence };
        self.put_run_toml(info, &identified)?;
        self.steps.sync()?;
        self.events.sync()?;
        let root = self.owner.dir.open_dir(CHECKPOINTS).at("open", &self.path.join(CHECKPOINTS))?;
        self.io.sync_dir(&root).at("write", root.path())?;
        Ok(identified)
    }

    fn publish(&mut self, staged: Staged, identified: Identified) -> Result<()> {
        let lock = staged.publish(Arc::clone(&self.owner.lock))?;
        let dir = Arc::new(Dir::open(&self.path).at("open", &self.path)?);
        let owner = Owner::new(dir, lock, identified.id, true);
        let stands = Self::set_up(Arc::clone(&self.io), owner, self.path.clone())?;
        // The files are the same, so nothing is to be written to those of before any more.
        *self = stands;
        Ok(())
    }

    /// Writes `run.toml` anew, atomically, for a run that goes on with more epochs than it was begun with.
    ///
    /// # Errors
    /// If it cannot be TOML, or cannot be written.
    pub fn replace_run_toml(&self, info: &impl Serialize) -> Result<()> {
        self.owner.check()?;
        let identified = identified(&self.owner.dir)?;
        self.put_run_toml(info, &identified)
    }

    fn put_run_toml(&self, info: &impl Serialize, identified: &Identified) -> Result<()> {
        let unwritable = |problem| RecordError::Unwritable { path: self.path.join(RUN_TOML), problem };
        let text = toml::to_string(info).map_err(|error| unwritable(error.to_string()))?;
        let text = identified.head() + &text;
        if text.len() as u64 > MOST_BYTES {
            let problem = format!(
                "it would have {} bytes, and no more than {MOST_BYTES} are read back: give shorter class names, or \
                 fewer",
                text.len()
            );
            return Err(unwritable(problem));
        }
        replace_file(&*self.io, &self.owner.dir, RUN_TOML, text.as_bytes())
    }

    /// Puts a file of that name into the run's directory, as a whole or not at all; one that is there is replaced.
    /// For what a run leaves besides its record: weights, tables, texts.
    ///
    /// # Errors
    /// If the name is no plain file name or is one of the record's own, or if the file cannot be written.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        check_file_name(name)?;
        self.owner.check()?;
        replace_file(&*self.io, &self.owner.dir, name, bytes)
    }

    /// Appends an event, which other processes see at once. Checkpoints that are being written are waited for, so the
    /// order of events depends on what happened, not on how fast the disk was. A resumption, an interruption and the
    /// end of the run also bring everything so far safely to the disk; so does every commit, before it stands.
    ///
    /// # Errors
    /// If a checkpoint could not be written; the event is not there then. If the event cannot be written; it then
    /// waits, and goes before the next one.
    pub fn event(&mut self, event: &Event) -> Result<()> {
        self.settle()?;
        self.owner.check()?;
        self.events.push(event)?;
        let lines = self.statistics.iter_mut().chain([&mut self.steps, &mut self.events]);
        let written = if is_milestone(event) { LineWriter::sync } else { LineWriter::flush };
        lines.into_iter().try_for_each(written)
    }

    /// Appends a step. Steps are written in blocks, every few seconds, at the latest by the event that ends their epoch.
    ///
    /// # Errors
    /// If a block cannot be written.
    pub fn step(&mut self, step: &StepRecord) -> Result<()> {
        if self.steps.push(step)? < STEPS_BUFFER && self.steps_told.elapsed() < STEPS_TIME {
            return Ok(());
        }
        self.owner.check()?;
        self.steps_told = Instant::now();
        self.steps.flush()
    }

    /// Takes what was asked of the run, if anything was, at the end of that step, and records it.
    ///
    /// # Errors
    /// If the request cannot be removed, or the record not be written: then nothing was taken.
    pub fn take_request(&mut self, (epoch, step): (u32, u64)) -> Result<Option<Request>> {
        let Some(event) = request::take(&*self.io, &self.owner.dir, (epoch, step))? else { return Ok(None) };
        self.event(&event)?;
        Ok(if let Event::Requested { request, .. } = event { Some(request) } else { None })
    }

    /// Whether anything was recorded for a diagnosis.
    #[must_use]
    pub fn has_statistics(&self) -> bool {
        self.statistics.as_ref().is_some_and(|statistics| !statistics.is_empty())
    }

    /// Appends what is for a diagnosis, in blocks as [`step`](Self::step) does; the file is made with its first line.
    ///
    /// # Errors
    /// If the file cannot be made, or a block cannot be written.
    pub fn statistics(&mut self, row: &Statistics) -> Result<()> {
        let statistics = match &mut self.statistics {
            Some(statistics) => statistics,
            none => none.insert(LineWriter::open(self.io.clone(), &self.owner.dir, STATISTICS)?),
        };
        if statistics.push(row)? < STEPS_BUFFER {
            return Ok(());
        }
        self.owner.check()?;
        statistics.flush()
    }

    /// Commits a checkpoint of `files` (name, content), which replaces the older one of that `name`, and
    /// appends its event. All that was recorded so far is on the disk before.
    ///
    /// # Errors
    /// If a name is unusable or the checkpoint cannot be written. The older one then stays as it was.
    pub fn checkpoint(
        &mut self,
        name: &str,
        files: &[(&str, &[u8])],
        info: CheckpointInfo,
    ) -> Result<Checkpoint> {
        let files = files.iter().map(|&(name, bytes)| (name.to_owned(), Blob::new(bytes.to_vec()))).collect();
        self.commit(Commit { name: name.to_owned(), keep: 0, files, info })
    }

    /// Commits a checkpoint, and waits until it stands.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn commit(&mut self, commit: Commit) -> Result<Checkpoint> {
        let name = commit.name.clone();
        self.begin(vec![Write::Checkpoint(commit)])?;
        self.settle()?;
        self.committed.pop().ok_or(RecordError::BadName(name))
    }

    /// Begins to write checkpoints and files in that order, while the caller goes on; all that was recorded so far is
    /// on the disk before the first of them stands. At most one such batch is under way: the one before is waited for.
    ///
    /// A checkpoint is recorded when it stands and [`take_committed`](Self::take_committed) or another method of this
    /// run is called.
    ///
    /// # Errors
    /// If the batch before failed; if a name is unusable.
    pub fn begin(&mut self, writes: Vec<Write>) -> Result<()> {
        self.settle()?;
        writes.iter().try_for_each(|write| match write {
            Write::Checkpoint(commit) => commit.check(),
            Write::File(name, _) => check_file_name(name),
        })?;
        self.owner.check()?;
        let lines = self.statistics.iter_mut().chain([&mut self.steps, &mut self.events]);
        let before = lines.map(LineWriter::flushed).collect::<Result<_>>()?;
        let batch = Batch { io: Arc::clone(&self.io), owner: Arc::clone(&self.owner), before, writes };
        match self.checkpoints.start(&batch) {
            Some(done) => self.record(done),
            None => Ok(()),
        }
    }

    /// The checkpoints that have come to stand since this was last asked, without waiting for others.
    ///
    /// # Errors
    /// If one could not be written.
    pub fn take_committed(&mut self) -> Result<Vec<Checkpoint>> {
        if self.checkpoints.is_done() {
            self.settle()?;
        }
        Ok(std::mem::take(&mut self.committed))
    }

    /// Waits until everything stands whose writing has begun.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn settle(&mut self) -> Result<()> {
        self.checkpoints.wait().map_or(Ok(()), |done| self.record(done))
    }

    fn record(&mut self, done: Done) -> Result<()> {
        if self.owner.is_lost() {
            return done.failure.map_or(Ok(()), Err);
        }
        for (epoch, file) in done.files {
            self.events.push(&Event::File { epoch, file })?;
        }
        for checkpoint in done.checkpoints {
            self.events.push(&event_of(&checkpoint))?;
            self.committed.push(checkpoint);
        }
        let told = self.events.flush();
        done.failure.map_or(told, Err)
    }
}

impl Drop for RunWriter {
    /// A run that ends early still leaves its last steps and the checkpoint that is being written, if the disk lets it.
    /// One that never stood leaves nothing.
    fn drop(&mut self) {
        let _ = self.settle();
        if let Some(staged) = self.staged.take() {
            staged.discard();
        } else if self.owner.check().is_ok() {
            let lines = self.statistics.iter_mut().chain([&mut self.steps, &mut self.events]);
            lines.for_each(|lines| drop(lines.flush()));
        }
    }
}

fn is_milestone(event: &Event) -> bool {
    use Event::{Interrupted, Resumed, Stop};
    matches!(event, Interrupted { .. } | Resumed { .. } | Stop { .. })
}

fn event_of(Checkpoint { manifest, sha256, .. }: &Checkpoint) -> Event {
    let CheckpointInfo { epoch, step, .. } = manifest.info;
    Event::Checkpoint { name: manifest.name.clone(), epoch, step, sha256: sha256.clone() }
}

/// A file of a run besides its record: a plain name that is none of the record's own.
fn check_file_name(name: &str) -> Result<()> {
    let own = [RUN_TOML, EVENTS, STEPS, STATISTICS, CHECKPOINTS, REQUEST].contains(&name);
    let plain = Path::new(name).file_name().is_some_and(|file| file == name) && !name.starts_with('.');
    if own || !plain { Err(RecordError::BadName(name.to_owned())) } else { Ok(()) }
}
