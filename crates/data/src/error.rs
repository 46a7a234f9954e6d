//! What can go wrong between a file and a batch.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

use wellfit_base::Shown;
use wellfit_base::shown::shown;
use wellfit_base::words::plural;
use wellfit_images::ImageError;

use crate::open::check::Suspicious;
use crate::open::class_name;
use wellfit_images::EXTENSIONS;

/// Why data could not be opened, read or prepared. The `Display` of each says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Reading or writing failed.
    #[error("cannot read or write {}: {source}", path.shown())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name is neither a folder nor built in.
    #[error(
        "there is no folder ‘{}’ and no built-in dataset of that name: give a folder with a sub-folder a \
         class, a folder of IDX files, `sample` or `fashion-mnist`",
        shown(data)
    )]
    NotFound {
        /// The name as given.
        data: String,
    },
    /// A file was given where a folder belongs.
    #[error("{} is a file of no form that is known: give a folder with a sub-folder of images for each class, a table (.csv .tsv \
         .jsonl .json), or another form of data (docs/data-forms.md)", .0.shown())]
    NotAFolder(PathBuf),
    /// No class folders: the images lie in the folder itself, or there are none.
    #[error(
        "{} holds {images} images but no sub-folders{unread}: put the images of each class into a sub-folder named \
         after it{hint}",
        path.shown()
    )]
    NoClasses {
        /// The folder.
        path: PathBuf,
        /// How many images lie directly in it.
        images: usize,
        /// How to, where the names of the files tell the classes; else empty.
        hint: String,
        /// Which images there cannot be read; else empty.
        unread: String,
    },
    /// The folders or a table are no classes, or could mean two things.
    #[error("{}: {problem}", path.shown())]
    Layout {
        /// The folder that holds them, or the file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// There is only one class.
    #[error("{} holds only one class, ‘{}’: a classifier needs at least two", path.shown(), shown(class))]
    OneClass {
        /// The folder or file.
        path: PathBuf,
        /// The class found.
        class: String,
    },
    /// Class folders without images, each with a word about images there that cannot be read.
    #[error("{}", EmptyClasses(.0))]
    EmptyClasses(Vec<(PathBuf, String)>),
    /// A link that leads back to a folder above it.
    #[error("{} leads back to {}, which contains it: remove the link", link.shown(), target.shown())]
    LinkLoop {
        /// The link, or a folder reached through it.
        link: PathBuf,
        /// The folder it comes back to.
        target: PathBuf,
    },
    /// A folder that more links lead to than any dataset has.
    #[error(
        "{} leads to a folder that more than 64 links lead to: remove the links that lead to the same folders many \
         times",
        .0.shown()
    )]
    TooManyLinks(PathBuf),
    /// A class the training part does not have.
    #[error("{} is no class of the training part, which has: {}{}", path.shown(), shown(&known.join(", ")), like(path, known))]
    UnknownClass {
        /// The folder in `val/` or `test/`.
        path: PathBuf,
        /// The training classes.
        known: Vec<String>,
    },
    /// One image that cannot be read or used.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// An image file that is not what it was before.
    #[error("cannot use {}: it has changed since the run began", .0.shown())]
    Changed(PathBuf),
    /// All the images that cannot be used.
    #[error("{}", BadFiles(.0))]
    BadFiles(Vec<Suspicious>),
    /// A file that breaks the IDX format or its promises.
    #[error("{}: {problem}", path.shown())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A download that failed or brought the wrong bytes.
    #[error("cannot download {url}: {reason}")]
    Download {
        /// The full address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Fashion-MNIST is on neither this machine nor the network.
    #[error("{}", FashionMnistMissing { looked, cause })]
    FashionMnistMissing {
        /// The folders looked at.
        looked: Vec<PathBuf>,
        /// Why there was no download.
        cause: String,
    },
    /// A setting or a set of numbers that makes no sense here.
    #[error("{0}")]
    Invalid(String),
    /// A loader thread could not start, or died.
    #[error("a loader thread could not start or stopped unexpectedly: try fewer workers")]
    WorkerDied,
}

impl DataError {
    /// For `map_err`: an input/output failure at `path`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// The same once more, for what is found while a folder is read and needed later, maybe often.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { path, source } => {
                let copy = source.raw_os_error().map(io::Error::from_raw_os_error);
                let source = copy.unwrap_or_else(|| io::Error::new(source.kind(), source.to_string()));
                Self::Io { path: path.clone(), source }
            }
            Self::LinkLoop { link, target } => Self::LinkLoop { link: link.clone(), target: target.clone() },
            Self::TooManyLinks(path) => Self::TooManyLinks(path.clone()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// The classes without images, one a line if there are several.
struct EmptyClasses<'a>(&'a [(PathBuf, String)]);

impl Display for EmptyClasses<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let [(path, unread)] = self.0 {
            let extensions = EXTENSIONS.join(" ");
            return write!(f, "{} holds no images ({extensions}){unread}: fill or remove it", path.shown());
        }
        writeln!(f, "{} classes hold no images ({}):", self.0.len(), EXTENSIONS.join(" "))?;
        for (path, unread) in self.0 {
            writeln!(f, "  {}{unread}", path.shown())?;
        }
        write!(f, "Fill or remove them")
    }
}

/// A hint where a class differs from a known one in capitals only.
fn like(path: &Path, known: &[String]) -> String {
    let name = class_name(path.file_name().unwrap_or_default()).to_lowercase();
    let twin = known.iter().find(|class| class.to_lowercase() == name);
    twin.map_or_else(String::new, |class| {
        format!(". It differs from ‘{}’ in capitals only: rename it", shown(class))
    })
}

/// The list of bad files, one a line.
struct BadFiles<'a>(&'a [Suspicious]);

impl Display for BadFiles<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cannot be used:", plural(self.0.len(), "image file"))?;
        for bad in self.0 {
            writeln!(f, "  {}: {}", bad.path.shown(), bad.reason)?;
        }
        write!(f, "Repair or remove them, or set skip_bad to leave them out")
    }
}

/// Where Fashion-MNIST was looked for, and how to get it.
struct FashionMnistMissing<'a> {
    looked: &'a [PathBuf],
    cause: &'a str,
}

impl Display for FashionMnistMissing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Fashion-MNIST was not found. Looked in:")?;
        for place in self.looked {
            writeln!(f, "  {}", place.shown())?;
        }
        writeln!(f, "No download: {}", self.cause)?;
        write!(
            f,
            "Install the Debian package dataset-fashion-mnist, put the four files into one of the folders \
             above, or try `sample`, which is built in."
        )
    }
}
