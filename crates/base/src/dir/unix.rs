//! The system calls that take an opened directory and a name, so that no path is looked up twice. One that a signal
//! interrupts is made again.

use super::kind::{How, Identity, Kind};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) type Handle = OwnedFd;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The path comes from the user, so links in it are followed.
pub(super) fn open_path(path: &Path) -> io::Result<Handle> {
    Ok(retry_on_intr(|| rustix::fs::open(path, DIRECTORY, Mode::empty()))?)
}

pub(super) fn open_dir(dir: &Handle, name: &OsStr) -> io::Result<Handle> {
    Ok(retry_on_intr(|| rustix::fs::openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()))?)
}

/// A pipe is opened without waiting for its other end; the caller finds out what it got.
pub(super) fn open(dir: &Handle, name: &OsStr, how: How) -> io::Result<File> {
    let flags = match how {
        How::Read => OFlags::RDONLY,
        How::Append => OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE,
        How::New => OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL,
    };
    let always = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // An ordinary file: the umask still applies.
    Ok(retry_on_intr(|| rustix::fs::openat(dir, name, flags | always, Mode::from_raw_mode(0o666)))?.into())
}

pub(super) fn create_dir(dir: &Handle, name: &OsStr, private: bool) -> io::Result<()> {
    let mode = if private { 0o700 } else { 0o777 };
    Ok(retry_on_intr(|| rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode)))?)
}

pub(super) fn rename(from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::renameat(from.0, from.1, to.0, to.1))?)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn exchange(dir: &Handle, one: &OsStr, other: &OsStr) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::renameat_with(dir, one, dir, other, rustix::fs::RenameFlags::EXCHANGE))?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn exchange(_: &Handle, _: &OsStr, _: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn link(from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty()))?)
}

pub(super) fn remove_file(dir: &Handle, name: &OsStr) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::unlinkat(dir, name, AtFlags::empty()))?)
}

pub(super) fn remove_empty_dir(dir: &Handle, name: &OsStr) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR))?)
}

pub(super) fn names(dir: &Handle) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What a name stands for, and which it is.
pub(super) fn look(dir: &Handle, name: &OsStr) -> io::Result<(Kind, Identity, u64)> {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW))?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    Ok((kind, identity_of(&stat), stat.st_size.unsigned_abs()))
}

pub(super) fn identity(dir: &Handle) -> io::Result<Identity> {
    Ok(identity_of(&retry_on_intr(|| rustix::fs::fstat(dir))?))
}

/// Of an open file: which it is, and how many names it has.
pub(super) fn names_of(file: &File) -> io::Result<(Identity, u64)> {
    let stat = retry_on_intr(|| rustix::fs::fstat(file))?;
    #[allow(clippy::useless_conversion, reason = "its width depends on the system")]
    Ok((identity_of(&stat), u64::from(stat.st_nlink)))
}

#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "the types depend on the system")]
fn identity_of(stat: &Stat) -> Identity {
    Identity { device: stat.st_dev as u64, inode: stat.st_ino as u64 }
}

/// Whether the directory's lock was free and is this handle's now, until that is closed.
pub(super) fn try_lock(dir: &Handle) -> io::Result<bool> {
    match retry_on_intr(|| rustix::fs::flock(dir, FlockOperation::NonBlockingLockExclusive)) {
        Err(Errno::WOULDBLOCK) => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}

/// Some file systems cannot sync a directory and say that the request is invalid; they have nothing to sync.
pub(super) fn sync(dir: &Handle) -> io::Result<()> {
    match retry_on_intr(|| rustix::fs::fsync(dir)) {
        Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        done => Ok(done?),
    }
}
