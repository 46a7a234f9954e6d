//! A new run is built where nobody looks, and then put in its place as a whole: at every moment the place holds what was
//! there before, or all of the new run.
//!
//! * **Beside**: a run that is replaced changes places with the new one in one step (an exchange of two names in the
//!   folder that holds both). What was replaced is removed after that.
//! * **Within**: where there is nothing yet, and where a directory cannot be exchanged (it is a mount point or the
//!   current directory, its parent cannot be written, the file system has no exchange), the new run is built in a
//!   directory within the place. Renamed to [`INCOMING`], it counts: what else is in the place is removed, the directory
//!   renamed to [`ARRIVED`], and what is in it moved up. Whoever opens the place while one of these names is there
//!   finishes that first, so a process that ends in between leaves no half-state that anyone sees.

use crate::error::{At, RecordError, Result};
use crate::io::{Disk, Io, temporary_name};
use crate::lock::{LOCK_FILE, RunLock};
use crate::run::RUN_TOML;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use wellfit_base::Dir;
use wellfit_base::dir::Kind;
use wellfit_base::id::is_temporary;

/// A whole new run within a place whose other content is no longer wanted.
const INCOMING: &str = ".wellfit-incoming";
/// A whole new run that is being moved up; the place holds nothing else.
const ARRIVED: &str = ".wellfit-arrived";

/// A run that is being built, and the place where it is to be.
#[derive(Debug)]
pub(crate) struct Staged {
    io: Arc<dyn Io>,
    /// Where it is built.
    pub(crate) dir: Arc<Dir>,
    /// Where it is to be.
    pub(crate) place: Arc<Dir>,
    place_lock: Arc<RunLock>,
    /// The directory in which it is built.
    host: Host,
    name: String,
    /// The place was made for it, and goes if nothing comes of it.
    made: bool,
}

/// How often a directory is made anew that another process took for abandoned.
const ATTEMPTS: u32 = 10;

#[derive(Debug)]
enum Host {
    /// The parent of the place, and the place's name in it.
    Beside(Dir, OsString),
    /// The place.
    Within,
}

impl Staged {
    /// Begins to build a run for a place that this process holds. Gives the lock on where it is built, too.
    pub(crate) fn begin(
        io: Arc<dyn Io>,
        place: Arc<Dir>,
        place_lock: RunLock,
        made: bool,
    ) -> Result<(Self, RunLock)> {
        let is_empty = content(&place)?.is_empty();
        let beside = if is_empty { None } else { beside(&place) };
        let (host, (name, dir, lock)) = match beside.map(|(parent, own)| (make(&*io, &parent), parent, own)) {
            Some((Ok(made), parent, own)) => (Host::Beside(parent, own), made),
            Some((Err(_), ..)) | None => (Host::Within, make(&*io, &place)?),
        };
        Ok((Self { io, dir: Arc::new(dir), place, place_lock: Arc::new(place_lock), host, name, made }, lock))
    }

    /// Puts the run in its place, once all of it is on the disk, and gives the lock on the place.
    ///
    /// # Errors
    /// If that fails. The place then holds what it held, or already the new run.
    pub(crate) fn publish(self, lock: Arc<RunLock>) -> Result<Arc<RunLock>> {
        let Self { io, place, place_lock, host, name, .. } = self;
        let staged = OsStr::new(&name);
        io.sync_dir(&self.dir).at("write", self.dir.path())?;
        if let Host::Beside(parent, own) = &host {
            match io.exchange(parent, staged, own) {
                Ok(()) => {
                    io.sync_dir(parent).at("write", parent.path())?;
                    // What cannot be removed costs space only, and the next new run beside it tries again.
                    let _ = remove_run(&*io, parent, staged);
                    return Ok(lock);
                }
                // It was done and reported as failed.
                Err(cause) if self.dir.identity().ok() == parent.identity_of(own).ok().flatten() => {
                    return Err(cause).at("replace", place.path());
                }
                Err(_) => {}
            }
        }
        let from = match &host {
            Host::Beside(parent, _) => parent,
            Host::Within => &*place,
        };
        io.rename((from, staged), (&place, INCOMING.as_ref())).at("rename", &from.join(&name))?;
        io.sync_dir(&place).at("write", place.path())?;
        finish(&*io, &place)?;
        Ok(place_lock)
    }

    /// Removes what was built, and the place if it was made for it.
    pub(crate) fn discard(self) {
        let host = match &self.host {
            Host::Beside(parent, _) => parent,
            Host::Within => &*self.place,
        };
        // Not what changed places with it already.
        if host.identity_of(&self.name).ok().flatten() == self.dir.identity().ok() {
            let _ = remove_run(&*self.io, host, OsStr::new(&self.name));
        }
        if self.made && content(&self.place).is_ok_and(|names| names.is_empty()) {
            let _ = self.io.remove(&self.place, LOCK_FILE.as_ref());
            let _ = fs::remove_dir(self.place.path());
        }
    }
}

/// A new directory under a name that nobody can guess, and the lock on it.
fn make(io: &dyn Io, host: &Dir) -> Result<(String, Dir, RunLock)> {
    for _ in 0..ATTEMPTS {
        let name = temporary_name(host)?;
        io.create_dir(host, name.as_ref()).at("create", &host.join(&name))?;
        // Until it is locked, another process may take it for abandoned and remove it.
        let Ok(dir) = host.open_dir(&name) else { continue };
        match RunLock::attempt(&dir) {
            Ok(Some(lock)) => return Ok((name, dir, lock)),
            Err(RecordError::Io { cause, .. }) if !is_gone(&cause) => {
                let _ = io.remove(host, name.as_ref());
                return Err(cause).at("lock", dir.path());
            }
            _ => {}
        }
    }
    Err(RecordError::InUse(host.path().into()))
}

/// The parent of a directory and its name there, if the directory can change places with another one.
fn beside(place: &Dir) -> Option<(Dir, OsString)> {
    let real = fs::canonicalize(place.path()).ok()?;
    let (parent, name) = (Dir::open(real.parent()?).ok()?, real.file_name()?.to_owned());
    let identity = place.identity().ok()?;
    // Whoever is in the directory would find itself in the one that is removed.
    let current = Dir::open(Path::new(".")).and_then(|dir| dir.identity()).ok()?;
    let usual = parent.identity().ok()?.is_beside(&identity) && current != identity;
    (usual && parent.identity_of(&name).ok()? == Some(identity)).then_some((parent, name))
}

/// Finishes what a process left that ended while it put a new run in its place. The caller has the place's lock.
pub(crate) fn finish(io: &dyn Io, place: &Dir) -> Result<()> {
    let at = |error, name: &OsStr| Err(error).at("move", &place.join(name));
    if place.kind(INCOMING).at("read", place.path())? == Some(Kind::Directory) {
        for name in names_but(place, &[INCOMING, LOCK_FILE])? {
            io.remove(place, &name).at("remove", &place.join(&name))?;
        }
        io.sync_dir(place).at("write", place.path())?;
        io.rename((place, INCOMING.as_ref()), (place, ARRIVED.as_ref()))
            .or_else(|error| at(error, INCOMING.as_ref()))?;
    }
    if place.kind(ARRIVED).at("read", place.path())? == Some(Kind::Directory) {
        let arrived = place.open_dir(ARRIVED).at("open", &place.join(ARRIVED))?;
        for name in names_but(&arrived, &[LOCK_FILE])? {
            io.rename((&arrived, &name), (place, &name)).or_else(|error| at(error, &name))?;
        }
        io.sync_dir(place).at("write", place.path())?;
        io.remove(place, ARRIVED.as_ref()).at("remove", &place.join(ARRIVED))?;
    }
    Ok(())
}

/// The same for whoever just looks.
pub(crate) fn settle(place: &Dir) -> Result<()> {
    if !is_unfinished(place) {
        return Ok(());
    }
    let _lock = RunLock::acquire(place)?;
    finish(&Disk, place)
}

/// Whether a place is in the middle of what [`finish`] finishes.
pub(crate) fn is_unfinished(place: &Dir) -> bool {
    [INCOMING, ARRIVED].iter().any(|name| matches!(place.kind(name), Ok(Some(Kind::Directory))))
}

/// The names in a directory without the lock's, and without what a process left that ended early.
pub(crate) fn content(dir: &Dir) -> Result<Vec<OsString>> {
    let mut names = names_but(dir, &[LOCK_FILE])?;
    names.retain(|name| !is_temporary(name));
    Ok(names)
}

fn names_but(dir: &Dir, others: &[&str]) -> Result<Vec<OsString>> {
    let mut names = dir.names().at("read", dir.path())?;
    names.retain(|name| !others.iter().any(|other| name == other));
    // `run.toml` comes last, so whoever sees one sees a whole run.
    names.sort_by_key(|name| name == RUN_TOML);
    Ok(names)
}

/// Removes the directory of a run; its lock goes last, so that what is left of it is known for what it is.
fn remove_run(io: &dyn Io, host: &Dir, name: &OsStr) -> Result<()> {
    let dir = host.open_dir(name).at("open", &host.join(name))?;
    for inside in names_but(&dir, &[LOCK_FILE])? {
        io.remove(&dir, &inside).at("remove", &dir.join(&inside))?;
    }
    io.remove(host, name).at("remove", &host.join(name))
}

/// Removes the runs in a folder that were being built, or had been replaced, when their process ended.
pub(crate) fn remove_abandoned(io: &dyn Io, folder: &Path) {
    let Ok(folder) = Dir::open(folder) else { return };
    for name in folder.names().unwrap_or_default().iter().filter(|name| is_temporary(name)) {
        let Ok(dir) = folder.open_dir(name) else { continue };
        if dir.kind(LOCK_FILE).is_ok_and(|found| found.is_none()) {
            // A process that ended at once; one that has just begun finds that out and tries again.
            let _ = folder.remove_empty_dir(name);
        } else if let Ok(Some(_lock)) = RunLock::attempt(&dir) {
            let _ = remove_run(io, &folder, name);
        }
    }
}

/// An error of a place that was taken while this process looked at it.
pub(crate) fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
