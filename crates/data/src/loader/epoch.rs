//! Batches made ahead of the training step, the same ones whatever the number of threads.
//!
//! Worker w of W makes the batches w, w + W, w + 2W, … of an epoch into a queue of its own, and the consumer
//! takes from the queues in turn. So batches arrive in order with no sorting, and since each sample's order
//! and randomness are functions of (seed, epoch, sample), they do not depend on W either.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wellfit_simd::Buffer;

use super::batch::Batch;
use super::pixels::Pixels;
use super::prepare::Preparation;
use super::{Loader, LoaderOptions, Sample};
use crate::error::DataError;

/// The batches of one epoch, in order. After an error there are no more.
///
/// Dropping it stops the workers, each after at most the image it is decoding.
#[derive(Debug)]
pub struct Epoch {
    work: Arc<Work>,
    next: usize,
    end: usize,
    waited: Duration,
    /// One a worker, in turn; none if the consumer makes the batches.
    queues: VecDeque<Receiver<Result<Batch, DataError>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Epoch {
    pub(crate) fn start(loader: Loader, batches: Vec<Vec<Sample>>) -> Self {
        let LoaderOptions { workers, prefetch, .. } = loader.options;
        let end = batches.len();
        let work = Arc::new(Work { loader, batches, stop: AtomicBool::new(false) });
        let (mut queues, mut threads) = (VecDeque::new(), Vec::new());
        for worker in 0..workers {
            let (sender, queue) = sync_channel(prefetch.div_ceil(workers));
            let shared = Arc::clone(&work);
            let run = move || shared.send_batches((worker..end).step_by(workers), &sender);
            // A thread that cannot start leaves a closed queue, which the consumer reports.
            threads.extend(thread::Builder::new().name(format!("loader {worker}")).spawn(run));
            queues.push_back(queue);
        }
        Self { work, next: 0, end, waited: Duration::ZERO, queues, threads }
    }

    /// How long the consumer has waited for batches so far (without workers: how long it took to make them).
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    fn take(&mut self) -> Result<Batch, DataError> {
        let Some(queue) = self.queues.front() else { return self.work.batch(self.next) };
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
        self.work.stop.store(true, Ordering::Relaxed);
        self.queues.clear(); // wakes the workers that wait for room
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What the workers of an epoch share.
#[derive(Debug)]
struct Work {
    loader: Loader,
    batches: Vec<Vec<Sample>>,
    stop: AtomicBool,
}

impl Work {
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
        let Loader { pixels, augmentations, shards, .. } = &self.loader;
        let Pixels { dataset, preprocessing, .. } = pixels;
        let samples = &self.batches[batch];
        let ((height, width), channels) = (preprocessing.size, preprocessing.channels);
        let preparation = Preparation::new(preprocessing, augmentations);
        let size = height * width * channels;
        let own = shards.own_images(samples.len());
        // Where images are mixed with others of the batch, all of them are needed.
        let made = if augmentations.change_batches() { 0..samples.len() } else { own.clone() };
        let mut images = Buffer::scratch(made.len() * size);
        for (sample, out) in samples[made.clone()].iter().zip(images.chunks_exact_mut(size)) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(DataError::WorkerDied); // nobody is left to read it
            }
            pixels.with_pixels(sample.index as usize, |kept| preparation.prepare(sample, kept, out))?;
        }
        let indices: Vec<u32> = samples.iter().map(|sample| sample.index).collect();
        let labels = indices.iter().map(|&index| dataset.labels[index as usize]).collect();
        let mut batch =
            Batch { images, shape: [made.len(), height, width, channels], labels, mixed: None, indices };
        augmentations.change_batch(samples, &mut batch);
        if made != own {
            batch.images = Buffer::from_slice(&batch.images[own.start * size..own.end * size]);
            batch.shape[0] = own.len();
        }
        Ok(batch)
    }
}
