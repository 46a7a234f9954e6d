//! `sample`, a small dataset inside the program: the first images of each class of Fashion-MNIST, 5,800 to
//! train on and 1,000 to test on (made by `scripts/make_sample.py`; the licence lies beside the files).

use std::path::Path;

use super::Splits;
use super::fashion_mnist::class_names;
use super::idx;
use super::idx_folder::Pair;
use crate::error::DataError;
use crate::loader::Dataset;

/// The name to ask for.
pub const NAME: &str = "sample";

const TRAIN_IMAGES: &[u8] = include_bytes!("../../assets/sample-train-images-idx3-ubyte.gz");
const TRAIN_LABELS: &[u8] = include_bytes!("../../assets/sample-train-labels-idx1-ubyte.gz");
const TEST_IMAGES: &[u8] = include_bytes!("../../assets/sample-t10k-images-idx3-ubyte.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../assets/sample-t10k-labels-idx1-ubyte.gz");

/// The built-in dataset, with a training and a test part.
///
/// # Errors
/// None, unless the program itself is damaged.
pub fn open() -> Result<Splits, DataError> {
    let (train, test) = (part(TRAIN_IMAGES, TRAIN_LABELS)?, part(TEST_IMAGES, TEST_LABELS)?);
    Ok(Splits::without_files(NAME.into(), train, Some(test)))
}

fn part(images: &[u8], labels: &[u8]) -> Result<Dataset, DataError> {
    let name = Path::new("the built-in sample");
    let (images, labels) = (idx::parse_images(images, name)?, idx::parse_labels(labels, name)?);
    Pair { images, labels, labels_path: name.into() }.into_dataset(class_names())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_balanced_and_not_a_copy_of_itself() {
        let splits = open().unwrap();
        let test = splits.test.unwrap();
        assert_eq!(splits.train.class_counts(), [580; 10]);
        assert_eq!(test.class_counts(), [100; 10]);
        assert_eq!(splits.train.native_size(), Some((28, 28, 1)));
        assert_ne!(
            splits.train.subset(&(0..1000).collect::<Vec<_>>()).fingerprint().unwrap(),
            test.fingerprint().unwrap()
        );
    }

    /// The first image of Fashion-MNIST is an ankle boot with 76,247 in grey.
    #[test]
    fn the_first_image_is_the_first_of_fashion_mnist() {
        let train = open().unwrap().train;
        assert_eq!(train.classes[train.labels[0] as usize], "Ankle boot");
        let sum: u32 = train.image(0).unwrap().pixels.iter().map(|&pixel| u32::from(pixel)).sum();
        assert_eq!(sum, 76_247);
    }
}
