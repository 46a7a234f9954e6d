//! Where a new run goes: claiming a directory that no other process has, and never removing what is not a run.

use crate::error::{At, RecordError, Result};
use crate::io::Io;
use crate::lock::{LOCK_FILE, RunLock};
use crate::run::{EVENTS, RUN_TOML};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Holds a replaced run until the new one is set up.
const REPLACED: &str = ".replaced";

/// The directory of a group's run number `number`, from 1.
pub(crate) fn member(group: &Path, number: u32) -> PathBuf {
    group.join(format!("fold-{number}"))
}

/// A directory that belongs to this process.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) path: PathBuf,
    pub(crate) lock: RunLock,
}

/// Claims `root/hint-n` for the smallest free n from 1.
pub(crate) fn claim_numbered(io: &dyn Io, root: &Path, hint: &str) -> Result<Claim> {
    fs::create_dir_all(root).at("create", root)?;
    let hint = plain(hint);
    let mut number = 1_u64;
    loop {
        let path = root.join(format!("{hint}-{number}"));
        match io.create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            made => {
                made.at("create", &path)?;
                io.sync_dir(root).at("write", root)?;
                return RunLock::acquire(&path).map(|lock| Claim { path, lock });
            }
        }
    }
}

/// Claims `dir`, which must be missing or empty. With `force` a run in it is set aside: call
/// [`remove_replaced_run`] or [`restore_replaced_run`] later.
pub(crate) fn claim_at(io: &dyn Io, dir: &Path, force: bool) -> Result<Claim> {
    if dir.exists() && !dir.is_dir() {
        return Err(RecordError::NotADirectory(dir.into()));
    }
    fs::create_dir_all(dir).at("create", dir)?;
    // Before the lock, so a foreign directory is not even touched; and after it, since another process may
    // have been here in between.
    check(dir, force)?;
    let lock = RunLock::acquire(dir)?;
    check(dir, force)?;
    set_aside(io, dir)?;
    Ok(Claim { path: dir.into(), lock })
}

fn check(dir: &Path, force: bool) -> Result<()> {
    let of_a_run = |dir: &Path| [RUN_TOML, EVENTS, REPLACED].iter().any(|name| dir.join(name).exists());
    let looks_like_a_run = of_a_run(dir) || of_a_run(&member(dir, 1));
    match (content(dir)?.is_empty(), looks_like_a_run) {
        (true, _) => Ok(()),
        (false, true) if force => Ok(()),
        (false, true) => Err(RecordError::NotEmpty(dir.into())),
        (false, false) => Err(RecordError::Foreign(dir.into())),
    }
}

/// Moves a run into a directory inside its own, which also works for a mount point or the current directory.
fn set_aside(io: &dyn Io, dir: &Path) -> Result<()> {
    let mut names = content(dir)?;
    if names.is_empty() {
        return Ok(());
    }
    remove_replaced_run(io, dir)?;
    let aside = dir.join(REPLACED);
    io.create_dir(&aside).at("create", &aside)?;
    // `run.toml` is moved first: without it, the rest does not count as a run.
    names.sort_by_key(|name| name != RUN_TOML);
    for name in names.iter().filter(|name| *name != REPLACED) {
        let from = dir.join(name);
        if let Err(error) = io.rename(&from, &aside.join(name)).at("move", &from) {
            restore_replaced_run(io, dir);
            return Err(error);
        }
    }
    Ok(())
}

/// Removes the run that was set aside.
pub(crate) fn remove_replaced_run(io: &dyn Io, dir: &Path) -> Result<()> {
    let aside = dir.join(REPLACED);
    if aside.exists() { io.remove_dir(&aside).at("remove", &aside) } else { Ok(()) }
}

/// Brings back the run that was set aside, as far as the disk lets us.
pub(crate) fn restore_replaced_run(io: &dyn Io, dir: &Path) {
    let aside = dir.join(REPLACED);
    let mut names = content(&aside).unwrap_or_default();
    // `run.toml` comes last, and only if all else is there: a run with one is whole.
    names.sort_by_key(|name| name == RUN_TOML);
    let _ = names.iter().try_for_each(|name| io.rename(&aside.join(name), &dir.join(name)));
    // Not `remove_dir`: whatever could not be brought back must not be removed either.
    let _ = fs::remove_dir(&aside);
}

/// The names in a directory, without the lock's.
fn content(dir: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).at("read", dir)? {
        let name = entry.at("read", dir)?.file_name();
        if name != LOCK_FILE {
            names.push(name);
        }
    }
    Ok(names)
}

/// A name that any file system takes and no shell minds.
fn plain(hint: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = hint.chars().map(safe).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}
