//! An image in the size that a network reads: from a cache, or decoded.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use wellfit_images::{RawImage, decode_bytes};

use super::dataset::Dataset;
use crate::cache::{Cache, Key};
use crate::error::DataError;
use crate::preprocessing::Preprocessing;

/// Part of every key: another number when decoding or resizing give other pixels than before.
const VERSION: u32 = 2;

/// The images of a dataset, each with the channels and the size of the preprocessing, before augmentation.
#[derive(Debug, Clone)]
pub(crate) struct Pixels {
    pub dataset: Arc<Dataset>,
    pub preprocessing: Preprocessing,
    pub cache: Cache,
    /// Of each image, once it has been read. Clones share them.
    keys: Arc<[OnceLock<Key>]>,
}

impl Pixels {
    /// Without a cache.
    pub fn new(dataset: Arc<Dataset>, preprocessing: Preprocessing) -> Self {
        let keys = dataset.labels.iter().map(|_| OnceLock::new()).collect();
        Self { dataset, preprocessing, cache: Cache::off(), keys }
    }

    /// Calls `read` with the pixels of image `i`. Only images of files are cached: the others are in memory.
    pub fn with_pixels<T>(&self, i: usize, read: impl FnOnce(&[u8]) -> T) -> Result<T, DataError> {
        if let Some((pixels, size)) = self.dataset.memory(i).zip(self.dataset.native_size()) {
            return Ok(read(&self.preprocessing.resized(pixels, size)));
        }
        let known = self.keys[i].get();
        if let Some(cached) = known.and_then(|key| self.cache.get(key)) {
            return Ok(read(&cached));
        }
        let path = self.dataset.path(i).filter(|_| known.is_some() || self.cache.is_on());
        let Some(path) = path else { return Ok(read(&self.resized(&self.dataset.image(i)?))) };
        let file = self.dataset.read(path)?;
        let key = self.unchanged(i, path, self.key_of(&[b"file", &file]))?;
        if let Some(cached) = self.cache.get(&key) {
            return Ok(read(&cached));
        }
        let pixels = self.resized(&decode_bytes(&file, path)?).into();
        self.cache.put(key, &pixels);
        Ok(read(&pixels))
    }

    fn resized<'a>(&self, image: &'a RawImage) -> Cow<'a, [u8]> {
        self.preprocessing.resized(&image.pixels, (image.height, image.width, image.channels))
    }

    /// The key of image `i`, which is read if it has not been yet.
    pub fn key(&self, i: usize) -> Result<Key, DataError> {
        if let Some(&key) = self.keys[i].get() {
            return Ok(key);
        }
        let key = match self.dataset.path(i) {
            Some(path) => self.key_of(&[b"file", &self.dataset.read(path)?]),
            None => {
                let image = self.dataset.image(i)?;
                let shape = format!("{} {} {}", image.height, image.width, image.channels);
                self.key_of(&[b"memory", shape.as_bytes(), &image.pixels])
            }
        };
        Ok(*self.keys[i].get_or_init(|| key))
    }

    fn key_of(&self, source: &[&[u8]]) -> Key {
        let ((height, width), channels) = (self.preprocessing.size, self.preprocessing.channels);
        let made = format!("{height} {width} {channels} {VERSION}");
        Key::of(&[source, &[made.as_bytes()]].concat())
    }

    /// Remember the key of image `i`. What is cached under the first one must not come from another image.
    fn unchanged(&self, i: usize, path: &Path, key: Key) -> Result<Key, DataError> {
        if *self.keys[i].get_or_init(|| key) == key {
            return Ok(key);
        }
        Err(DataError::Changed(path.to_path_buf()))
    }
}
