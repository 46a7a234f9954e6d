//! What is in the batches of each epoch: an order, flips, a place to start from.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use wellfit_rng::{Rng, Stream};

use crate::cache::{Cache, Key};
use crate::dataset::Dataset;
use crate::epoch::Epoch;
use crate::error::DataError;
use crate::pixels::Pixels;
use crate::transform::{Flips, Transform};

/// How to make batches.
#[derive(Debug, Clone)]
pub struct LoaderOptions {
    /// Images in a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether each epoch has an order of its own; otherwise it is the dataset's.
    pub shuffle: bool,
    /// Whether the transform's random flips happen.
    pub augment: bool,
    /// Decides the orders and the flips.
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
        Self {
            batch_size: 32,
            shuffle: false,
            augment: false,
            seed: 0,
            workers: 2,
            prefetch: 4,
            merge_last_single: false,
        }
    }
}

/// Makes the batches of any epoch of a dataset.
#[derive(Debug, Clone)]
pub struct Loader {
    pub(crate) pixels: Pixels,
    pub(crate) options: LoaderOptions,
}

/// An image to load and how it is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its position in the dataset.
    pub index: u32,
    /// How it is mirrored.
    pub flips: Flips,
}

impl Loader {
    /// A loader of `dataset`.
    ///
    /// # Errors
    /// If the dataset is empty, the batch size is 0, or the transform makes no sense.
    pub fn new(
        dataset: impl Into<Arc<Dataset>>,
        transform: Transform,
        options: LoaderOptions,
    ) -> Result<Self, DataError> {
        transform.validate()?;
        let dataset = dataset.into();
        if dataset.is_empty() {
            return Err(DataError::Invalid("there are no images to make batches of".into()));
        }
        if options.batch_size == 0 {
            return Err(DataError::Invalid("the batch size must be at least 1".into()));
        }
        Ok(Self { pixels: Pixels::new(dataset, transform), options })
    }

    /// The same, keeping images of files in `cache`: resized, before flips. The batches stay the same.
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
    pub fn transform(&self) -> &Transform {
        &self.pixels.transform
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

    /// What tells each image from all others, as this loader reads it: its content, the channels, the size. Every file
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
        let LoaderOptions { shuffle, augment, seed, .. } = self.options;
        let n = self.dataset().len();
        let order = if shuffle {
            Rng::new(seed, Stream::Shuffle, epoch, 0).permutation(n)
        } else {
            (0..n as u32).collect()
        };
        let flips = |index| self.transform().flips(&mut Rng::new(seed, Stream::Augment, epoch, index));
        let sample = |&index| Sample { index, flips: if augment { flips(index) } else { Flips::default() } };
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
