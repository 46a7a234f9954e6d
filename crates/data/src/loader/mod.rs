//! What is in the batches of each epoch: an order, augmentations, a place to start from.

pub mod batch;
pub mod dataset;
mod epoch;
mod image_ref;
mod pack;
mod pixel_hash;
mod pixels;
mod prepare;
mod prints;
mod shards;

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
pub use image_ref::ImageRef;
pub use pack::{Pack, Place, Shared};
pub use pixel_hash::{PixelHash, PixelHashes};
pub(crate) use pixel_hash::{is_deep, pixel_hash};
use pixels::Pixels;
pub use shards::Shards;

/// Which images an epoch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampler {
    /// Each image once.
    #[default]
    Each,
    /// As many draws with replacement as there are images, every class alike: torch's `WeightedRandomSampler` with the
    /// weight 1 / (images of its class) for each image.
    Balanced,
}

/// How to make batches.
#[derive(Debug, Clone)]
pub struct LoaderOptions {
    /// Images in a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether each epoch has an order of its own; otherwise it is the dataset's.
    pub shuffle: bool,
    /// Which images an epoch has; matters only with `shuffle`.
    pub sampler: Sampler,
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
        Self {
            batch_size: 32,
            shuffle: false,
            sampler: Sampler::Each,
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
    pixels: Pixels,
    augmentations: Augmentations,
    options: LoaderOptions,
    shards: Shards,
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
        Ok(Self { pixels, augmentations, options, shards: Shards::default() })
    }

    /// The same, keeping images of files in `cache`, before augmentation. The batches stay the same.
    #[must_use]
    pub fn with_cache(mut self, cache: Cache) -> Self {
        self.pixels.cache = cache;
        self
    }

    /// The same for a process that computes some `shards` of each batch: its batches have the images of these alone, and the
    /// labels of all.
    #[must_use]
    pub fn sharded(self, shards: Shards) -> Self {
        Self { shards, ..self }
    }

    /// Which images of a batch are made.
    #[must_use]
    pub fn shards(&self) -> Shards {
        self.shards
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

    /// A loader of the images at these positions as validation sees them: in that order, without augmentation. They come
    /// from the same cache.
    ///
    /// # Errors
    /// If there are none.
    pub fn plain(&self, positions: &[u32]) -> Result<Self, DataError> {
        let options = LoaderOptions { shuffle: false, merge_last_single: false, ..self.options.clone() };
        let (dataset, preprocessing) = (self.dataset().subset(positions), self.preprocessing().clone());
        let loader = Self::new(dataset, preprocessing, Augmentations::none(), options)?;
        Ok(loader.with_cache(self.cache().clone()))
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
        let balanced = shuffle && self.options.sampler == Sampler::Balanced;
        let order = match shuffle {
            true if balanced => {
                balanced_draws(self.dataset(), &mut Rng::new(seed, Stream::Shuffle, epoch, 0))
            }
            true => Rng::new(seed, Stream::Shuffle, epoch, 0).permutation(n),
            false => (0..n as u32).collect(),
        };
        let sample = |place: usize| {
            let index = order[place];
            // An image that is drawn several times in an epoch is changed in another way each time.
            let own = if balanced { place as u32 } else { index };
            let choice = self.augmentations.draw(&mut Rng::new(seed, Stream::Augment, epoch, own));
            Sample { index, choice }
        };
        (0..self.batches()).map(|batch| self.range(batch).map(sample).collect()).collect()
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

/// As many images as there are, each drawn by its class first, of which those that have images are equally likely.
fn balanced_draws(data: &Dataset, rng: &mut Rng) -> Vec<u32> {
    let mut members = vec![Vec::new(); data.classes.len()];
    for (position, &label) in (0..).zip(&data.labels) {
        members[label as usize].push(position);
    }
    members.retain(|class: &Vec<u32>| !class.is_empty());
    let mut draw = || {
        let class = &members[rng.below(members.len() as u32) as usize];
        class[rng.below(class.len() as u32) as usize]
    };
    data.labels.iter().map(|_| draw()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocessing::Preprocessing;

    /// 90 images of one class, 10 of another, none of a third.
    fn balanced(seed: u64) -> Loader {
        let labels: Vec<u32> = (0..100).map(|i| u32::from(i % 10 == 0)).collect();
        let images = Images::Memory { height: 1, width: 1, channels: 1, pixels: Arc::new(vec![0; 100]) };
        let classes = ["common", "rare", "absent"].map(str::to_owned).to_vec();
        let data = Dataset::new(classes, labels, images).unwrap();
        let (size, mean, std) = ((1, 1), vec![0.0], vec![1.0]);
        let preprocessing = Preprocessing::new(size, 1, mean, std);
        let options = LoaderOptions {
            batch_size: 8,
            shuffle: true,
            sampler: Sampler::Balanced,
            seed,
            ..LoaderOptions::default()
        };
        Loader::new(data, preprocessing, Augmentations::none(), options).unwrap()
    }

    #[test]
    fn classes_are_drawn_alike_and_images_of_a_class_too() {
        let loader = balanced(3);
        let mut counts = vec![0_u32; 100];
        for epoch in 0..1000 {
            let plan = loader.plan(epoch);
            assert_eq!(plan.iter().map(Vec::len).sum::<usize>(), 100, "as many draws as images");
            plan.iter().flatten().for_each(|sample| counts[sample.index as usize] += 1);
        }
        // 100,000 draws: half are of the rare class, within 5 standard deviations of 158.
        let rare: u32 = counts.iter().step_by(10).sum();
        assert!((49_210..=50_790).contains(&rare), "{rare}");
        // 5000 of each rare image (deviation 69), 556 of each common one (deviation 24).
        for (image, &count) in counts.iter().enumerate() {
            let (low, high) = if image % 10 == 0 { (4655, 5345) } else { (436, 676) };
            assert!((low..=high).contains(&count), "{image}: {count}");
        }
    }

    #[test]
    fn draws_follow_from_seed_and_epoch() {
        assert_eq!(balanced(3).plan(2), balanced(3).plan(2));
        assert_ne!(balanced(3).plan(2), balanced(3).plan(1));
        assert_ne!(balanced(3).plan(2), balanced(4).plan(2));
    }
}
