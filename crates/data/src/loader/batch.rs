//! A batch: the input of a training step.

use wellfit_simd::Buffer;

/// Images and their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[n, height, width, channels]`, row-major: channels last, as files hold them. The memory goes back to
    /// the pool of the network's values, so that the next batch need not ask the system for some. A loader that is
    /// [sharded](crate::Loader::sharded) has some of the images here only.
    pub images: Buffer,
    /// The shape of `images`.
    pub shape: [usize; 4],
    /// The class of each image.
    pub labels: Vec<u32>,
    /// What the images were mixed with, if they were.
    pub mixed: Option<Mixed>,
    /// The position of each image in the loader's dataset.
    pub indices: Vec<u32>,
}

/// The other half of mixed images.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// The class of what each image was mixed with.
    pub labels: Vec<u32>,
    /// The share of each image's own class in its target, from 0 to 1; the rest is the other class'.
    pub share: f64,
}

impl Batch {
    /// How many images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}
