//! Labelled images, in memory or as files, with subsets that share both.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use wellfit_base::file;
use wellfit_base::hash::{add, hex};
use wellfit_images::{Depth, ImageError, MAX_FILE, RawImage, decode_file_as};

use super::pack::Pack;
use super::pixel_hash::{PixelHash, PixelHashes};
use crate::error::DataError;

/// Where images come from.
#[derive(Debug, Clone)]
pub enum Images {
    /// All of one size, decoded.
    Memory {
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
        /// 1 (grey) or 3 (RGB).
        channels: usize,
        /// `[n, height, width, channels]`, row-major.
        pixels: Arc<Vec<u8>>,
    },
    /// Decoded when asked for.
    Files(Arc<Vec<PathBuf>>),
    /// Parts of larger files, decoded when asked for.
    Packed {
        /// The name of each in `pack`.
        names: Arc<Vec<PathBuf>>,
        /// Where their bytes are.
        pack: Arc<Pack>,
    },
}

/// Labelled images. A clone or a subset shares the images.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Class names; a label is a position here.
    pub classes: Vec<String>,
    /// The class of each image.
    pub labels: Vec<u32>,
    images: Images,
    /// Where in `images` each image lies.
    index: Vec<u32>,
    /// What is known of the pixels of files.
    hashes: Arc<PixelHashes>,
    /// [`prints`](Self::prints), once they were asked for. Clones share them.
    pub(super) prints: Arc<OnceLock<Vec<u64>>>,
}

/// Images whose fingerprint is one task.
const HASHED_TOGETHER: usize = 4096;

impl Dataset {
    /// All of `images`, with a label each.
    ///
    /// # Errors
    /// If labels and images differ in number, a label is no class, or there are more images than 2³² − 1.
    pub fn new(classes: Vec<String>, labels: Vec<u32>, images: Images) -> Result<Self, DataError> {
        let count = match &images {
            Images::Memory { height, width, channels, pixels } => {
                let size = height * width * channels;
                if size == 0 || !pixels.len().is_multiple_of(size) {
                    let problem = format!("{} bytes are no images of {size} bytes each", pixels.len());
                    return Err(DataError::Invalid(problem));
                }
                pixels.len() / size
            }
            Images::Files(paths) | Images::Packed { names: paths, .. } => paths.len(),
        };
        if count != labels.len() {
            return Err(DataError::Invalid(format!("{count} images, but {} labels", labels.len())));
        }
        if let Some(label) = labels.iter().find(|&&label| label as usize >= classes.len()) {
            return Err(DataError::Invalid(format!("label {label} is not one of {} classes", classes.len())));
        }
        let count =
            u32::try_from(count).map_err(|_| DataError::Invalid(format!("{count} images are too many")))?;
        let (hashes, prints) = (Arc::default(), Arc::default());
        Ok(Self { classes, labels, images, index: (0..count).collect(), hashes, prints })
    }

    /// The same images, with what is known of their pixels.
    #[must_use]
    pub fn with_hashes(self, hashes: Arc<PixelHashes>) -> Self {
        Self { hashes, prints: Arc::default(), ..self }
    }

    /// The hash of the pixels of the image at position `i`, if it is a file that was checked.
    #[must_use]
    pub fn pixel_hash(&self, i: usize) -> Option<PixelHash> {
        self.path(i).and_then(|path| self.hashes.get(path)).copied()
    }

    /// How many images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How many images each class has.
    #[must_use]
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The images at `positions` of this dataset, in that order.
    ///
    /// # Panics
    /// If a position is not below [`Self::len`].
    #[must_use]
    pub fn subset(&self, positions: &[u32]) -> Self {
        Self {
            classes: self.classes.clone(),
            labels: positions.iter().map(|&i| self.labels[i as usize]).collect(),
            images: self.images.clone(),
            hashes: Arc::clone(&self.hashes),
            prints: Arc::default(),
            index: positions.iter().map(|&i| self.index[i as usize]).collect(),
        }
    }

    /// The image at position `i`, grey of more than 8 bits as Pillow has it.
    ///
    /// # Errors
    /// If its file cannot be read or decoded.
    ///
    /// # Panics
    /// If `i` is not below [`Self::len`].
    pub fn image(&self, i: usize) -> Result<RawImage, DataError> {
        self.image_as(i, Depth::Clip)
    }

    /// The same with a choice of what becomes of grey of more than 8 bits.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    ///
    /// # Panics
    /// As [`image`](Self::image).
    pub fn image_as(&self, i: usize, depth: Depth) -> Result<RawImage, DataError> {
        Ok(self.decoded(i, depth)?)
    }

    /// As [`image_as`](Self::image_as).
    pub(crate) fn decoded(&self, i: usize, depth: Depth) -> Result<RawImage, ImageError> {
        match &self.images {
            &Images::Memory { height, width, channels, .. } => {
                let pixels = self.memory(i).unwrap_or_default().to_vec();
                Ok(RawImage { height, width, channels, pixels, deep: false })
            }
            Images::Files(paths) => decode_file_as(&paths[self.index[i] as usize], depth),
            Images::Packed { names, pack } => pack.decode_as(&names[self.index[i] as usize], depth),
        }
    }

    /// The file of the image at position `i`, if it has one; of a part of a larger file the name it goes by.
    #[must_use]
    pub fn path(&self, i: usize) -> Option<&Path> {
        match &self.images {
            Images::Memory { .. } => None,
            Images::Files(paths) | Images::Packed { names: paths, .. } => {
                Some(&paths[self.index[i] as usize])
            }
        }
    }

    /// The bytes of the file `path` of this dataset, as they are stored.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, DataError> {
        let bytes = match &self.images {
            Images::Packed { pack, .. } => pack.read(path),
            _ => file::read(path, MAX_FILE),
        };
        bytes.map_err(DataError::io(path))
    }

    /// Height, width and channels, if known to be the same for all images.
    #[must_use]
    pub fn native_size(&self) -> Option<(usize, usize, usize)> {
        match self.images {
            Images::Memory { height, width, channels, .. } => Some((height, width, channels)),
            Images::Files(_) | Images::Packed { .. } => None,
        }
    }

    /// A SHA-256 in hex that is the same for two datasets if they hold the same images in the same order.
    ///
    /// It covers the class names, the labels, and of each image in memory its size and pixels, of each file
    /// its folder's and its own name and its length. So it stays the same when a dataset is moved, and no
    /// file is read; a file rewritten at the same length goes unnoticed. A file that is gone has a length of its own.
    ///
    /// The images are hashed in parts, and the parts' sums once more: sixty thousand
    /// images take one core longer than some labs train.
    ///
    /// # Errors
    /// If a file cannot be looked at.
    pub fn fingerprint(&self) -> Result<String, DataError> {
        let mut hash = Sha256::new();
        add(&mut hash, &(self.classes.len() as u64).to_le_bytes());
        self.classes.iter().for_each(|class| add(&mut hash, class.as_bytes()));
        add(&mut hash, &self.labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<u8>>());
        if let Some((height, width, channels)) = self.native_size() {
            add(&mut hash, format!("{height} {width} {channels}").as_bytes());
        }
        let parts = (0..self.len().div_ceil(HASHED_TOGETHER)).into_par_iter().map(|part| {
            let mut hash = Sha256::new();
            let first = part * HASHED_TOGETHER;
            let mut images = first..self.len().min(first + HASHED_TOGETHER);
            images.try_for_each(|i| self.hash_image(i, &mut hash))?;
            Ok(hash.finalize())
        });
        parts.collect::<Result<Vec<_>, DataError>>()?.iter().for_each(|part| add(&mut hash, part));
        Ok(hex(&hash.finalize()))
    }

    fn hash_image(&self, i: usize, hash: &mut Sha256) -> Result<(), DataError> {
        let Some(path) = self.path(i) else {
            add(hash, self.memory(i).unwrap_or_default());
            return Ok(());
        };
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        add(hash, folder.as_encoded_bytes());
        add(hash, path.file_name().unwrap_or_else(|| OsStr::new("")).as_encoded_bytes());
        let length = match &self.images {
            Images::Packed { pack, .. } => pack.length(path),
            _ => match fs::metadata(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                found => Some(found.map_err(DataError::io(path))?.len()),
            },
        };
        let length = length.unwrap_or(u64::MAX);
        add(hash, &length.to_le_bytes());
        Ok(())
    }

    /// The pixels of the image at position `i`, if it is in memory.
    pub(crate) fn memory(&self, i: usize) -> Option<&[u8]> {
        let Images::Memory { height, width, channels, pixels } = &self.images else { return None };
        let size = height * width * channels;
        Some(&pixels[self.index[i] as usize * size..][..size])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six images of one pixel, 0–5, of classes 0 1 2 0 1 2.
    fn six() -> Dataset {
        let images = Images::Memory { height: 1, width: 1, channels: 1, pixels: Arc::new((0..6).collect()) };
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        Dataset::new(classes, vec![0, 1, 2, 0, 1, 2], images).unwrap()
    }

    #[test]
    fn subsets_of_subsets_keep_image_and_label_together() {
        let subset = six().subset(&[5, 4, 0]).subset(&[2, 0]);
        let pixels: Vec<u8> = (0..2).map(|i| subset.image(i).unwrap().pixels[0]).collect();
        assert_eq!(
            (pixels, &subset.labels[..], subset.class_counts()),
            (vec![0, 5], &[0, 2][..], vec![1, 0, 1])
        );
    }

    #[test]
    fn subsets_share_memory() {
        let (all, subset) = (six(), six().subset(&[1]));
        let Images::Memory { pixels, .. } = &all.images else { panic!("not in memory") };
        let clone = all.subset(&[1, 2]);
        assert_eq!((Arc::strong_count(pixels), subset.len(), clone.len()), (2, 1, 2));
    }

    #[test]
    fn the_fingerprint_sees_order_labels_classes_and_pixels() {
        let base = six();
        let mut relabelled = base.clone();
        relabelled.labels[0] = 1;
        let mut renamed = base.clone();
        renamed.classes[2] = "d".into();
        let images =
            Images::Memory { height: 1, width: 1, channels: 1, pixels: Arc::new(vec![0, 1, 2, 3, 4, 6]) };
        let repainted = Dataset::new(base.classes.clone(), base.labels.clone(), images).unwrap();
        let prints = [&base, &relabelled, &renamed, &repainted, &base.subset(&[3, 1, 2, 0, 4, 5])];
        let distinct: std::collections::HashSet<String> =
            prints.iter().map(|d| d.fingerprint().unwrap()).collect();
        assert_eq!((distinct.len(), base.fingerprint().unwrap().len()), (5, 64));
        assert_eq!(base.fingerprint().unwrap(), six().fingerprint().unwrap());
    }

    #[test]
    fn the_fingerprint_sees_every_part_of_a_large_set() {
        let count = 2 * HASHED_TOGETHER + 3;
        let of = |change: Option<usize>| {
            let pixels = (0..count).map(|i| (i % 251) as u8 ^ u8::from(change == Some(i))).collect();
            let images = Images::Memory { height: 1, width: 1, channels: 1, pixels: Arc::new(pixels) };
            Dataset::new(vec!["a".into(), "b".into()], vec![0; count], images).unwrap().fingerprint().unwrap()
        };
        for place in [0, HASHED_TOGETHER - 1, HASHED_TOGETHER, count - 1] {
            assert_ne!(of(None), of(Some(place)), "image {place}");
        }
    }

    #[test]
    fn images_and_labels_must_agree() {
        let images = |pixels| Images::Memory { height: 1, width: 2, channels: 1, pixels: Arc::new(pixels) };
        let problem = |labels, pixels| {
            Dataset::new(vec!["a".into(), "b".into()], labels, images(pixels)).unwrap_err().to_string()
        };
        assert!(problem(vec![0, 1, 1], vec![0; 4]).contains("2 images, but 3 labels"));
        assert!(problem(vec![0, 2], vec![0; 4]).contains("label 2"));
        assert!(problem(vec![0, 1], vec![0; 5]).contains("5 bytes"));
    }
}
