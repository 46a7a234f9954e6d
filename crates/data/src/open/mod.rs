//! Opening a dataset by the name or path a user gives.

pub mod check;
pub mod checked;
mod cifar;
mod class_folders;
mod class_name;
pub mod copies;
mod download;
pub mod entry;
pub mod fashion_mnist;
pub mod idx;
pub mod idx_folder;
pub mod image_folder;
mod image_splits;
mod junk;
mod layout;
mod listing;
mod metadata;
mod multi_label;
mod npy;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "without_parquet.rs"]
mod parquet;
mod parts;
pub mod remark;
mod rows;
pub mod sample;
mod shards;
pub mod split;
mod split_name;
mod table;
mod tree;
mod webdataset;

use std::path::{self, Path, PathBuf};

use serde::{Deserialize, Serialize};
use wellfit_images::Depth;

use crate::error::DataError;
use crate::loader::Dataset;
use check::Suspicious;
pub use class_name::class_name;
use remark::Remark;
pub use split_name::Part;

/// The parts of a dataset.
#[derive(Debug, Clone)]
pub struct Splits {
    /// The built-in name, or the folder's.
    pub name: String,
    /// For training.
    pub train: Dataset,
    /// For validation, if the source has a part for it.
    pub val: Option<Dataset>,
    /// For the final test, if there is one.
    pub test: Option<Dataset>,
    /// The bad files left out (only with [`OpenOptions::skip_bad`]).
    pub skipped: Vec<Suspicious>,
    /// What is worth knowing about a folder of images.
    pub remarks: Vec<Remark>,
}

impl Splits {
    /// The parts there are, each with its name: `train`, `val`, `test`.
    #[must_use]
    pub fn parts(&self) -> Vec<(&'static str, &Dataset)> {
        let others = [("val", self.val.as_ref()), ("test", self.test.as_ref())];
        let others = others.into_iter().filter_map(|(name, data)| Some((name, data?)));
        std::iter::once(("train", &self.train)).chain(others).collect()
    }

    /// Data without image files.
    pub(crate) fn without_files(name: String, train: Dataset, test: Option<Dataset>) -> Self {
        Self { name, train, val: None, test, skipped: Vec::new(), remarks: Vec::new() }
    }
}

/// What data are opened for: which problems are errors, and which are [remarks](Remark).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Need {
    /// To train: a test part that cannot be used stops nothing.
    #[default]
    Training,
    /// To train, and to validate on the test part, which must be usable.
    TrainingAndTest,
    /// To test: the test part must be usable, if there is one. One class is enough.
    Test,
    /// To look at them: nothing stops that but a folder that cannot be understood.
    Look,
    /// To classify their images: labels are not looked at, and files are not decoded in advance. All images have the one
    /// class [`UNLABELLED`].
    Images,
}

/// The class of images whose labels were not looked at.
pub const UNLABELLED: &str = "";

impl Need {
    /// Whether something is to be learnt from them.
    pub(crate) const fn training(self) -> bool {
        matches!(self, Self::Training | Self::TrainingAndTest)
    }

    /// Whether a test part must be usable.
    pub(crate) const fn test(self) -> bool {
        matches!(self, Self::TrainingAndTest | Self::Test)
    }

    /// Whether images need a label.
    pub(crate) fn labels(self) -> bool {
        self != Self::Images
    }
}

/// Which columns of a table mean what, where their names do not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Columns {
    /// The column that names the image files.
    #[serde(rename = "file_column", skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The column of the labels.
    #[serde(rename = "label_column", skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The column that says which rows are for training, validation and test.
    #[serde(rename = "split_column", skip_serializing_if = "Option::is_none", default)]
    pub split: Option<String>,
    /// The folder that names of files begin in; without it, the table's, or the one inside it that has them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub images: Option<PathBuf>,
}

/// How to open a dataset.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Where Fashion-MNIST may lie, besides the usual places.
    pub data_dir: Option<PathBuf>,
    /// Leave bad image files out, where they'd be an error.
    pub skip_bad: bool,
    /// What the data are for.
    pub need: Need,
    /// What becomes of grey of more than 8 bits: a remark warns of images that are cut off.
    pub depth: Depth,
    /// Download Fashion-MNIST if it is nowhere on this machine.
    pub download: bool,
    /// The folder on a server with Fashion-MNIST's four files; without it, the environment variable
    /// `WELLFIT_FASHION_MNIST_URL` or else the authors' server.
    pub fashion_mnist_url: Option<String>,
    /// The file that remembers which images were found to be whole; none to decode all of them each time.
    pub checked: Option<PathBuf>,
    /// What the columns of a table mean.
    pub columns: Columns,
}

impl Default for OpenOptions {
    /// The usual places, every bad file an error, downloads allowed, nothing remembered.
    fn default() -> Self {
        Self {
            data_dir: None,
            skip_bad: false,
            need: Need::Training,
            depth: Depth::Clip,
            download: true,
            fashion_mnist_url: None,
            checked: None,
            columns: Columns::default(),
        }
    }
}

/// Slow work while a dataset is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A file is coming in.
    Download {
        /// Its name.
        file: String,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, if the server says.
        total: Option<u64>,
    },
    /// Image files are decoded once to see whether they are whole.
    Checking {
        /// How many were looked at so far; 0 at the start.
        done: usize,
        /// How many there are.
        files: usize,
    },
}

/// Opens a path and tells how far it is.
type OpenForm = fn(&Path, &OpenOptions, &dyn Fn(Progress)) -> Result<Splits, DataError>;

/// Whether it names built-in data, rather than a place on the disk.
#[must_use]
pub fn is_built_in(data: &str) -> bool {
    [sample::NAME, fashion_mnist::NAME].contains(&data)
}

/// Whether `path` is a table of images, or a file, a pattern of files or a folder of files that hold many images each:
/// any form of data but image files in folders.
#[must_use]
pub fn is_collection(path: &Path) -> bool {
    COLLECTIONS.iter().any(|form| (form.is)(path))
}

/// Whether `path` is a folder whose folders are the parts or the classes, so that where an image lies says all of it.
pub(crate) fn is_class_folders(path: &Path) -> bool {
    path.is_dir() && !is_collection(path) && !metadata::is(path)
}

/// A form that data on the disk may have.
struct Form {
    /// Whether a path is of this form.
    is: fn(&Path) -> bool,
    open: OpenForm,
}

/// Forms whose images are no folders of files: tables that name them, and files that hold many. The first that fits is
/// taken. docs/data-forms.md describes them.
const COLLECTIONS: [Form; 6] = [
    Form { is: table::is_table, open: |path, options, told| table::list(path, options)?.open(options, told) },
    Form { is: npz::is, open: npz::open },
    Form {
        is: parquet::images::is,
        open: |path, options, told| parquet::images::list(path, options)?.open(options, told),
    },
    Form {
        is: webdataset::is,
        open: |path, options, told| webdataset::list(path, options)?.open(options, told),
    },
    Form { is: idx_folder::is, open: |path, options, _| idx_folder::open_splits(path, options.need) },
    Form { is: cifar::is, open: cifar::open },
];

/// Forms whose images are files in folders; they come after the others.
const FOLDERS: [Form; 2] = [
    Form { is: metadata::is, open: |dir, options, told| metadata::list(dir, options)?.open(options, told) },
    Form {
        is: Path::is_dir,
        open: |dir, options, told| image_splits::list(dir, options.need)?.open(options, told),
    },
];

/// Open `data`: `sample`, `fashion-mnist`, or a folder that holds
///
/// * IDX files named as MNIST's (`train-images-idx3-ubyte`, …, each plain or `.gz`), or
/// * `train/` and maybe `val/` and `test/`, in any common spelling, each with a sub-folder a class, or
/// * a sub-folder a class
///
/// in the folder itself or in the only folder inside it (docs/folders.md has the rules), or any of the other forms in
/// docs/data-forms.md.
///
/// A folder named like a built-in dataset is meant only when written as a path (`./sample`). The classes are
/// those of the training part.
///
/// # Errors
/// If there is no such data, or it is unfit to train on; bad image files are listed all at once.
pub fn open(data: &str, options: &OpenOptions, progress: &dyn Fn(Progress)) -> Result<Splits, DataError> {
    match data {
        sample::NAME => return sample::open(),
        fashion_mnist::NAME => return fashion_mnist::open(options, progress),
        _ => {}
    }
    let path = Path::new(data);
    match COLLECTIONS.iter().chain(&FOLDERS).find(|form| (form.is)(path)) {
        Some(form) => (form.open)(path, options, progress),
        None if path.is_file() => Err(DataError::NotAFolder(path.into())),
        None => Err(DataError::NotFound { data: data.to_owned() }),
    }
}

/// The name of a folder, also for `.` and `..`; of a file without its extension.
fn name(path: &Path) -> String {
    let whole = path.canonicalize().or_else(|_| path::absolute(path)).unwrap_or_else(|_| path.into());
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    name.map_or_else(|| "data".into(), |name| name.to_string_lossy().into_owned())
}
