//! Signs of life of a worker: a locked directory, which workers on the same machine see at once, and heartbeats in the study,
//! which all see after a while.

use super::{Shared, locked};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use wellfit_base::Dir;

/// The folder of the workers' directories.
const WORKERS: &str = "workers";
/// From one heartbeat to the next.
pub(super) const BEAT: Duration = Duration::from_secs(15);

/// The signs of life of this process.
#[derive(Debug)]
pub struct Alive {
    name: String,
    workers: Dir,
    /// Its lock lasts as long as this value.
    _own: Dir,
    storage: Shared,
}

/// Heartbeats of a trial, for as long as this value lives.
pub struct Beating {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for dyn crate::storage::Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "study {}", self.name())
    }
}

impl Alive {
    /// A new worker in a study's directory.
    pub fn new(dir: &Path, storage: Shared) -> io::Result<Self> {
        let study = Dir::open(dir)?;
        match study.create_dir(WORKERS) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let workers = study.open_dir(WORKERS)?;
        let name = wellfit_base::id::random()?;
        workers.create_dir(&name)?;
        let own = workers.open_dir(&name)?;
        // Without locks heartbeats alone tell.
        let _ = own.try_lock();
        Ok(Self { name, workers, _own: own, storage })
    }

    /// By which the study knows this worker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a worker is known to be dead: its directory is here, and nobody holds its lock.
    pub fn is_dead(&self, worker: &str) -> bool {
        if worker == self.name {
            return false;
        }
        self.workers.open_dir(worker).is_ok_and(|dir| dir.try_lock().unwrap_or(false))
    }

    /// Let the study hear that this worker is at a trial.
    pub fn beat(&self, id: i64) -> Beating {
        let (stop, stopped) = channel();
        let storage = self.storage.clone();
        let thread = std::thread::spawn(move || {
            loop {
                // One that fails is followed by another; the trial's own reports tell what is wrong.
                let _ = locked(&storage).beat(id);
                if !matches!(stopped.recv_timeout(BEAT), Err(std::sync::mpsc::RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        });
        Beating { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let _ = self.workers.remove_empty_dir(&self.name);
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
