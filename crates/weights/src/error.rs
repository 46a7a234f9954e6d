use std::{io, path::PathBuf};

/// Why a weight file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file's content is at fault, or what was to be written to it.
    #[error("`{path}`: {fault}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with the content of a weight file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No format we know.
    #[error(
        "neither a safetensors nor a PyTorch file (it begins with \"{0}\"); give a .safetensors or .pth file"
    )]
    UnknownFormat(String),
    /// A format that is known, but that weights are not read from.
    #[error("this is {what}, not a file of PyTorch's weights. {advice}")]
    Foreign {
        /// What it is, with its article.
        what: String,
        /// What to do, as a sentence.
        advice: String,
    },
    /// A whole network as Python's objects, which only its code can build.
    #[error(
        "the file holds a whole object (`{class}`), not only its weights. In Python, load it where you trust it and \
         save only the weights: `torch.save({python}.state_dict(), \"weights.pth\")`"
    )]
    Module {
        /// Its class.
        class: String,
        /// What gives it in Python.
        python: String,
    },
    /// The content contradicts itself or ends early.
    #[error("the file is damaged: {0}. Download or copy it again")]
    Damaged(String),
    /// The pickle names a function that only an attack would call.
    #[error(
        "the file asks to run `{0}`; refused. Nothing was run, but Python would: do not load it there. Ask whoever made it \
         for the weights alone, as `torch.save(model.state_dict(), path)` writes them"
    )]
    Refused(String),
    /// Sound, but of a kind we do not read.
    #[error("{0}. {SAVE_AGAIN}")]
    Unsupported(String),
    /// The content would grow far beyond what a real weight file of its length does.
    #[error("the file asks for {0}, as no real weight file does; refused")]
    TooLarge(String),
    /// The weights to be written are not valid.
    #[error("cannot write these weights: {0}")]
    Invalid(String),
}

pub(crate) const SAVE_AGAIN: &str = "In Python, load it where you trust it and save only the weights: \
    `torch.save(model.state_dict(), path)`";

impl Fault {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// The same fault, saying where it is.
    pub(crate) fn of(self, part: &str) -> Self {
        match self {
            Self::Damaged(what) => Self::Damaged(format!("{part}: {what}")),
            Self::Unsupported(what) => Self::Unsupported(format!("{part}: {what}")),
            other => other,
        }
    }
}
