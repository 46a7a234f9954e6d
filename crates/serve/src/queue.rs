//! Images of many requests, computed together.
//!
//! A batch is what has come while the batch before was computed, and what comes within a short wait: so the batches grow
//! with the load, and a lone request waits for almost nothing (Crankshaw et al. 2017, "Clipper", calls it adaptive
//! batching).

use crate::live::Live;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::settings::Settings;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use wellfit_data::{DataError, ImageRef};
use wellfit_run::{Classifier, Prediction, Predictor};

/// The answers to the images of a request.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Who answered.
    pub classifier: Arc<Classifier>,
    /// For each image what it shows, or why it is none.
    pub predictions: Vec<Result<Prediction, String>>,
}

/// The images of a request on their way.
struct Job {
    images: Vec<ImageRef>,
    reply: oneshot::Sender<Result<Answered, Refusal>>,
    /// Its place, given back when it is answered.
    _place: OwnedSemaphorePermit,
}

/// Takes images, so many at most.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
    most: usize,
    /// Gone when the thread is.
    worker: Weak<()>,
}

impl Queue {
    /// A queue and the thread that computes. The thread ends when the last copy of the queue is gone and all that was
    /// taken is answered.
    pub fn start(
        live: Arc<Live>,
        settings: &Settings,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, taken) = channel();
        let most = settings.queue;
        let alive = Arc::new(());
        let alive_too = Arc::downgrade(&alive);
        let worker = Worker { live, taken, settings: settings.clone(), metrics, _alive: alive };
        let thread = std::thread::Builder::new().name("batches".to_owned()).spawn(move || worker.run())?;
        Ok((Self { jobs, places: Arc::new(Semaphore::new(most)), most, worker: alive_too }, thread))
    }

    /// The answers to these images; refused if there is no place for them.
    pub async fn answers(&self, images: Vec<ImageRef>) -> Result<Answered, Refusal> {
        let count = images.len();
        if count > self.most {
            let most = self.most;
            return Err(Refusal::bad(format!("{count} images in a request are more than {most}")));
        }
        let places = Arc::clone(&self.places);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let place = places.try_acquire_many_owned(count).map_err(|_| Refusal::busy())?;
        let (reply, answer) = oneshot::channel();
        let ended = || Refusal::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "the server is ending");
        self.jobs.send(Job { images, reply, _place: place }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Whether somebody computes.
    pub fn is_alive(&self) -> bool {
        self.worker.strong_count() > 0
    }

    /// How many images wait or are computed.
    pub fn waiting(&self) -> usize {
        self.most - self.places.available_permits()
    }
}

struct Worker {
    live: Arc<Live>,
    taken: Receiver<Job>,
    settings: Settings,
    metrics: Arc<Metrics>,
    _alive: Arc<()>,
}

impl Worker {
    fn run(self) {
        let mut next = None;
        loop {
            let classifier = self.live.current();
            let predictor = classifier.predictor();
            loop {
                let Some(batch) = next.take().or_else(|| self.batch()) else { return };
                if !Arc::ptr_eq(&classifier, &self.live.current()) {
                    next = Some(batch);
                    break;
                }
                match &predictor {
                    Ok(predictor) => self.compute(&classifier, predictor, batch),
                    Err(problem) => refuse(batch, &problem.to_string()),
                }
            }
        }
    }

    /// What has come, and what comes in a moment; none when nothing will.
    fn batch(&self) -> Option<Vec<Job>> {
        let mut batch = vec![self.taken.recv().ok()?];
        let mut count = batch[0].images.len();
        let until = Instant::now() + self.settings.batch_wait;
        while count < self.settings.batch {
            match self.taken.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(job) => {
                    count += job.images.len();
                    batch.push(job);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Some(batch)
    }

    fn compute(&self, classifier: &Arc<Classifier>, predictor: &Predictor<'_>, mut batch: Vec<Job>) {
        // Nobody waits for them any more.
        batch.retain(|job| !job.reply.is_closed());
        let images: Vec<ImageRef> = batch.iter().flat_map(|job| job.images.iter().cloned()).collect();
        if images.is_empty() {
            return;
        }
        let began = Instant::now();
        let outcomes = predictor.images(&images);
        self.metrics.batch(images.len(), began.elapsed());
        let mut outcomes = match outcomes {
            Ok(outcomes) => outcomes.into_iter(),
            Err(problem) => return refuse(batch, &problem.to_string()),
        };
        for job in batch {
            let own = outcomes.by_ref().take(job.images.len());
            let predictions = own.map(|outcome| outcome.map_err(reason)).collect();
            let answered = Answered { classifier: Arc::clone(classifier), predictions };
            // Whoever has gone needs no answer.
            let _ = job.reply.send(Ok(answered));
        }
    }
}

/// What is wrong with an image, without its name.
pub(crate) fn reason(problem: DataError) -> String {
    match problem {
        DataError::Image(problem) => problem.reason(),
        other => other.to_string(),
    }
}

fn refuse(batch: Vec<Job>, problem: &str) {
    for job in batch {
        let _ = job.reply.send(Err(Refusal::failed(problem)));
    }
}
