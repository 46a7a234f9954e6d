//! What is in the batches of each epoch: an order, augmentations, a place to start from.

pub mod batch;
pub mod dataset;
mod epoch;
mod pack;
mod pixel_hash;
mod pixels;
mod prepare;
mod prints;

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use wellfit_rng::{Rng, Stream};

use crate::augment::{Augmentations, Choice};
use crate::cache::{Cache, Key};
use crate::error::DataError;
use crate::preprocessing::Preprocessing;
pub use batch::{Batch, Mixed};
pub use dataset::{Dataset, Images};
pub use epoch::Epoch;
pub use pack::{Pack, Place};
pub use pixel_hash::{PixelHash, PixelHashes};
pub(crate) use pixel_hash::{is_deep, pixel_hash};
use pixels::Pixels;

/// How to make batches.
#[derive(Debug, Clone)]
pub struct LoaderOptions {
    /// Images in a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether each epoch has an order of its own; otherwise it is the dataset's.
    pub shuffle: bool,
    /// Decides the orders and what the augmentations do.
    pub seed: u64,
    /// Threads that make batches; with 0 the consumer makes them when it asks.
    pub workers: usize,
    /// Finished batches that may wait for the consumer, rounded up to a multiple of `workers`. Beyond these,
    /// each worker has one in hand.
    pub prefetch: usize,
    /// Whether a last batch of a single image joins the batch before it, since BatchNorm cannot learn from
    /// one value.
    pub merge_last_single: bool,
}

impl Default for LoaderOptions {
    /// Batches of 32 in the dataset's order, made by two threads.
    fn default() -> Self {
        Self { batch_size: 32, shuffle: false, seed: 0, workers: 2, prefetch: 4, merge_last_single: false }
    }
}

/// Makes the batches of any epoch of a dataset.
#[derive(Debug, Clone)]
pub struct Loader {
    pixels: Pixels,
    augmentations: Augmentations,
    options: LoaderOptions,
}

/// An image to load and what the augmentations do to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its position in the dataset.
    pub index: u32,
    /// What the loader's augmentations drew for it.
    pub choice: Choice,
}

impl Loader {
    /// A loader of `dataset`; evaluation has no `augmentations`.
    ///
    /// # Errors
    /// If the dataset is empty, the batch size is 0, or the preprocessing makes no sense.
    pub fn new(
        dataset: impl Into<Arc<Dataset>>,
        preprocessing: Preprocessing,
        augmentations: Augmentations,
        options: LoaderOptions,
    ) -> Result<Self, DataError> {
        preprocessing.validate()?;
        let dataset = dataset.into();
        if dataset.is_empty() {
            return Err(DataError::Invalid("there are no images to make batches of".into()));
        }
        if options.batch_size == 0 {
            return Err(DataError::Invalid("batch_size must be at least 1".into()));
        }
        let pixels = Pixels::new(dataset, preprocessing, augmentations.smallest_crop());
        Ok(Self { pixels, augmentations, options })
    }

    /// The same, keeping images of files in `cache`, before augmentation. The batches stay the same.
    #[must_use]
    pub fn with_cache(mut self, cache: Cache) -> Self {
        self.pixels.cache = cache;
        self
    }

    /// Where images are kept.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.pixels.cache
    }

    /// How an image becomes an input.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.pixels.preprocessing
    }

    /// What happens to images at random.
    #[must_use]
    pub fn augmentations(&self) -> &Augmentations {
        &self.augmentations
    }

    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.pixels.dataset
    }

    /// How many batches an epoch has.
    #[must_use]
    pub fn batches(&self) -> usize {
        let (n, size) = (self.dataset().len(), self.options.batch_size);
        let merged = self.options.merge_last_single && n > size && n % size == 1;
        n.div_ceil(size) - usize::from(merged)
    }

    /// How many images each batch of an epoch has.
    #[must_use]
    pub fn batch_sizes(&self) -> Vec<usize> {
        (0..self.batches()).map(|batch| self.range(batch).len()).collect()
    }

    /// The batches of an epoch.
    #[must_use]
    pub fn epoch(&self, epoch: u32) -> Epoch {
        self.epoch_from(epoch, 0)
    }

    /// The batches of an epoch from `first_batch` on, as if those before had been taken.
    #[must_use]
    pub fn epoch_from(&self, epoch: u32, first_batch: usize) -> Epoch {
        let mut plan = self.plan(epoch);
        plan.drain(..first_batch.min(plan.len()));
        self.load(plan)
    }

    /// The key of each image, as this loader reads it: made of its content, the channels and the size. Every file
    /// is read, on all cores; one that changes from now on is an error when it is read again.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn keys(&self) -> Result<Vec<Key>, DataError> {
        (0..self.dataset().len()).into_par_iter().map(|i| self.pixels.key(i)).collect()
    }

    /// What is in the batches of an epoch. Each depends on the seed, the epoch and the image alone.
    #[must_use]
    pub fn plan(&self, epoch: u32) -> Vec<Vec<Sample>> {
        let LoaderOptions { shuffle, seed, .. } = self.options;
        let n = self.dataset().len();
        let order = if shuffle {
            Rng::new(seed, Stream::Shuffle, epoch, 0).permutation(n)
        } else {
            (0..n as u32).collect()
        };
        let sample = |&index| {
            let choice = self.augmentations.draw(&mut Rng::new(seed, Stream::Augment, epoch, index));
            Sample { index, choice }
        };
        (0..self.batches()).map(|batch| order[self.range(batch)].iter().map(sample).collect()).collect()
    }

    /// Any batches, made ahead like those of an epoch.
    #[must_use]
    pub fn load(&self, batches: Vec<Vec<Sample>>) -> Epoch {
        Epoch::start(self.clone(), batches)
    }

    /// Which part of an epoch's order a batch covers; the last takes all that is left.
    fn range(&self, batch: usize) -> Range<usize> {
        let start = batch * self.options.batch_size;
        let end =
            if batch + 1 == self.batches() { self.dataset().len() } else { start + self.options.batch_size };
        start..end
    }
}
