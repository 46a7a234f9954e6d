//! Writing a file as a whole or not at all.

use std::io::{self, Write};
use std::path::Path;

/// Put `bytes` at `path` in one step: a temporary file beside it, synced to the disk, then renamed. Readers see the
/// old file or the whole new one; a crash leaves one of the two.
///
/// # Errors
/// If the file cannot be written; the old one is then untouched and nothing else is left behind.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file name"));
    }
    let directory = parent(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wellfit-").suffix(".tmp");
    // A temporary file is private by default; this one becomes an ordinary file (the umask still applies).
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_directory(directory)
}

/// The directory that a path's last name is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A rename must survive a crash too.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    crate::Dir::open(directory)?.sync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.png");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        replace(&directory.path().join("no/such/a.png"), b"x").unwrap_err();
        let occupied = directory.path().join("b.png");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("inside"), b"").unwrap();
        replace(&occupied, b"x").unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the temporary file is gone");
        assert!(replace(Path::new("/"), b"x").unwrap_err().to_string().contains("not a file name"));
    }
}
