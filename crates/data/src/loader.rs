//! Batches made ahead of the training step, the same ones whatever the number of threads.
//!
//! Worker w of W makes the batches w, w + W, w + 2W, … of an epoch into a queue of its own, and the consumer
//! takes from the queues in turn. So batches arrive in order with no sorting, and since each sample's order
//! and randomness are functions of (seed, epoch, sample), they do not depend on W either.

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::path::{self, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use wellfit_rng::{Rng, Stream};

use crate::batch::Batch;
use crate::cache::{Cache, Key};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::transform::{Flips, Transform};

/// Part of every key: another number when decoding or resizing give other pixels than before.
const PIXELS_VERSION: u32 = 1;

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
    dataset: Arc<Dataset>,
    transform: Transform,
    options: LoaderOptions,
    cache: Cache,
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
        Ok(Self { dataset, transform, options, cache: Cache::off() })
    }

    /// The same, keeping images of files in `cache`: resized, before flips. The batches stay the same.
    #[must_use]
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache, ..self }
    }

    /// Where images are kept.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// How an image becomes an input.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// How many batches an epoch has.
    #[must_use]
    pub fn batches(&self) -> usize {
        let (n, size) = (self.dataset.len(), self.options.batch_size);
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

    /// What is in the batches of an epoch. Each depends on the seed, the epoch and the image alone.
    #[must_use]
    pub fn plan(&self, epoch: u32) -> Vec<Vec<Sample>> {
        let LoaderOptions { shuffle, augment, seed, .. } = self.options;
        let n = self.dataset.len();
        let order = if shuffle {
            Rng::new(seed, Stream::Shuffle, epoch, 0).permutation(n)
        } else {
            (0..n as u32).collect()
        };
        let flips = |index| self.transform.flips(&mut Rng::new(seed, Stream::Augment, epoch, index));
        let sample = |&index| Sample { index, flips: if augment { flips(index) } else { Flips::default() } };
        (0..self.batches()).map(|batch| order[self.range(batch)].iter().map(sample).collect()).collect()
    }

    /// Any batches, made ahead like those of an epoch.
    #[must_use]
    pub fn load(&self, batches: Vec<Vec<Sample>>) -> Epoch {
        Epoch::start(Job { loader: self.clone(), batches, stop: AtomicBool::new(false) })
    }

    /// Do `work` with the resized pixels of an image, from the cache or its file.
    fn with_pixels(&self, index: usize, work: impl FnOnce(&[u8])) -> Result<(), DataError> {
        let path = self.dataset.path(index).filter(|_| self.cache.is_on());
        let key = path.and_then(|path| self.key(path));
        if let Some(pixels) = key.and_then(|key| self.cache.get(&key)) {
            work(&pixels);
            return Ok(());
        }
        let image = self.dataset.image(index)?;
        let pixels = self.transform.resized(&image);
        if let Some(key) = key {
            self.cache.put(key, &pixels);
        }
        work(&pixels);
        Ok(())
    }

    /// The key of a file's resized pixels: the file is known by its place, length and time. None if it has none.
    fn key(&self, path: &Path) -> Option<Key> {
        let file = fs::metadata(path).ok()?;
        let modified = file.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
        let ((height, width), channels) = (self.transform.size, self.transform.channels);
        let place = path::absolute(path).ok()?;
        let numbers = format!("{height} {width} {channels} {} {modified} {PIXELS_VERSION}", file.len());
        Some(Key::of(&[b"pixels of", place.as_os_str().as_encoded_bytes(), numbers.as_bytes()]))
    }

    /// Which part of an epoch's order a batch covers; the last takes all that is left.
    fn range(&self, batch: usize) -> Range<usize> {
        let start = batch * self.options.batch_size;
        let end =
            if batch + 1 == self.batches() { self.dataset.len() } else { start + self.options.batch_size };
        start..end
    }
}

/// The batches of one epoch, in order. After an error there are no more.
///
/// Dropping it stops the workers, each after at most the image it is decoding.
#[derive(Debug)]
pub struct Epoch {
    job: Arc<Job>,
    next: usize,
    end: usize,
    waited: Duration,
    /// One a worker, in turn; none if the consumer makes the batches.
    queues: VecDeque<Receiver<Result<Batch, DataError>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Epoch {
    fn start(job: Job) -> Self {
        let LoaderOptions { workers, prefetch, .. } = job.loader.options;
        let (end, job) = (job.batches.len(), Arc::new(job));
        let (mut queues, mut threads) = (VecDeque::new(), Vec::new());
        for worker in 0..workers {
            let (sender, queue) = sync_channel(prefetch.div_ceil(workers));
            let job = Arc::clone(&job);
            let work = move || job.send_batches((worker..end).step_by(workers), &sender);
            // A thread that cannot start leaves a closed queue, which the consumer reports.
            threads.extend(thread::Builder::new().name(format!("loader {worker}")).spawn(work));
            queues.push_back(queue);
        }
        Self { job, next: 0, end, waited: Duration::ZERO, queues, threads }
    }

    /// How long the consumer has waited for batches so far (without workers: how long it took to make them).
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    fn take(&mut self) -> Result<Batch, DataError> {
        let Some(queue) = self.queues.front() else { return self.job.batch(self.next) };
        let result = queue.recv().unwrap_or(Err(DataError::WorkerDied));
        self.queues.rotate_left(1);
        result
    }
}

impl Iterator for Epoch {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let asked = Instant::now();
        let result = self.take();
        self.waited += asked.elapsed();
        self.next = if result.is_ok() { self.next + 1 } else { self.end };
        Some(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end.saturating_sub(self.next);
        (0, Some(left))
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.job.stop.store(true, Ordering::Relaxed);
        self.queues.clear(); // wakes the workers that wait for room
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What the workers of an epoch share.
#[derive(Debug)]
struct Job {
    loader: Loader,
    batches: Vec<Vec<Sample>>,
    stop: AtomicBool,
}

impl Job {
    /// A worker's life: make its batches and queue them, until the consumer goes away or an error.
    fn send_batches(
        &self,
        batches: impl Iterator<Item = usize>,
        queue: &SyncSender<Result<Batch, DataError>>,
    ) {
        for batch in batches {
            let result = self.batch(batch);
            let failed = result.is_err();
            if queue.send(result).is_err() || failed {
                return;
            }
        }
    }

    fn batch(&self, batch: usize) -> Result<Batch, DataError> {
        let Loader { dataset, transform, .. } = &self.loader;
        let samples = &self.batches[batch];
        let ((height, width), channels) = (transform.size, transform.channels);
        let levels = transform.levels();
        let mut images = Vec::with_capacity(samples.len() * height * width * channels);
        for sample in samples {
            if self.stop.load(Ordering::Relaxed) {
                return Err(DataError::WorkerDied); // nobody is left to read it
            }
            self.loader.with_pixels(sample.index as usize, |pixels| {
                transform.standardize(&levels, pixels, sample.flips, &mut images);
            })?;
        }
        let indices: Vec<u32> = samples.iter().map(|sample| sample.index).collect();
        let labels = indices.iter().map(|&index| dataset.labels[index as usize]).collect();
        Ok(Batch { images, shape: [indices.len(), height, width, channels], labels, indices })
    }
}
