//! What several tests need.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::path::Path;

/// A pipe with a name. Made by a call and not by the program `mkfifo`: until a new process has started, it holds every
/// lock that the tests beside this one hold, whoever lets go of theirs.
pub(crate) fn make_pipe(path: &Path) {
    #[cfg(not(target_vendor = "apple"))]
    rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from(0o600)).unwrap();
    #[cfg(target_vendor = "apple")]
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}
