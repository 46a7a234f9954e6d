//! Reading files that may be anything.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The content of a regular file of at most `most` bytes.
///
/// A pipe would be waited for without end, and a device such as `/dev/zero` read without end, so neither is
/// opened. Memory is asked for only after the length is known.
///
/// # Errors
/// If the file cannot be read, is no regular file, or is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    let too_long =
        |length: u64| io::Error::other(format!("it has {length} bytes; at most {most} are allowed"));
    if !metadata.is_file() {
        return Err(io::Error::other("it is a folder, a pipe or a device, where a file belongs"));
    }
    if metadata.len() > most {
        return Err(too_long(metadata.len()));
    }
    let mut bytes = room(metadata.len())?;
    // It may have grown meanwhile.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_long(bytes.len() as u64)) } else { Ok(bytes) }
}

/// The same as text.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sane_length_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [7; 10]);
        assert!(read(&path, 9).unwrap_err().to_string().contains("it has 10 bytes; at most 9"));
        assert!(read(dir.path(), 10).unwrap_err().to_string().contains("where a file belongs"));
        assert!(read(&dir.path().join("none"), 10).is_err());
        fs::write(&path, b"\xff").unwrap();
        assert!(read_text(&path, 10).unwrap_err().to_string().contains("not UTF-8"));
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
    }
}
