//! Numbers for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The bounds of times, in seconds.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// The bounds of images in a batch.
const IMAGES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answer {
    path: &'static str,
    code: u16,
}

/// What is counted and measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    request_seconds: Histogram,
    images: Counter,
    batch_images: Histogram,
    batch_seconds: Histogram,
    waiting: Gauge,
    reloads: Counter,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("wellfit");
        let requests = Family::default();
        let (images, reloads, waiting) = (Counter::default(), Counter::default(), Gauge::default());
        let request_seconds = Histogram::new(SECONDS);
        let (batch_seconds, batch_images) = (Histogram::new(SECONDS), Histogram::new(IMAGES));
        registry.register("requests", "Requests by path and status", requests.clone());
        let help = "Time from a request's header to its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, request_seconds.clone());
        registry.register("images", "Images that were computed", images.clone());
        registry.register("batch_images", "Images in a batch", batch_images.clone());
        let help = "Time to decode and compute a batch";
        registry.register_with_unit("batch_duration", help, Unit::Seconds, batch_seconds.clone());
        registry.register("images_waiting", "Images that wait or are computed", waiting.clone());
        registry.register("reloads", "How often new weights were loaded", reloads.clone());
        Self { registry, requests, request_seconds, images, batch_images, batch_seconds, waiting, reloads }
    }

    pub fn request(&self, path: &'static str, code: u16, took: Duration) {
        self.requests.get_or_create(&Answer { path, code }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    pub fn batch(&self, images: usize, took: Duration) {
        self.images.inc_by(images as u64);
        self.batch_images.observe(images as f64);
        self.batch_seconds.observe(took.as_secs_f64());
    }

    pub fn reload(&self) {
        self.reloads.inc();
    }

    /// All of it in Prometheus' text format.
    pub fn text(&self, waiting: usize) -> String {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
