//! Why an image cannot be used.

use std::io;
use std::path::PathBuf;
use wellfit_base::Shown;

/// What can go wrong between a file and its pixels.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Reading the file failed.
    #[error("cannot read or write {}: {source}", path.shown())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its content is no image that can be decoded.
    #[error("cannot use {}: {reason}", path.shown())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl ImageError {
    /// What is wrong, without the name of the file.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            Self::Unusable { reason, .. } => reason.clone(),
        }
    }
}

/// What is wrong with the content of a file.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Defect {
    #[error("the file is empty")]
    Empty,
    #[error("it is no image; it looks like {0}")]
    NotAnImage(&'static str),
    #[error("it has {width}×{height} pixels; at most 50 megapixels are allowed")]
    TooLarge { width: u64, height: u64 },
    #[error("decoding it would take more than 512 MiB")]
    Vast,
    #[error("it has no pixels")]
    NoPixels,
    #[error("the file is cut short")]
    Truncated,
    #[error("the file is damaged: {0}")]
    Corrupt(&'static str),
    #[error("the file is cut short or damaged: {0}")]
    Unreadable(String),
    #[error("the file is damaged: its decoder gave up ({0})")]
    Panic(String),
    #[error("{0} is not supported: convert it to PNG or JPEG")]
    Unsupported(String),
}
