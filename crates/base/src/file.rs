//! Reading files that may be anything. [`open`] is the one door: all that reads a path comes through it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

pub use crate::stream::{MOST_SILENCE, read_stream};

/// A regular file to read, which need not fit into memory.
///
/// A pipe would be waited for without end, and a device such as `/dev/zero` read without end, and opening some devices
/// does something. So whatever is no regular file is refused before it is opened; should the name stand for something
/// else by then, the opened one is looked at, too, and opening never waits.
///
/// # Errors
/// If it is no regular file, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    regular(&fs::metadata(path)?)?;
    let file = open_at_once(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// The content of a regular file of at most `most` bytes. Memory is asked for only after the length is known.
///
/// ```
/// let path = std::env::temp_dir().join(format!("wellfit-base-{}", std::process::id()));
/// std::fs::write(&path, "0.5\n0.25\n")?;
/// assert_eq!(wellfit_base::file::read(&path, 1024)?, b"0.5\n0.25\n");
/// assert!(wellfit_base::file::read(&path, 3).is_err());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is no regular file, or is longer: [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_open(open(path)?, most)
}

/// The same of a file that is open already.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_open(file: File, most: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_long(length, most));
    }
    let mut bytes = room(length)?;
    // It may have grown since, and is then read on: memory is taken as it comes, up to the limit.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_long(bytes.len() as u64, most)) } else { Ok(bytes) }
}

/// The content of a regular file of any length, where a large one is to be expected, such as trained weights. What it
/// grows by meanwhile is an error.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::OutOfMemory`] if it does not fit into memory.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    read_whole_if(path, |_| Ok::<(), io::Error>(()))?
}

/// The same, once `judge` has seen the first bytes, up to [`BEGINNING`] of them: what is of another
/// kind is refused before a gigabyte of it is in memory.
///
/// # Errors
/// As [`read_whole`]; inside, that of `judge`.
pub fn read_whole_if<E>(
    path: &Path,
    judge: impl FnOnce(&[u8]) -> Result<(), E>,
) -> io::Result<Result<Vec<u8>, E>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let mut first = Vec::new();
    (&mut file).take(BEGINNING.min(length)).read_to_end(&mut first)?;
    if let Err(refused) = judge(&first) {
        return Ok(Err(refused));
    }
    file.rewind()?;
    read_open(file, length).map(Ok)
}

/// How many bytes of a file tell its kind.
pub const BEGINNING: u64 = 1 << 16;

/// `length` bytes of a regular file from `offset` on, of a file that holds others.
///
/// # Errors
/// As [`read_whole`], and [`io::ErrorKind::UnexpectedEof`] if it ends earlier.
pub fn read_range(path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let early = || io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends too early");
    let mut file = open(path)?;
    if file.metadata()?.len().saturating_sub(offset) < length {
        return Err(early());
    }
    let mut bytes = room(length)?;
    file.seek(SeekFrom::Start(offset))?;
    if file.take(length).read_to_end(&mut bytes)? as u64 == length { Ok(bytes) } else { Err(early()) }
}

/// Whether anything may have that path, links followed. What cannot be looked at, such as after an I/O error, may be
/// there: it is not to be replaced as if it were not.
#[must_use]
pub fn may_exist(path: &Path) -> bool {
    let nothing =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    path.metadata().map_or_else(|error| !nothing(&error), |_| true)
}

/// The length of a regular file, in bytes.
///
/// # Errors
/// If it is no regular file, or cannot be looked at.
pub fn length(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path)?;
    regular(&metadata)?;
    Ok(metadata.len())
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other("it is a folder, a pipe or a device, where a file belongs"))
}

/// Without waiting for a pipe's other end, and without making a terminal this process's own.
#[cfg(unix)]
pub(crate) fn open_at_once(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
pub(crate) fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn too_long(length: u64, most: u64) -> io::Error {
    too_large(format!("it has {length} bytes; at most {most} are allowed"))
}

pub(crate) fn too_large(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}

/// The content of a regular file of at most `most` bytes, as text.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// An empty vector with room for `length` bytes; where memory is short, an error and not the end.
///
/// # Errors
/// [`io::ErrorKind::OutOfMemory`].
pub fn room(length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let taken = usize::try_from(length).is_ok_and(|length| bytes.try_reserve_exact(length).is_ok());
    if taken { Ok(bytes) } else { Err(io::ErrorKind::OutOfMemory.into()) }
}

/// A new file for rows that are written one after the other, so that those written stay if the process ends early. One
/// that is there is emptied with `replace`, else an error.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or why it cannot be made.
pub fn create(path: &Path, replace: bool) -> io::Result<File> {
    if replace { File::create(path) } else { File::create_new(path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_emptied_only_if_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        create(&path, false).unwrap().write_all(b"old").unwrap();
        assert_eq!(create(&path, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        create(&path, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn only_regular_files_of_a_sane_length_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert!(read(&path, 9).unwrap_err().to_string().contains("it has 10 bytes; at most 9"));
        assert_eq!(read(&path, 9).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!((read_whole(&path).unwrap(), read_stream(&path, 10).unwrap()), (vec![7; 10], vec![7; 10]));
        assert!(read_stream(&path, 9).is_err());
        assert!(read_whole(dir.path()).unwrap_err().to_string().contains("where a file belongs"));
        assert!(read(dir.path(), 10).unwrap_err().to_string().contains("where a file belongs"));
        assert!(read(&dir.path().join("none"), 10).is_err());
        fs::write(&path, b"\xff").unwrap();
        assert!(read_text(&path, 10).unwrap_err().to_string().contains("not UTF-8"));
        let inside = path.join("inside");
        assert!(may_exist(&path) && !may_exist(&dir.path().join("none")) && !may_exist(&inside));
        assert_eq!(room(u64::MAX).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }

    /// `/dev/zero` has no end and a length of 0; through a link it can have any name.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("endless.png");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert!(read(&link, 10).unwrap_err().to_string().contains("a device"));
        assert!(read_stream(&link, 10).unwrap_err().to_string().contains("a device"));
    }
}
