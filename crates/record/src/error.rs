//! What can go wrong with a run on disk, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use wellfit_base::Shown;

/// A result whose error is a [`RecordError`].
pub type Result<T, E = RecordError> = std::result::Result<T, E>;

/// Why a run could not be written or read. Every message names the path and what to do about it. Settings stand
/// in backquotes.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {}: {}", .path.shown(), explain(.cause))]
    Io {
        /// What was tried, as a verb: `write`, `rename`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// The directory holds no run.
    #[error("{} is not a run: no run.toml in it; name a run's directory, such as runs/mlp-1", .0.shown())]
    NotARun(PathBuf),
    /// A new run needs an empty directory.
    #[error("{} holds a run already; choose another directory, or replace that run with `force`", .0.shown())]
    NotEmpty(PathBuf),
    /// The directory holds something else than a run, which Wellfit never removes.
    #[error("{} is not empty and holds no Wellfit run, so even `force` leaves it alone; choose another directory", .0.shown())]
    Foreign(PathBuf),
    /// A file stands where a directory is needed.
    #[error("{} is a file, not a directory; choose another name", .0.shown())]
    NotADirectory(PathBuf),
    /// Another process holds the run's lock.
    #[error("another process is writing to {}; wait until it ends, or choose another directory", .0.shown())]
    InUse(PathBuf),
    /// The run is no longer this process's.
    #[error(
        "{} is no longer the run that this process began: {problem}. The process ends and writes nothing more; what \
         was saved before is whole: resume the run where it is now, once no other process owns it",
        .path.shown()
    )]
    Lost {
        /// The directory as it was opened.
        path: PathBuf,
        /// How that was noticed.
        problem: &'static str,
    },
    /// A part of a run is another run's.
    #[error(
        "{} is of another run ({}) than {} ({}): remove it, or put back the run's own",
        .path.shown(), id_of(.found), .run.shown(), id_of(.expected)
    )]
    OtherRun {
        /// The checkpoint or file.
        path: PathBuf,
        /// The id in it.
        found: Option<String>,
        /// The run's directory.
        run: PathBuf,
        /// The run's id.
        expected: Option<String>,
    },
    /// A run cannot be asked for something.
    #[error("{} cannot be asked: {problem}", .path.shown())]
    NotAsked {
        /// The run's directory.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// `run.toml` is written once.
    #[error("{} is there already: a run describes itself once; start a new run", .0.shown())]
    AlreadyWritten(PathBuf),
    /// The content is not what was written.
    #[error("{} is damaged: {problem}", .path.shown())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A later version wrote the file.
    #[error("{} has format {found}, but this Wellfit reads up to {supported}; update Wellfit", .path.shown())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version knows.
        supported: u32,
    },
    /// A checkpoint or one of its files has a name that is unsafe or taken.
    #[error(
        "{0:?} cannot name a checkpoint or a file in it, or is taken; use letters, digits, '-', '_' and '.'"
    )]
    BadName(String),
    /// A value cannot be written as TOML or JSON.
    #[error("cannot describe the run in {}: {problem}", .path.shown())]
    Unwritable {
        /// The file it was meant for.
        path: PathBuf,
        /// The serialiser's complaint.
        problem: String,
    },
}

impl RecordError {
    pub(crate) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), problem: problem.into() }
    }
}

/// The id of a run in words.
fn id_of(id: &Option<String>) -> &str {
    id.as_deref().unwrap_or("of a version without ids")
}

/// The system's answer, with advice where there is any.
fn explain(cause: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let advice = match cause.kind() {
        Kind::StorageFull => "free some space, then resume the run",
        Kind::QuotaExceeded => "your disk quota is used up; free some space, then resume the run",
        Kind::ReadOnlyFilesystem => "write to another disk with `out`",
        Kind::PermissionDenied => "change its permissions, or choose another directory with `out`",
        Kind::NotFound => "check the path",
        _ => return cause.to_string(),
    };
    format!("{cause}; {advice}")
}

/// Gives an [`io::Error`] its place.
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|cause| RecordError::Io { action, path: path.into(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_where_and_what_to_do() {
        let full: io::Result<()> = Err(io::ErrorKind::StorageFull.into());
        let text = full.at("write", Path::new("runs/mlp-1/events.jsonl")).unwrap_err().to_string();
        assert!(text.contains("cannot write runs/mlp-1/events.jsonl"), "{text}");
        assert!(text.contains("free some space"), "{text}");
    }
}
