//! Counters of time and multiply-adds, shared by all threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

static ON: AtomicBool = AtomicBool::new(false);
static NANOSECONDS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
/// In f32, then in shorter numbers.
static MULTIPLY_ADDS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Kinds of work within tasks.
#[derive(Clone, Copy)]
pub enum Work {
    /// Whole tasks, whatever they do.
    Tasks,
    /// Matrix products.
    Products,
    /// Operands brought into order.
    Packing,
    /// Winograd's transforms.
    Transforms,
    /// Passes over tensors, part of everything else.
    Passes,
}

/// The time of all threads together, by what they did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Profile {
    /// Matrix products, with what is done to their sums before they are written.
    pub products: Duration,
    /// Operands brought into the order a product reads them in.
    pub packing: Duration,
    /// Winograd's transforms of inputs, weights and outputs, the outputs being finished there.
    pub transforms: Duration,
    /// Everything else within tasks: normalisation, pooling, losses, the optimiser.
    pub elementwise: Duration,
    /// Of that, passes over tensors whose bytes are counted.
    pub passes: Duration,
    /// Bytes that these read and write.
    pub bytes: u64,
    /// Multiply-adds done in products of f32, and in those of bf16.
    pub multiply_adds: [u64; 2],
}

impl Profile {
    /// The time of all tasks.
    #[must_use]
    pub fn busy(&self) -> Duration {
        self.products + self.packing + self.transforms + self.elementwise
    }
}

/// Count from zero from here on.
pub fn start() {
    NANOSECONDS.iter().for_each(|count| count.store(0, Relaxed));
    MULTIPLY_ADDS.iter().for_each(|count| count.store(0, Relaxed));
    BYTES.store(0, Relaxed);
    ON.store(true, Relaxed);
}

/// Stop counting and return what was counted. No kernel may be running.
pub fn stop() -> Profile {
    ON.store(false, Relaxed);
    let time = |work: Work| Duration::from_nanos(NANOSECONDS[work as usize].load(Relaxed));
    let [products, packing, transforms] = [Work::Products, Work::Packing, Work::Transforms].map(time);
    Profile {
        products,
        packing,
        transforms,
        elementwise: time(Work::Tasks).saturating_sub(products + packing + transforms),
        passes: time(Work::Passes),
        bytes: BYTES.load(Relaxed),
        multiply_adds: [0, 1].map(|kind: usize| MULTIPLY_ADDS[kind].load(Relaxed)),
    }
}

/// A piece of work being timed.
pub struct Watch(Option<Instant>);

impl Watch {
    /// Start timing, if anything is counted.
    #[must_use]
    #[inline]
    pub fn start() -> Self {
        Self(ON.load(Relaxed).then(Instant::now))
    }

    /// Count the time since the start as `work`.
    #[inline]
    pub fn stop(self, work: Work) {
        if let Some(start) = self.0 {
            NANOSECONDS[work as usize].fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        }
    }

    /// It was a pass that read and wrote so many bytes.
    #[inline]
    pub fn pass(self, bytes: usize) {
        if self.0.is_some() {
            BYTES.fetch_add(bytes as u64, Relaxed);
        }
        self.stop(Work::Passes);
    }

    /// It was a product of so many multiply-adds of numbers that are stored as `E`.
    #[inline]
    pub fn product<E>(self, multiply_adds: usize) {
        if self.0.is_some() {
            let kind = usize::from(size_of::<E>() < size_of::<f32>());
            MULTIPLY_ADDS[kind].fetch_add(multiply_adds as u64, Relaxed);
        }
        self.stop(Work::Products);
    }
}
