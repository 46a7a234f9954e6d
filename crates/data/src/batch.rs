//! What a training step consumes.

/// Images and their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[n, height, width, channels]`, row-major: channels last, as files hold them.
    pub images: Vec<f32>,
    /// The shape of `images`.
    pub shape: [usize; 4],
    /// The class of each image.
    pub labels: Vec<u32>,
    /// The position of each image in the loader's dataset.
    pub indices: Vec<u32>,
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
