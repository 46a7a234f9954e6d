//! What happens on the way to a file.

use std::path::Path;
use std::time::Duration;

/// Something worth showing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another process downloads the same file; this one waits for it.
    Waiting {
        /// The file to be.
        path: &'a Path,
    },
    /// A download begins.
    Download {
        /// Its address.
        url: &'a str,
        /// Bytes that an earlier, broken download left.
        resumed: u64,
    },
    /// Bytes came in.
    Progress {
        /// The name of the file.
        file: &'a str,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, if the server says.
        total: Option<u64>,
    },
    /// Something went wrong, and it is tried again.
    Retry {
        /// What.
        problem: &'a str,
        /// After this pause.
        pause: Duration,
    },
    /// A file in a cache is not what its name says, and is left out.
    Damaged {
        /// The file.
        path: &'a Path,
        /// What is wrong with it.
        problem: &'a str,
    },
}

/// Who is told of it.
pub type Watch<'a> = dyn FnMut(Event<'_>) + 'a;
