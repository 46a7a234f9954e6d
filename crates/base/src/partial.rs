//! A file that grows under another name until it is whole, over several processes if need be.

use crate::atomic::sync_directory;
use crate::file;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The part of a file that is there. It stays if the process ends, and is opened again by the next one.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Partial {
    /// What is at `path`, or nothing yet.
    ///
    /// # Errors
    /// If it cannot be written, or is no regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.exists() {
            file::length(path)?;
        }
        let file = File::options().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, path: path.to_owned(), length })
    }

    /// How many bytes are there.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Add bytes at the end.
    ///
    /// # Errors
    /// If they cannot be written; what was there before is untouched.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Begin again with nothing.
    ///
    /// # Errors
    /// If the file cannot be cut.
    pub fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.length = 0;
        Ok(())
    }

    /// Sync the bytes to the disk, and rename them to what they are the whole of. The target is in the same folder.
    ///
    /// # Errors
    /// If that fails; a file that was at `target` is then untouched.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, target)?;
        sync_directory(target.parent().unwrap_or(Path::new(".")))
    }

    /// Remove it.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_becomes_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (part, whole) = (dir.path().join("a.part"), dir.path().join("a"));
        let mut first = Partial::open(&part).unwrap();
        first.append(b"wrong").unwrap();
        first.clear().unwrap();
        first.append(b"ab").unwrap();
        drop(first);
        let mut second = Partial::open(&part).unwrap();
        assert_eq!((second.length(), second.path()), (2, part.as_path()));
        second.append(b"c").unwrap();
        assert!(!whole.exists());
        second.persist(&whole).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"abc");
        assert!(!part.exists());
        Partial::open(&part).unwrap().discard().unwrap();
        assert!(!part.exists());
        assert!(Partial::open(dir.path()).unwrap_err().to_string().contains("where a file belongs"));
    }
}
