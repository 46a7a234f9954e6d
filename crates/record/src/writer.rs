//! Writing a run.

use crate::behind::{Batch, Behind, Done, Write};
use crate::blob::Blob;
use crate::checkpoint::{self, CheckpointWriter, Commit};
use crate::error::{At, RecordError, Result};
use crate::event::{Event, StepRecord};
use crate::io::{Disk, Io, replace_file};
use crate::lines::LineWriter;
use crate::lock::RunLock;
use crate::manifest::{Checkpoint, CheckpointInfo};
use crate::place::{self, Claim};
use crate::run::{CHECKPOINTS, EVENTS, FORMAT, RUN_TOML, RunDir, STEPS};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Steps wait in memory until an event ends their epoch, or until they are this many bytes.
const STEPS_BUFFER: usize = 1 << 18;

/// The one owner of a run on disk. Its lock ends with this value, or with the process.
#[derive(Debug)]
pub struct RunWriter {
    io: Arc<dyn Io>,
    path: PathBuf,
    events: LineWriter,
    steps: LineWriter,
    checkpoints: Behind,
    /// Those that stand and were not asked for yet.
    committed: Vec<Checkpoint>,
    _lock: RunLock,
}

impl RunWriter {
    /// Makes a fresh run: in `out`, or else in `runs/<hint>-<n>` with the smallest free n.
    ///
    /// `out` must be missing or empty, unless `force` allows to replace the run in it. Nothing but a run
    /// is ever replaced.
    ///
    /// # Errors
    /// If `out` is in the way, in use, or cannot be written.
    pub fn create(out: Option<&Path>, hint: &str, force: bool) -> Result<Self> {
        match out {
            Some(dir) => Self::create_at(Arc::new(Disk), dir, force),
            None => Self::create_numbered(Arc::new(Disk), Path::new("runs"), hint),
        }
    }

    /// [`create`](Self::create) in `root/<hint>-<n>`, with a file layer of your own.
    ///
    /// # Errors
    /// If `root` cannot be written.
    pub fn create_numbered(io: Arc<dyn Io>, root: &Path, hint: &str) -> Result<Self> {
        let claim = place::claim_numbered(&*io, root, hint)?;
        Self::set_up(io, claim)
    }

    /// [`create`](Self::create) in `dir`, with a file layer of your own.
    ///
    /// # Errors
    /// If `dir` is in the way, in use, or cannot be written.
    pub fn create_at(io: Arc<dyn Io>, dir: &Path, force: bool) -> Result<Self> {
        let claim = place::claim_at(&*io, dir, force)?;
        let disk = io.clone();
        let writer = Self::set_up(io, claim).inspect_err(|_| place::restore_replaced_run(&*disk, dir))?;
        // What cannot be removed costs space only, and the next owner tries again.
        let _ = place::remove_replaced_run(&*disk, dir);
        Ok(writer)
    }

    /// Becomes the owner of an existing run and removes the traces of a crash: a torn last line,
    /// half-written checkpoints.
    ///
    /// # Errors
    /// If `path` is no run, is in use, or cannot be written.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self> {
        Self::resume_with(Arc::new(Disk), path)
    }

    /// [`resume`](Self::resume) with a file layer of your own.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_with(io: Arc<dyn Io>, path: impl Into<PathBuf>) -> Result<Self> {
        let path = RunDir::open(path)?.path().to_path_buf();
        let lock = RunLock::acquire(&path)?;
        place::remove_replaced_run(&*io, &path)?;
        Self::set_up(io, Claim { path, lock })
    }

    /// Takes a resumed run back to `checkpoint`, or to its beginning: what happened later, and will
    /// happen again, leaves the record, and newer checkpoints of that `name` are removed.
    ///
    /// # Errors
    /// If the record cannot be rewritten; it is then as it was, and this can be tried again.
    pub fn go_back_to(&mut self, checkpoint: Option<&Checkpoint>, name: &str) -> Result<()> {
        let (epoch, step) =
            checkpoint.map_or((0, 0), |found| (found.manifest.info.epoch, found.manifest.info.step));
        self.settle()?;
        self.checkpoints.remove_newer(name, checkpoint.map(|found| &*found.path))?;
        self.steps.retain(|row: &StepRecord| row.step <= step)?;
        self.events.retain(|event: &Event| event.stays_after_going_back_to(epoch, step))?;
        self.tell_of_checkpoints(epoch, step)
    }

    /// A process that ends between a commit and its event leaves a checkpoint that the record does not know: the
    /// events of those up to there that are missing are made up for.
    fn tell_of_checkpoints(&mut self, epoch: u32, step: u64) -> Result<()> {
        let told = RunDir::open(&self.path)?.events()?.rows;
        for found in checkpoint::manifests(&self.path.join(CHECKPOINTS))? {
            let event = event_of(&found);
            if event.stays_after_going_back_to(epoch, step) && !told.contains(&event) {
                self.events.push(&event)?;
            }
        }
        self.events.flush()
    }

    fn set_up(io: Arc<dyn Io>, Claim { path, lock }: Claim) -> Result<Self> {
        let events = LineWriter::open(io.clone(), path.join(EVENTS))?;
        let steps = LineWriter::open(io.clone(), path.join(STEPS))?;
        let checkpoints = CheckpointWriter::open(io.clone(), path.join(CHECKPOINTS))?;
        io.sync_dir(&path).at("write", &path)?;
        let checkpoints = Behind::new(checkpoints);
        Ok(Self { io, path, events, steps, checkpoints, committed: Vec::new(), _lock: lock })
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

    /// Writes `run.toml`, once and atomically: a [`RunInfo`](crate::RunInfo) or any type that is a TOML
    /// table without a key `format`.
    ///
    /// # Errors
    /// If it is there already, cannot be TOML, or cannot be written.
    pub fn write_run_toml(&self, info: &impl Serialize) -> Result<()> {
        let path = self.path.join(RUN_TOML);
        if path.exists() {
            return Err(RecordError::AlreadyWritten(path));
        }
        self.replace_run_toml(info)
    }

    /// Writes `run.toml` anew, atomically, for a run that goes on with more epochs than it was begun with.
    ///
    /// # Errors
    /// If it cannot be TOML, or cannot be written.
    pub fn replace_run_toml(&self, info: &impl Serialize) -> Result<()> {
        let path = self.path.join(RUN_TOML);
        let text = toml::to_string(info)
            .map_err(|e| RecordError::Unwritable { path: path.clone(), problem: e.to_string() })?;
        replace_file(&*self.io, &path, format!("format = {FORMAT}\n{text}").as_bytes())
    }

    /// Puts a file of that name into the run's directory, as a whole or not at all; one that is there is replaced.
    /// For what a run leaves besides its record: weights, tables, texts.
    ///
    /// # Errors
    /// If the name is no plain file name or is one of the record's own, or if the file cannot be written.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        check_file_name(name)?;
        replace_file(&*self.io, &self.path.join(name), bytes)
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
        self.events.push(event)?;
        if is_milestone(event) {
            self.steps.sync()?;
            self.events.sync()
        } else {
            self.steps.flush()?;
            self.events.flush()
        }
    }

    /// Appends a step. Steps are written in blocks, at the latest by the event that ends their epoch.
    ///
    /// # Errors
    /// If a block cannot be written.
    pub fn step(&mut self, step: &StepRecord) -> Result<()> {
        if self.steps.push(step)? < STEPS_BUFFER { Ok(()) } else { self.steps.flush() }
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
        let before = vec![self.steps.flushed()?, self.events.flushed()?];
        let batch = Batch { io: Arc::clone(&self.io), run: self.path.clone(), before, writes };
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
    fn drop(&mut self) {
        let _ = self.settle();
        let _ = self.steps.flush();
        let _ = self.events.flush();
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
    let own = [RUN_TOML, EVENTS, STEPS, CHECKPOINTS].contains(&name);
    let plain = Path::new(name).file_name().is_some_and(|file| file == name) && !name.starts_with('.');
    if own || !plain { Err(RecordError::BadName(name.to_owned())) } else { Ok(()) }
}
