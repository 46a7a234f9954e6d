//! Batches made ahead of the training step, the same ones whatever the number of threads.
//!
//! Worker w of W makes the batches w, w + W, w + 2W, … of an epoch into a queue of its own, and the consumer
//! takes from the queues in turn. So batches arrive in order with no sorting, and since each sample's order
//! and randomness are functions of (seed, epoch, sample), they do not depend on W either.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wellfit_rng::{Rng, Stream};

use crate::batch::Batch;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::transform::Transform;

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
        Ok(Self { dataset, transform, options })
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
        let n = self.dataset.len();
        let order = if self.options.shuffle {
            Rng::new(self.options.seed, Stream::Shuffle, epoch, 0).permutation(n)
        } else {
            (0..n as u32).collect()
        };
        Epoch::start(Job { loader: self.clone(), epoch, order, stop: AtomicBool::new(false) }, first_batch)
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
    fn start(job: Job, first: usize) -> Self {
        let LoaderOptions { workers, prefetch, .. } = job.loader.options;
        let (end, job) = (job.loader.batches(), Arc::new(job));
        let (mut queues, mut threads) = (VecDeque::new(), Vec::new());
        for worker in 0..workers {
            let (sender, queue) = sync_channel(prefetch.div_ceil(workers));
            let job = Arc::clone(&job);
            let work = move || job.send_batches((first + worker..end).step_by(workers), &sender);
            // A thread that cannot start leaves a closed queue, which the consumer reports.
            threads.extend(thread::Builder::new().name(format!("loader {worker}")).spawn(work));
            queues.push_back(queue);
        }
        Self { job, next: first, end, waited: Duration::ZERO, queues, threads }
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
    epoch: u32,
    order: Vec<u32>,
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
        let indices = self.order[self.loader.range(batch)].to_vec();
        let ((height, width), channels) = (transform.size, transform.channels);
        let levels = transform.levels();
        let mut images = vec![0.0; indices.len() * height * width * channels];
        for (&index, out) in indices.iter().zip(images.chunks_exact_mut(height * width * channels)) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(DataError::WorkerDied); // nobody is left to read it
            }
            let mut rng = self.flips(index);
            transform.apply_with(&levels, &dataset.image(index as usize)?, rng.as_mut(), out);
        }
        let labels = indices.iter().map(|&index| dataset.labels[index as usize]).collect();
        Ok(Batch { images, shape: [indices.len(), height, width, channels], labels, indices })
    }

    fn flips(&self, index: u32) -> Option<Rng> {
        let LoaderOptions { augment, seed, .. } = self.loader.options;
        augment.then(|| Rng::new(seed, Stream::Augment, self.epoch, index))
    }
}
