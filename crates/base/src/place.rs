//! Which file or folder a path means, however it is written and whatever links it goes through.

use std::io;
use std::path::Path;

/// What a path leads to. Two paths have the same one if and only if they lead to the same file or folder.
///
/// Unlike a canonical path it costs one look at the disk, not one for each folder above, so that a walk through a thousand
/// nested folders stays a short one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] std::path::PathBuf);

impl Place {
    /// Where `path` leads; links are followed.
    ///
    /// # Errors
    /// If it leads nowhere, or cannot be followed.
    pub fn of(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let about = std::fs::metadata(path)?;
            Ok(Self((about.dev(), about.ino())))
        }
        #[cfg(not(unix))]
        path.canonicalize().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_a_folder_are_one_place() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let place = Place::of(dir.path()).unwrap();
        assert_eq!(place, Place::of(&inner.join("..")).unwrap());
        assert_ne!(place, Place::of(&inner).unwrap());
        assert!(Place::of(&dir.path().join("none")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path(), inner.join("back")).unwrap();
            assert_eq!(place, Place::of(&inner.join("back")).unwrap());
        }
    }
}
