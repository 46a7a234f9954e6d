//! The shape of one sample.

use std::fmt;

/// The shape of one sample: an image, or features as a 1×1 image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Height.
    pub height: usize,
    /// Width.
    pub width: usize,
    /// Channels, or features.
    pub channels: usize,
}

impl Shape {
    /// An image of `height` × `width` with `channels`.
    #[must_use]
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// A vector of features.
    #[must_use]
    pub fn features(count: usize) -> Self {
        Self { height: 1, width: 1, channels: count }
    }

    /// Floats in one sample.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Pixels in one sample.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.height * self.width
    }

    /// The shape behind `kernel`×`kernel` windows that move by `stride` over a border of `padding`:
    /// ⌊(size + 2·padding − kernel) / stride⌋ + 1 in height and width.
    #[must_use]
    pub fn windows(self, kernel: usize, stride: usize, padding: usize, channels: usize) -> Self {
        let out = |size: usize| (size + 2 * padding).saturating_sub(kernel) / stride + 1;
        Self::image(out(self.height), out(self.width), channels)
    }
}

/// As torch writes it, channels first, without the batch.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pixels() == 1 {
            write!(f, "[{}]", self.channels)
        } else {
            write!(f, "[{}, {}, {}]", self.channels, self.height, self.width)
        }
    }
}
