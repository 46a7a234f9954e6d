//! A folder of IDX files, named as MNIST names them, each plain or gzipped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::idx::{self, IdxImages};
use super::{Need, Splits, UNLABELLED};
use crate::error::DataError;
use crate::loader::{Dataset, Images};

/// The four files: images and labels to train on, images and labels to test on.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// `name` in `dir`, plain or else gzipped.
#[must_use]
pub fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    [dir.join(name), dir.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file())
}

/// The files of images: those to train on and those to test on.
const IMAGES: [&str; 2] = [FILES[0], FILES[2]];

/// Whether one of the files is in the folder `path`, or `path` is one of those with images.
pub(crate) fn is(path: &Path) -> bool {
    images_file(path).is_some() || FILES.iter().any(|name| find(path, name).is_some())
}

/// The folder of a file of images and the place of its name in [`IMAGES`].
fn images_file(path: &Path) -> Option<(&Path, usize)> {
    let name = path.file_name()?.to_str()?;
    let place = IMAGES.iter().position(|known| *known == name.trim_end_matches(".gz"))?;
    path.is_file().then(|| (path.parent().unwrap_or(Path::new("")), place))
}

/// The folder, or the part whose images `path` holds, as a dataset.
pub(crate) fn open_splits(path: &Path, need: Need) -> Result<Splits, DataError> {
    let (dir, chosen) = images_file(path).map_or((path, None), |(dir, place)| (dir, Some(place)));
    let name = super::name(path);
    if !need.labels() {
        return unlabelled(name, dir, chosen);
    }
    // Whoever tests needs no part to train on.
    let only_test = !need.training() && find(dir, FILES[0]).is_none() && find(dir, FILES[1]).is_none();
    match chosen.or_else(|| only_test.then_some(1)) {
        None => {
            let (train, test) = open(dir, None)?;
            Ok(Splits::without_files(name, train, test))
        }
        Some(place) => {
            let pair = Pair::read(dir, FILES[2 * place], FILES[2 * place + 1])?;
            let classes = numbered(&pair.labels);
            Ok(Splits::without_files(name, pair.into_dataset(classes)?, None))
        }
    }
}

/// The images of both parts, or of the `chosen` one.
fn unlabelled(name: String, dir: &Path, chosen: Option<usize>) -> Result<Splits, DataError> {
    let part = |place: usize| {
        let path = find(dir, IMAGES[place]).filter(|_| chosen.is_none_or(|chosen| chosen == place));
        path.map(|path| {
            let images = idx::read_images(&path)?;
            let (labels, labels_path) = (vec![0; images.count], path);
            Pair { images, labels, labels_path }.into_dataset(vec![UNLABELLED.to_owned()])
        })
    };
    match (part(0).transpose()?, part(1).transpose()?) {
        (Some(train), test) => Ok(Splits::without_files(name, train, test)),
        (None, Some(test)) => Ok(Splits::without_files(name, test, None)),
        (None, None) => Err(idx::error(dir, "it has files of labels only, and none of images")),
    }
}

/// The training part and, if its files are there, the test part. Without given `classes` there are as many
/// as the greatest training label asks for, named "0", "1", ….
///
/// # Errors
/// If a file is missing or bad, or a label is no class.
pub fn open(dir: &Path, classes: Option<Vec<String>>) -> Result<(Dataset, Option<Dataset>), DataError> {
    let [train_images, train_labels, test_images, test_labels] = FILES;
    let (train, test) = rayon::join(
        || Pair::read(dir, train_images, train_labels),
        || match (find(dir, test_images), find(dir, test_labels)) {
            (None, None) => Ok(None),
            _ => Pair::read(dir, test_images, test_labels).map(Some),
        },
    );
    let (train, test) = (train?, test?);
    let classes = classes.unwrap_or_else(|| numbered(&train.labels));
    let labels_path = train.labels_path.clone();
    let train = train.into_dataset(classes.clone())?;
    if let [class] = &classes[..] {
        return Err(DataError::OneClass { path: labels_path, class: class.clone() });
    }
    Ok((train, test.map(|pair| pair.into_dataset(classes)).transpose()?))
}

/// The class names "0" to the greatest label.
fn numbered(labels: &[u8]) -> Vec<String> {
    (0..=labels.iter().copied().max().unwrap_or(0)).map(|label| label.to_string()).collect()
}

/// Images and labels that belong together.
pub(crate) struct Pair {
    pub(crate) images: IdxImages,
    pub(crate) labels: Vec<u8>,
    pub(crate) labels_path: PathBuf,
}

impl Pair {
    fn read(dir: &Path, images: &str, labels: &str) -> Result<Self, DataError> {
        let path = |name| {
            find(dir, name)
                .ok_or_else(|| idx::error(&dir.join(name), "missing, both as it is and gzipped (.gz)"))
        };
        let (images_path, labels_path) = (path(images)?, path(labels)?);
        let (images, labels) =
            rayon::join(|| idx::read_images(&images_path), || idx::read_labels(&labels_path));
        Ok(Self { images: images?, labels: labels?, labels_path })
    }

    pub(crate) fn into_dataset(self, classes: Vec<String>) -> Result<Dataset, DataError> {
        let IdxImages { count, height, width, pixels } = self.images;
        let labels = idx::check_labels(&self.labels, count, classes.len(), &self.labels_path)?;
        Dataset::new(classes, labels, Images::Memory { height, width, channels: 1, pixels: Arc::new(pixels) })
    }
}
