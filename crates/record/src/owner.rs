//! What a run's owner must still find before it writes: its directory, its lock, its id.

use crate::error::{RecordError, Result};
use crate::identity::has_id;
use crate::lock::RunLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wellfit_base::Dir;

/// The right to write to a run. Whoever moves or replaces the directory, or removes the lock's file, ends it: another
/// process may own what is there by now.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) dir: Arc<Dir>,
    /// Held as long as this value lives.
    pub(crate) lock: Arc<RunLock>,
    /// The run's id: an old run has none, one that is being set up is not known by it yet.
    id: Option<String>,
    named: bool,
    lost: AtomicBool,
}

impl Owner {
    /// Of a run whose `run.toml` has that id; with `named` false of one that has no `run.toml` yet.
    pub(crate) fn new(dir: Arc<Dir>, lock: Arc<RunLock>, id: Option<String>, named: bool) -> Self {
        Self { dir, lock, id, named, lost: AtomicBool::new(false) }
    }

    /// The run's id.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether the run is still this process's. Once it is not, it never is again.
    ///
    /// # Errors
    /// [`RecordError::Lost`].
    pub(crate) fn check(&self) -> Result<()> {
        let problem = if self.is_lost() {
            "it was lost before"
        } else if let Some(problem) = not_held(&self.dir, &self.lock) {
            problem
        } else if self.named && !has_id(&self.dir, self.id()) {
            "its run.toml is gone or that of another run"
        } else {
            return Ok(());
        };
        self.lost.store(true, Ordering::Relaxed);
        Err(RecordError::Lost { path: self.dir.path().into(), problem })
    }

    /// Whether [`check`](Self::check) failed once.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Why a directory is no longer that of which this process has the lock, if it is not.
fn not_held(dir: &Dir, lock: &RunLock) -> Option<&'static str> {
    if !dir.is_in_place().unwrap_or(false) {
        Some("the folder was moved, removed or replaced")
    } else if !lock.is_in(dir) {
        Some("its lock file was removed or replaced")
    } else {
        None
    }
}

/// Whether a directory is still that of which this process has the lock.
///
/// # Errors
/// [`RecordError::Lost`].
pub(crate) fn check_held(dir: &Dir, lock: &RunLock) -> Result<()> {
    not_held(dir, lock).map_or(Ok(()), |problem| Err(RecordError::Lost { path: dir.path().into(), problem }))
}
