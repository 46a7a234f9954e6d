//! What a name in a directory stands for.

/// What a name stands for; a link is never followed to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a device or a socket.
    Other,
}

/// Which file or directory it is, whatever its name: device and inode. Of two that are there at the same time, no two
/// have the same. On systems that are not Unix it is not known, and all are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The file system it is on.
    pub(crate) device: u64,
    /// Its number there.
    pub(crate) inode: u64,
}

impl Identity {
    /// Whether both are on one file system, so that a rename can lead from one to the other.
    #[must_use]
    pub const fn is_beside(&self, other: &Self) -> bool {
        self.device == other.device
    }
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Read,
    /// Made if it is missing.
    Append,
    /// It must be missing.
    New,
}
