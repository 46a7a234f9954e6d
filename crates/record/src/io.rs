//! The file layer: every change to the disk goes through [`Io`], so a test can make any one of them fail.

use crate::error::{At, RecordError, Result};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use wellfit_base::{Dir, id};

/// The operations that change a run on disk. Each is one on a name in an opened directory, so it happens there and
/// nowhere else. The default bodies are the real ones; see [`Disk`].
///
/// Reading needs no such layer: what a reader must survive is wrong bytes, which a test can simply write.
pub trait Io: Send + Sync + std::fmt::Debug {
    /// Make one directory.
    ///
    /// # Errors
    /// If it exists, which makes this an atomic claim, or as the system says.
    fn create_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        dir.create_dir(name)
    }

    /// Open a file for appending; it is made if it is missing.
    ///
    /// # Errors
    /// If it is a link or has a second name, or as the system says.
    fn open(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        dir.append_file(name)
    }

    /// Make a file for writing.
    ///
    /// # Errors
    /// If it exists, or as the system says.
    fn create(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        dir.create_file(name)
    }

    /// Write once; returns the number of bytes taken, which may be less than all.
    ///
    /// # Errors
    /// As the system says.
    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    /// Cut a file to `length` bytes.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Wait until a file's content is on the disk.
    ///
    /// # Errors
    /// As the system says.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Wait until a directory's entries are on the disk. Only Unix has (and needs) this.
    ///
    /// # Errors
    /// As the system says.
    fn sync_dir(&self, dir: &Dir) -> io::Result<()> {
        dir.sync()
    }

    /// Give a file a second name; its content is there once.
    ///
    /// # Errors
    /// If the new name is taken, where a file cannot have two names, or as the system says.
    fn link(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        from.0.link(from.1, to)
    }

    /// Give a file or directory a new name, atomically.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        from.0.rename(from.1, to)
    }

    /// Let two names change places, atomically.
    ///
    /// # Errors
    /// Where the file system cannot, or as the system says.
    fn exchange(&self, dir: &Dir, one: &OsStr, other: &OsStr) -> io::Result<()> {
        dir.exchange(one, other)
    }

    /// Remove a file, or a directory and all it holds.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        dir.remove(name)
    }
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Io for Disk {}

/// A new name for something in `dir` that is not whole yet.
pub(crate) fn temporary_name(dir: &Dir) -> Result<String> {
    id::temporary_name().at("name a file in", dir.path())
}

/// Write all bytes, however many calls the system needs (one, nearly always).
pub(crate) fn write_all(io: &dyn Io, file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match io.write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => bytes = &bytes[taken..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Write a whole new file and wait until it is on the disk.
pub(crate) fn write_file(io: &dyn Io, dir: &Dir, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    let file = io.create(dir, name.as_ref()).at("create", &path)?;
    fill(io, &file, bytes).at("write", &path)
}

fn fill(io: &dyn Io, file: &File, bytes: &[u8]) -> io::Result<()> {
    write_all(io, file, bytes)?;
    io.sync(file)
}

/// How often a file is written again that another process took for abandoned.
const ATTEMPTS: u32 = 10;

/// Put a whole file under a name, or leave what is there: it is written under another name beside it first.
pub(crate) fn replace_file(io: &dyn Io, dir: &Dir, name: &str, bytes: &[u8]) -> Result<()> {
    let mut attempts = 1..=ATTEMPTS;
    loop {
        match place(io, dir, name, bytes) {
            Err(RecordError::Io { cause, .. })
                if cause.kind() == io::ErrorKind::NotFound && attempts.next().is_some() => {}
            Err(error) => return Err(error),
            Ok(()) => return io.sync_dir(dir).at("write", dir.path()),
        }
    }
}

fn place(io: &dyn Io, dir: &Dir, name: &str, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_name(dir)?;
    let (from, path) = ((dir, OsStr::new(&temporary)), dir.join(&temporary));
    let file = io.create(dir, from.1).at("create", &path)?;
    // What has a lock is not taken for abandoned (see `wellfit_base::atomic`); where files have none, nothing is.
    let _ = file.try_lock();
    let placed = fill(io, &file, bytes)
        .at("write", &path)
        .and_then(|()| io.rename(from, (dir, name.as_ref())).at("rename", &path));
    if placed.is_err() {
        // On a full disk this gives the space back. What cannot be removed goes with the next owner.
        let _ = io.remove(dir, from.1);
    }
    placed
}

/// Remove what a process that ended early left under names of that kind. What cannot be removed costs space only.
pub(crate) fn remove_temporaries(io: &dyn Io, dir: &Dir) {
    for name in dir.names().unwrap_or_default() {
        if id::is_temporary(&name) {
            let _ = io.remove(dir, &name);
        }
    }
}
