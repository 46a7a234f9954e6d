//! Writing a file as a whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io, process};

use crate::PlotError;

/// Put `bytes` at `path`: a viewer that watches the file sees the old picture or the new one, never half.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    let written = sibling(path).and_then(|temporary| {
        fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
            // The first error is the one to report; the half-written file may not even exist.
            let _ = fs::remove_file(&temporary);
        })
    });
    written.map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

/// A name in the same directory that no other writer uses: a rename is atomic only within a file system.
fn sibling(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{}.tmp", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn errors_name_the_path_and_clean_up() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("no/such/a.png");
        let message = replace(&missing, b"x").unwrap_err().to_string();
        assert!(message.contains(&missing.display().to_string()), "{message}");

        let occupied = directory.path().join("b.png");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("inside"), b"").unwrap();
        replace(&occupied, b"x").unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the temporary file is gone");
        assert!(replace(Path::new("/"), b"x").unwrap_err().to_string().contains("not a file name"));
    }
}
