//! The binary versions of CIFAR-10 and CIFAR-100 (<https://www.cs.toronto.edu/~kriz/cifar.html>): records of a label (in
//! CIFAR-100 a coarse and a fine one) and 3,072 bytes of a picture of 32 × 32, all red, then all green, then all blue.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_base::file;

use super::idx::MAX_BYTES;
use super::{OpenOptions, Progress, Splits};
use crate::error::DataError;
use crate::loader::{Dataset, Images};

/// Height and width.
const SIDE: usize = 32;
/// What an image takes.
const PIXELS: usize = 3 * SIDE * SIDE;

/// A kind of these datasets.
struct Kind {
    /// The files to train on.
    train: &'static [&'static str],
    test: &'static str,
    /// The file with the names of the classes.
    names: &'static str,
    /// Bytes of labels; the last counts.
    labels: usize,
    classes: usize,
    /// The file of the version for Python, and where the binary version is.
    pickle: &'static str,
    address: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
        names: "batches.meta.txt",
        labels: 1,
        classes: 10,
        pickle: "data_batch_1",
        address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    },
    Kind {
        train: &["train.bin"],
        test: "test.bin",
        names: "fine_label_names.txt",
        labels: 2,
        classes: 100,
        pickle: "train",
        address: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    },
];

/// The kind that a folder holds, and the folder itself or the one inside it that does.
fn find(dir: &Path) -> Option<(&'static Kind, PathBuf)> {
    let inner = ["cifar-10-batches-bin", "cifar-100-binary", "cifar-10-batches-py", "cifar-100-python"];
    let places = std::iter::once(dir.to_path_buf()).chain(inner.iter().map(|name| dir.join(name)));
    let is_pickle = |dir: &Path, kind: &Kind| {
        dir.join(kind.pickle).is_file() && (dir.join("batches.meta").is_file() || dir.join("meta").is_file())
    };
    let mut pairs = places.flat_map(|dir| KINDS.iter().map(move |kind| (kind, dir.clone())));
    // A file called test.bin may be anything: its folder counts only by the names of classes beside it.
    let is_test = |dir: &Path, kind: &Kind| dir.join(kind.test).is_file() && dir.join(kind.names).is_file();
    pairs.find(|(kind, dir)| dir.join(kind.train[0]).is_file() || is_test(dir, kind) || is_pickle(dir, kind))
}

/// The kind that one of the files is of, if `path` is one.
fn file_of(path: &Path) -> Option<&'static Kind> {
    let name = path.file_name()?.to_str()?;
    let mut kinds = KINDS.iter();
    kinds.find(|kind| (kind.train.contains(&name) || kind.test == name) && path.is_file())
}

/// Whether `path` holds one of them, or only its test part, or is one of their files.
pub(crate) fn is(path: &Path) -> bool {
    find(path).is_some() || file_of(path).is_some()
}

/// Both parts; the one of a file that was named.
pub(crate) fn open(dir: &Path, options: &OpenOptions, _: &dyn Fn(Progress)) -> Result<Splits, DataError> {
    if let Some(kind) = file_of(dir) {
        let classes = names(kind, dir.parent().unwrap_or(Path::new("")))?;
        let only = part(kind, &[dir.to_path_buf()], &classes)?;
        return Ok(Splits::without_files(super::name(dir), only, None));
    }
    let Some((kind, own)) = find(dir) else { return Err(DataError::NotAFolder(dir.into())) };
    let (train, test) = (own.join(kind.train[0]), own.join(kind.test));
    if !train.is_file() && !test.is_file() {
        return Err(DataError::Layout {
            path: own,
            problem: format!(
                "this is the version for Python, whose pickles may run anything: take the binary version instead, {}",
                kind.address
            ),
        });
    }
    let classes = names(kind, &own)?;
    // Whoever tests needs no part to train on.
    if !train.is_file() && !options.need.training() {
        let only = part(kind, &[test], &classes)?;
        return Ok(Splits::without_files(super::name(dir), only, None));
    }
    let train: Vec<PathBuf> = kind.train.iter().map(|name| own.join(name)).collect();
    let train = part(kind, &train, &classes)?;
    let test = if test.is_file() { Some(part(kind, &[test], &classes)?) } else { None };
    Ok(Splits::without_files(super::name(dir), train, test))
}

/// The names of the classes, or numbers where there is no file of them.
fn names(kind: &Kind, dir: &Path) -> Result<Vec<String>, DataError> {
    let path = dir.join(kind.names);
    if !path.is_file() {
        return Ok((0..kind.classes).map(|number| number.to_string()).collect());
    }
    let text = file::read_text(&path, 1 << 16).map_err(DataError::io(&path))?;
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.len() == kind.classes {
        return Ok(names);
    }
    let problem = format!("{} names of classes, where there are {}", names.len(), kind.classes);
    Err(DataError::Layout { path, problem })
}

fn part(kind: &Kind, files: &[PathBuf], classes: &[String]) -> Result<Dataset, DataError> {
    let (mut labels, mut pixels) = (Vec::new(), Vec::new());
    for path in files {
        let bytes = file::read(path, MAX_BYTES).map_err(DataError::io(path))?;
        let problem = |problem: String| DataError::Layout { path: path.clone(), problem };
        let record = kind.labels + PIXELS;
        if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
            let sentence = format!("{} bytes are no records of {record}: download it again", bytes.len());
            return Err(problem(sentence));
        }
        for (number, record) in bytes.chunks_exact(record).enumerate() {
            let label = record[kind.labels - 1];
            if usize::from(label) >= kind.classes {
                let most = kind.classes - 1;
                return Err(problem(format!("label {label} of image {number} is above {most}")));
            }
            labels.push(u32::from(label));
            let planes = &record[kind.labels..];
            for at in 0..SIDE * SIDE {
                pixels.extend([0, 1, 2].map(|channel| planes[channel * SIDE * SIDE + at]));
            }
        }
    }
    let images = Images::Memory { height: SIDE, width: SIDE, channels: 3, pixels: Arc::new(pixels) };
    Dataset::new(classes.to_vec(), labels, images)
}
