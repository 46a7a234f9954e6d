//! The file layer: every change to the disk goes through [`Io`], so a test can make any one of them fail.

use crate::error::{At, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The operations that change a run on disk. The default bodies are the real ones; see [`Disk`].
///
/// Reading needs no such layer: what a reader must survive is wrong bytes, which a test can simply write.
pub trait Io: Send + Sync + std::fmt::Debug {
    /// Make one directory.
    ///
    /// # Errors
    /// If it exists, which makes this an atomic claim, or as the system says.
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// Open a file for appending; it is made if it is missing.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &Path) -> io::Result<File> {
        File::options().create(true).append(true).open(path)
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
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    /// Give a file a second name; its content is there once.
    ///
    /// # Errors
    /// If the new name is taken, where a file cannot have two names, or as the system says.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    /// Give a file or directory a new name, atomically.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Remove a directory and all it holds.
    ///
    /// # Errors
    /// As the system says.
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Io for Disk {}

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

/// Write a whole file and wait until it is on the disk.
pub(crate) fn write_file(io: &dyn Io, path: &Path, bytes: &[u8]) -> Result<()> {
    let file = io.open(path).at("create", path)?;
    io.truncate(&file, 0).at("write", path)?;
    write_all(io, &file, bytes).at("write", path)?;
    io.sync(&file).at("write", path)
}

/// Put a whole file at `path`, or leave what is there: it is written under a hidden name beside it first.
pub(crate) fn replace_file(io: &dyn Io, path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (temporary, dir) = (path.with_file_name(format!(".{name}")), path.with_file_name(""));
    write_file(io, &temporary, bytes)?;
    io.rename(&temporary, path).at("rename", &temporary)?;
    io.sync_dir(&dir).at("write", &dir)
}
