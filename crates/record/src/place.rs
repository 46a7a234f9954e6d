//! Where a new run goes: claiming a directory that no other process has, and never removing what is not a run.

use crate::error::{At, RecordError, Result};
use crate::io::{Io, remove_temporaries};
use crate::lock::RunLock;
use crate::run::{CHECKPOINTS, EVENTS, RUN_TOML, STEPS};
use crate::staged::{Staged, content, finish, is_gone, is_unfinished, remove_abandoned};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::Dir;

/// In a directory whose run was being replaced by a version that moved it in there.
const REPLACED: &str = ".replaced";
/// How often a directory that another process exchanges under our hands is looked at again.
const ATTEMPTS: u32 = 10;

/// The directory of a group's run number `number`, from 1.
pub(crate) fn member(group: &Path, number: u32) -> PathBuf {
    group.join(format!("fold-{number}"))
}

/// Claims `out`, or else `runs/<hint>-<n>` with the smallest free n.
pub(crate) fn claim(
    io: Arc<dyn Io>,
    out: Option<&Path>,
    hint: &str,
    force: bool,
) -> Result<(Staged, RunLock)> {
    match out {
        Some(dir) => claim_at(io, dir, force),
        None => claim_numbered(io, Path::new("runs"), hint),
    }
}

/// Claims `root/hint-n` for the smallest free n from 1, and gives the lock on where the run is built, too.
pub(crate) fn claim_numbered(io: Arc<dyn Io>, root: &Path, hint: &str) -> Result<(Staged, RunLock)> {
    fs::create_dir_all(root).at("create", root)?;
    remove_abandoned(&*io, root);
    let (folder, hint) = (Dir::open(root).at("open", root)?, plain(hint));
    let mut number = 0_u64;
    loop {
        number += 1;
        let name = format!("{hint}-{number}");
        let made = match io.create_dir(&folder, name.as_ref()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            made => made.at("create", &folder.join(&name)).map(|()| true)?,
        };
        let Ok(dir) = folder.open_dir(&name) else { continue };
        if made {
            io.sync_dir(&folder).at("write", root)?;
        } else if !is_free(&dir)? {
            continue;
        }
        let lock = match RunLock::attempt(&dir) {
            Ok(Some(lock)) => lock,
            Ok(None) => continue,
            Err(RecordError::Io { cause, .. }) if is_gone(&cause) => continue,
            Err(error) => return Err(error),
        };
        // Another process may have been here in between.
        if is_free(&dir)? {
            clear(&*io, &dir)?;
            return Staged::begin(io, Arc::new(dir), lock, made);
        }
    }
}

/// Claims `path`, which must be missing or empty, or with `force` may hold a run, which is replaced once the new one is
/// whole.
pub(crate) fn claim_at(io: Arc<dyn Io>, path: &Path, force: bool) -> Result<(Staged, RunLock)> {
    if path.exists() && !path.is_dir() {
        return Err(RecordError::NotADirectory(path.into()));
    }
    let made = !path.exists();
    fs::create_dir_all(path).at("create", path)?;
    if let Some(folder) = std::path::absolute(path).ok().as_deref().and_then(Path::parent) {
        remove_abandoned(&*io, folder);
    }
    for _ in 0..ATTEMPTS {
        let dir = Dir::open(path).at("open", path)?;
        // Before the lock, so a foreign directory is not even touched; and after it, since another process may
        // have been here in between.
        check(&dir, force)?;
        let lock = RunLock::acquire(&dir)?;
        if !dir.is_in_place().at("open", path)? {
            continue;
        }
        finish(&*io, &dir)?;
        check(&dir, force)?;
        if is_free(&dir)? {
            clear(&*io, &dir)?;
        }
        return Staged::begin(io, Arc::new(dir), lock, made);
    }
    Err(RecordError::InUse(path.into()))
}

fn check(dir: &Dir, force: bool) -> Result<()> {
    let group = dir.open_dir(member(Path::new(""), 1).as_os_str());
    let of_a_group = group.map_or(Ok(false), |first| of_a_run(&first));
    let looks_like_a_run = of_a_run(dir)? || is_unfinished(dir) || of_a_group?;
    match (is_free(dir)?, looks_like_a_run) {
        (true, _) => Ok(()),
        (false, true) if force => Ok(()),
        (false, true) => Err(RecordError::NotEmpty(dir.path().into())),
        (false, false) => Err(RecordError::Foreign(dir.path().into())),
    }
}

/// Whether a directory holds what only a run has. What cannot be looked at is no permission to replace it.
fn of_a_run(dir: &Dir) -> Result<bool> {
    for name in [RUN_TOML, EVENTS, REPLACED] {
        if dir.kind(name).at("read", &dir.join(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a directory is empty, or holds only what a process left that ended before its run was one.
fn is_free(dir: &Dir) -> Result<bool> {
    let begun = |name: &str| match name {
        EVENTS | STEPS => dir.length(name).is_ok_and(|length| length == Some(0)),
        CHECKPOINTS => dir.open_dir(name).and_then(|dir| dir.names()).is_ok_and(|names| names.is_empty()),
        _ => false,
    };
    let names = content(dir)?;
    Ok(!is_unfinished(dir) && names.iter().all(|name| name.to_str().is_some_and(begun)))
}

/// Removes what [`is_free`] found.
fn clear(io: &dyn Io, dir: &Dir) -> Result<()> {
    remove_temporaries(io, dir);
    for name in content(dir)? {
        io.remove(dir, &name).at("remove", &dir.join(&name))?;
    }
    Ok(())
}

/// Removes what processes that ended early left in a run's directory; this process has its lock.
pub(crate) fn tidy(io: &dyn Io, dir: &Dir) -> Result<()> {
    finish(io, dir)?;
    remove_temporaries(io, dir);
    if matches!(dir.kind(REPLACED), Ok(Some(_))) {
        io.remove(dir, REPLACED.as_ref()).at("remove", &dir.join(REPLACED))?;
    }
    Ok(())
}

/// A name that any file system takes and no shell minds.
fn plain(hint: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = hint.chars().map(safe).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}
