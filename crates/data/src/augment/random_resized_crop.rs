//! A part of the image, stretched to the input's size.

use std::ops::RangeInclusive;

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Rectangle, Size, parameters, pixels};

/// Crop a part of random area and proportions, and resize it to the input: torchvision's `RandomResizedCrop`.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomResizedCrop {
    /// The part's area, as a share of the image's.
    pub scale: RangeInclusive<f64>,
    /// The part's width by its height.
    pub ratio: RangeInclusive<f64>,
}

impl Default for RandomResizedCrop {
    /// torchvision's.
    fn default() -> Self {
        Self::new(0.08..=1.0)
    }
}

impl RandomResizedCrop {
    /// With shares of the area from `scale`, and torchvision's proportions, from 3:4 to 4:3.
    #[must_use]
    pub const fn new(scale: RangeInclusive<f64>) -> Self {
        Self { scale, ratio: 3.0 / 4.0..=4.0 / 3.0 }
    }

    /// A part that fits into the image, if one is found in ten attempts.
    fn attempt(&self, rng: &mut Rng, (height, width): Size) -> Option<Rectangle> {
        (0..10).find_map(|_| {
            let (h, w) =
                random_rectangle(rng, (height, width), &self.scale, &self.ratio, |ratio| 1.0 / ratio);
            let fits = (1..=width).contains(&w) && (1..=height).contains(&h);
            fits.then(|| place(rng, (height, width), (h, w)))
        })
    }

    /// The largest part in the middle whose proportions are allowed.
    fn middle(&self, (height, width): Size) -> Rectangle {
        let ratio = width as f64 / height as f64;
        let (h, w) = if ratio < *self.ratio.start() {
            (pixels(width as f64 / self.ratio.start()), width)
        } else if ratio > *self.ratio.end() {
            (height, pixels(height as f64 * self.ratio.end()))
        } else {
            (height, width)
        };
        let (h, w) = (h.clamp(1, height), w.clamp(1, width));
        Rectangle { top: (height - h) / 2, left: (width - w) / 2, height: h, width: w }
    }
}

/// Height and width of a rectangle whose share of an image of `size` is uniform in `scale`; its proportions are so on a
/// logarithmic scale. `tall` gives height by width from a drawn proportion.
pub(super) fn random_rectangle(
    rng: &mut Rng,
    size: Size,
    scale: &RangeInclusive<f64>,
    ratio: &RangeInclusive<f64>,
    tall: impl Fn(f64) -> f64,
) -> (usize, usize) {
    let area = (size.0 * size.1) as f64 * rng.uniform_f64(*scale.start(), *scale.end());
    let tall = tall(libm::exp(rng.uniform_f64(libm::log(*ratio.start()), libm::log(*ratio.end()))));
    (pixels((area * tall).sqrt()), pixels((area / tall).sqrt()))
}

/// A rectangle of `part` (height, width) anywhere in an image of `size`, in which it fits.
pub(super) fn place(rng: &mut Rng, size: Size, part: (usize, usize)) -> Rectangle {
    let mut shift = |whole: usize, part: usize| rng.below((whole - part + 1) as u32) as usize;
    let (top, left) = (shift(size.0, part.0), shift(size.1, part.1));
    Rectangle { top, left, height: part.0, width: part.1 }
}

impl Augmentation for RandomResizedCrop {
    fn name(&self) -> &'static str {
        "random_resized_crop"
    }

    fn smallest_crop(&self) -> Option<f64> {
        Some(*self.scale.start())
    }

    fn crop(&self, drawn: u32, size: Size) -> Option<Rectangle> {
        Some(self.attempt(&mut parameters(drawn), size).unwrap_or_else(|| self.middle(size)))
    }
}
