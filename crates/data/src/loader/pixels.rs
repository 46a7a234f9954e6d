//! What is kept of an image before its first random step: from a cache, or decoded.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use wellfit_images::{
    Depth, ImageError, Interpolation, RawImage, decode_bytes_as, sharing_memory, with_channels,
};

use super::dataset::Dataset;
use crate::augment::Size;
use crate::cache::{Cache, Key};
use crate::error::DataError;
use crate::preprocessing::Preprocessing;

/// Part of every key: another number when decoding or resizing give other pixels than before.
const VERSION: u32 = 2;

/// The images of a dataset before augmentation, each with the channels of the preprocessing. Without random crops they
/// have its size as well.
#[derive(Debug, Clone)]
pub(crate) struct Pixels {
    pub dataset: Arc<Dataset>,
    pub preprocessing: Preprocessing,
    pub cache: Cache,
    /// Where images are cropped at random: their shorter side, if it was longer.
    shorter: Option<usize>,
    /// Of each image, once it has been read. Clones share them.
    keys: Arc<[OnceLock<Key>]>,
}

/// What is kept of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Rows of interleaved channels.
    pub pixels: &'a [u8],
    /// Height and width.
    pub size: Size,
    /// 1 or 3.
    pub channels: usize,
    /// Whether it is the input already, but for what happens at random.
    pub is_input: bool,
}

impl Kept<'_> {
    /// Height, width and channels.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.size.0, self.size.1, self.channels)
    }
}

/// How much longer than the input's the shorter side of an image is that is kept for crops down to a share of its
/// area. As many times as make the smallest crop, if it is square, as large as the input; at most 2, since an image
/// takes memory by the square of it. Smaller crops are enlarged then, as those of small images are.
fn enlargement(smallest_crop: f64) -> f64 {
    (1.0 / smallest_crop.sqrt()).clamp(1.15, 2.0)
}

impl Pixels {
    /// Without a cache. Crops leave at least this share of an image's area, where there are any.
    pub fn new(dataset: Arc<Dataset>, preprocessing: Preprocessing, smallest_crop: Option<f64>) -> Self {
        let keys = dataset.labels.iter().map(|_| OnceLock::new()).collect();
        let side = preprocessing.size.0.max(preprocessing.size.1) as f64;
        let shorter = smallest_crop.map(|share| (side * enlargement(share)).ceil() as usize);
        Self { dataset, preprocessing, cache: Cache::off(), shorter, keys }
    }

    /// Calls `read` with what is kept of image `i`. Only images of files are cached: the others are in memory.
    pub fn with_pixels<T>(&self, i: usize, read: impl FnOnce(Kept<'_>) -> T) -> Result<T, DataError> {
        if let Some((pixels, (height, width, channels))) =
            self.dataset.memory(i).zip(self.dataset.native_size())
        {
            let is_input = (height, width) == self.preprocessing.size && self.preprocessing.resize.is_none();
            return Ok(read(Kept { pixels, size: (height, width), channels, is_input }));
        }
        let known = self.keys[i].get();
        if let Some(cached) = known.and_then(|key| self.cached(key)) {
            return self.read(&cached, read);
        }
        let path = self.dataset.path(i).filter(|_| known.is_some() || self.cache.is_on());
        let depth = self.preprocessing.depth;
        let Some(path) = path else {
            return sharing_memory(|| self.read(&self.stored(&self.dataset.image_as(i, depth)?), read));
        };
        let file = self.dataset.read(path)?;
        let key = self.unchanged(i, path, self.key_of(&[b"file", &file]))?;
        if let Some(cached) = self.cached(&key) {
            return self.read(&cached, read);
        }
        let decoded = || Ok::<_, ImageError>(self.stored(&decode_bytes_as(&file, path, depth)?).into());
        let stored: Arc<[u8]> = sharing_memory(decoded)?;
        self.cache.put(key, &stored);
        self.read(&stored, read)
    }

    /// What the cache has under `key`, if it is an image as this loader stores them.
    fn cached(&self, key: &Key) -> Option<Arc<[u8]>> {
        self.cache.get(key).filter(|stored| self.unpacked(stored).is_some())
    }

    /// The bytes to store of an image: its pixels, and behind them its size where that is not the input's.
    fn stored<'a>(&self, image: &'a RawImage) -> Cow<'a, [u8]> {
        let (size, channels) = ((image.height, image.width), image.channels);
        let Some(shorter) = self.shorter else {
            return self.preprocessing.resized(&image.pixels, (size.0, size.1, channels));
        };
        let pixels = with_channels(&image.pixels, channels, self.preprocessing.channels);
        let to = shortened(size, shorter);
        let mut pixels =
            if to == size { pixels.into_owned() } else { self.preprocessing.resize_to(&pixels, size, to) };
        pixels.extend([to.0, to.1].into_iter().flat_map(|length| (length as u32).to_le_bytes()));
        pixels.into()
    }

    /// What was [`stored`](Self::stored), if it is whole.
    fn unpacked<'a>(&self, stored: &'a [u8]) -> Option<Kept<'a>> {
        let channels = self.preprocessing.channels;
        let (pixels, size) = match self.shorter {
            None => (stored, self.preprocessing.size),
            Some(_) => {
                let (rest, width) = stored.split_last_chunk::<4>()?;
                let (pixels, height) = rest.split_last_chunk::<4>()?;
                (pixels, (u32::from_le_bytes(*height) as usize, u32::from_le_bytes(*width) as usize))
            }
        };
        let whole = size.0.checked_mul(size.1)?.checked_mul(channels)? == pixels.len();
        (whole && !pixels.is_empty()).then_some(Kept {
            pixels,
            size,
            channels,
            is_input: self.shorter.is_none(),
        })
    }

    fn read<T>(&self, stored: &[u8], read: impl FnOnce(Kept<'_>) -> T) -> Result<T, DataError> {
        let kept =
            self.unpacked(stored).ok_or_else(|| DataError::Invalid("a kept image is damaged".into()))?;
        Ok(read(kept))
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
        let depth = match self.preprocessing.depth {
            // As keys were before there was a choice.
            Depth::Clip => String::new(),
            other => format!(" {other}"),
        };
        let filter = match self.preprocessing.interpolation {
            Interpolation::Bilinear => String::new(),
            other => format!(" {other}"),
        };
        let resize = self.preprocessing.resize.map_or_else(String::new, |side| format!(" resize {side}"));
        let made = match self.shorter {
            None => format!("{height} {width} {channels} {VERSION}{depth}{filter}{resize}"),
            Some(shorter) => format!("at least {shorter}, {channels} {VERSION}{depth}{filter}"),
        };
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

/// The size of an image whose shorter side becomes `shorter`, if it is longer than that, with its proportions:
/// torchvision's `Resize(shorter)`.
fn shortened((height, width): Size, shorter: usize) -> Size {
    let least = height.min(width);
    if least <= shorter {
        return (height, width);
    }
    (height * shorter / least, width * shorter / least)
}
