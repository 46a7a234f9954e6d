//! Commits behind the computation: what was handed over is hashed, written and synced by a thread of its own, while
//! the owner of the run computes on.
//!
//! At most one batch of writes is under way. The owner asks for its results; they come in the order in which the batch
//! was given, so what is recorded of them does not depend on how fast the disk was.

use crate::blob::Blob;
use crate::checkpoint::{CheckpointWriter, Commit};
use crate::error::{At, RecordError, Result};
use crate::io::{Io, replace_file};
use crate::manifest::{Checkpoint, FileEntry};
use crate::owner::Owner;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// What can be written behind the computation.
#[derive(Debug, Clone)]
pub enum Write {
    /// A checkpoint.
    Checkpoint(Commit),
    /// A file of that name in the run's directory: see [`RunWriter::write_file`](crate::RunWriter::write_file).
    File(String, Blob),
}

/// One batch of writes.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) io: Arc<dyn Io>,
    /// Of the run.
    pub(crate) owner: Arc<Owner>,
    /// What the disk must have before anything of the batch stands: the record so far.
    pub(crate) before: Vec<(PathBuf, Arc<File>)>,
    /// In this order; nothing after the first failure.
    pub(crate) writes: Vec<Write>,
}

/// What became of a batch: the checkpoints and files that stand, and what went wrong after them.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// The files, each with the epoch of the checkpoint that it was written with.
    pub(crate) files: Vec<(u32, FileEntry)>,
    pub(crate) failure: Option<RecordError>,
}

impl Batch {
    fn write(&self, checkpoints: &Mutex<CheckpointWriter>) -> Done {
        let mut done = Done::default();
        done.failure = self.write_all(checkpoints, &mut done).err();
        done
    }

    fn write_all(&self, writer: &Mutex<CheckpointWriter>, done: &mut Done) -> Result<()> {
        let epoch = self.writes.iter().find_map(|write| match write {
            Write::Checkpoint(commit) => Some(commit.info.epoch),
            Write::File(..) => None,
        });
        self.owner.check()?;
        for (path, file) in &self.before {
            self.io.sync(file).at("write", path)?;
        }
        for write in &self.writes {
            self.owner.check()?;
            match write {
                Write::Checkpoint(commit) => {
                    let beside: Vec<FileEntry> = done.files.iter().map(|(_, file)| file.clone()).collect();
                    done.checkpoints.push(locked(writer).commit(commit, &beside)?);
                }
                Write::File(name, blob) => {
                    replace_file(&*self.io, &self.owner.dir, name, blob.bytes())?;
                    done.files.push((epoch.unwrap_or_default(), blob.entry(name)));
                }
            }
        }
        Ok(())
    }
}

/// The checkpoints of a run, and the thread that is writing some of them.
#[derive(Debug)]
pub(crate) struct Behind {
    checkpoints: Arc<Mutex<CheckpointWriter>>,
    under_way: Option<JoinHandle<Done>>,
}

impl Behind {
    pub(crate) fn new(checkpoints: CheckpointWriter) -> Self {
        Self { checkpoints: Arc::new(Mutex::new(checkpoints)), under_way: None }
    }

    /// Starts a batch; the one before must have been [waited for](Self::wait). Where the system gives no thread, the
    /// batch is written at once, and its results are given.
    pub(crate) fn start(&mut self, batch: &Batch) -> Option<Done> {
        let (writer, copy) = (Arc::clone(&self.checkpoints), batch.clone());
        match Builder::new().name("checkpoints".to_owned()).spawn(move || copy.write(&writer)) {
            Ok(thread) => {
                self.under_way = Some(thread);
                None
            }
            Err(_) => Some(batch.write(&self.checkpoints)),
        }
    }

    /// Whether there is a batch whose results can be had without waiting.
    pub(crate) fn is_done(&self) -> bool {
        self.under_way.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Waits for the batch under way, if there is one.
    pub(crate) fn wait(&mut self) -> Option<Done> {
        let thread = self.under_way.take()?;
        Some(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    /// Goes back to the checkpoint in `path`: newer ones of that name are removed, and of older ones all but `keep`.
    pub(crate) fn go_back_to(&self, name: &str, path: Option<&Path>, keep: usize) -> Result<()> {
        locked(&self.checkpoints).go_back_to(name, path, keep)
    }
}

/// A writer whose thread panicked is as it was after its last operation on the disk, which is what it is made for.
fn locked(writer: &Mutex<CheckpointWriter>) -> MutexGuard<'_, CheckpointWriter> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}
