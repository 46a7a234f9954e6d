//! Why there is no file.

use std::path::{Path, PathBuf};
use wellfit_base::Shown;

/// Why a file is not there. `Display` says what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A name that means nothing.
    #[error("{0}")]
    Name(String),
    /// The file is in no cache, and must not be downloaded.
    #[error("{what} is not on this machine, and {why} forbids the download. {advice}")]
    Offline {
        /// The weights.
        what: String,
        /// The setting or variable that forbids it.
        why: String,
        /// What to do.
        advice: String,
    },
    /// The file could not be downloaded.
    #[error("cannot download {url}: {problem}. {advice}")]
    Download {
        /// Its address.
        url: String,
        /// What went wrong.
        problem: String,
        /// What to do.
        advice: String,
    },
    /// A folder or file in the cache that cannot be written or read.
    #[error("{}: {cause}", .path.shown())]
    Disk {
        /// The path.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl FetchError {
    pub(crate) fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Disk { path, cause }
    }
}
