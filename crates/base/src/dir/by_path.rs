//! Systems without calls that take an opened directory: its path stands for it. What is promised of links and of
//! directories that are moved does not hold there.

use super::kind::{How, Identity, Kind};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub(super) type Handle = PathBuf;

pub(super) fn open_path(path: &Path) -> io::Result<Handle> {
    fs::read_dir(path).map(|_| path.to_owned())
}

pub(super) fn open_dir(dir: &Handle, name: &OsStr) -> io::Result<Handle> {
    open_path(&dir.join(name))
}

pub(super) fn open(dir: &Handle, name: &OsStr, how: How) -> io::Result<File> {
    let mut options = File::options();
    match how {
        How::Read => options.read(true),
        How::Append => options.append(true).create(true),
        How::New => options.write(true).create_new(true),
    };
    options.open(dir.join(name))
}

pub(super) fn create_dir(dir: &Handle, name: &OsStr, _private: bool) -> io::Result<()> {
    fs::create_dir(dir.join(name))
}

pub(super) fn rename(from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
    fs::rename(from.0.join(from.1), to.0.join(to.1))
}

pub(super) fn exchange(_: &Handle, _: &OsStr, _: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn link(from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
    fs::hard_link(from.0.join(from.1), to.0.join(to.1))
}

pub(super) fn remove_file(dir: &Handle, name: &OsStr) -> io::Result<()> {
    fs::remove_file(dir.join(name))
}

pub(super) fn remove_empty_dir(dir: &Handle, name: &OsStr) -> io::Result<()> {
    fs::remove_dir(dir.join(name))
}

pub(super) fn names(dir: &Handle) -> io::Result<Vec<OsString>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
}

pub(super) fn look(dir: &Handle, name: &OsStr) -> io::Result<(Kind, Identity, u64)> {
    let metadata = fs::symlink_metadata(dir.join(name))?;
    let kind = match metadata.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => Kind::Link,
        _ => Kind::Other,
    };
    Ok((kind, UNKNOWN, metadata.len()))
}

const UNKNOWN: Identity = Identity { device: 0, inode: 0 };

pub(super) fn identity(dir: &Handle) -> io::Result<Identity> {
    fs::metadata(dir).map(|_| UNKNOWN)
}

pub(super) fn names_of(_: &File) -> io::Result<(Identity, u64)> {
    Ok((UNKNOWN, 1))
}

pub(super) fn try_lock(_: &Handle) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn sync(_: &Handle) -> io::Result<()> {
    Ok(())
}
