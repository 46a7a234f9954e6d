//! From a decoded picture to the numbers a network sees, as torchvision's
//! `Resize → RandomHorizontalFlip → RandomVerticalFlip → ToTensor → Normalize`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wellfit_rng::Rng;

use crate::decode::RawImage;
use crate::error::DataError;
use crate::resize::resize_bilinear;

/// How a picture becomes an input: size, channels, random flips, standardisation.
///
/// ```
/// use wellfit_data::{RawImage, Transform};
/// let grey = RawImage { height: 2, width: 2, channels: 1, pixels: vec![0, 255, 255, 0] };
/// let plain = Transform {
///     size: (2, 2), channels: 1, hflip: false, vflip: false, mean: vec![0.5], std: vec![0.5],
/// };
/// let mut out = [0.0; 4];
/// plain.apply(&grey, None, &mut out);
/// assert_eq!(out, [-1.0, 1.0, 1.0, -1.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transform {
    /// Height and width of the result, in pixels; the picture's proportions are not kept.
    pub size: (usize, usize),
    /// 1 (grey) or 3 (RGB). Colour becomes grey as Pillow's `convert("L")`, grey becomes three equal channels.
    pub channels: usize,
    /// Mirror left and right half of the time, in training.
    pub hflip: bool,
    /// Mirror top and bottom half of the time, in training.
    pub vflip: bool,
    /// What is subtracted from each channel, in units of the range 0–1.
    pub mean: Vec<f32>,
    /// What each channel is divided by, in units of the range 0–1.
    pub std: Vec<f32>,
}

/// Which ways an image is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flips {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

impl Transform {
    /// RGB of `size` (height, width) without flips, standardised with the statistics of ImageNet that every
    /// torchvision model was trained with.
    #[must_use]
    pub fn imagenet(size: (usize, usize)) -> Self {
        let (mean, std) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
        Self { size, channels: 3, hflip: false, vflip: false, mean, std }
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// Names the setting that does not, and what it must be.
    pub fn validate(&self) -> Result<(), DataError> {
        let Self { size, channels, mean, std, .. } = self;
        let problem = if size.0 == 0 || size.1 == 0 {
            format!("the image size {size:?} must be at least (1, 1)")
        } else if ![1, 3].contains(channels) {
            format!("images have 1 or 3 channels, not {channels}")
        } else if mean.len() != *channels || std.len() != *channels {
            format!("mean {mean:?} and std {std:?} must have one number for each of the {channels} channels")
        } else if !mean.iter().all(|m| m.is_finite()) || !std.iter().all(|s| s.is_finite() && *s > 0.0) {
            format!("mean {mean:?} must be finite and std {std:?} positive")
        } else {
            return Ok(());
        };
        Err(DataError::Invalid(problem))
    }

    /// Write the transformed `image` to `out`, height · width · channels numbers, channels innermost.
    ///
    /// The order is torchvision's: channels, resize, flips, value / 255, (value − mean) / std. With `rng`
    /// (training) the flips are drawn; without (evaluation) nothing flips.
    ///
    /// # Panics
    /// If `out` has another length, or the settings do not [`validate`](Self::validate).
    pub fn apply(&self, image: &RawImage, rng: Option<&mut Rng>, out: &mut [f32]) {
        assert_eq!(out.len(), self.size.0 * self.size.1 * self.channels, "one image of {:?}", self.size);
        let flips = rng.map_or(Flips::default(), |rng| self.flips(rng));
        let size = (image.height, image.width, image.channels);
        self.standardize(&self.levels(), &self.resized(&image.pixels, size), flips, out);
    }

    /// Draw the flips: each enabled one is a coin, the horizontal one first.
    pub fn flips(&self, rng: &mut Rng) -> Flips {
        let horizontal = self.hflip && rng.coin();
        Flips { horizontal, vertical: self.vflip && rng.coin() }
    }

    /// The first half: the pixels of an image of (height, width, channels) with the right channels and size.
    pub(crate) fn resized<'a>(&self, pixels: &'a [u8], from: (usize, usize, usize)) -> Cow<'a, [u8]> {
        let (height, width, channels) = from;
        let pixels = with_channels(pixels, channels, self.channels);
        if (height, width) == self.size {
            return pixels;
        }
        resize_bilinear(&pixels, (height, width), self.channels, self.size).into()
    }

    /// The second half: flip and standardise [`resized`](Self::resized) pixels.
    pub(crate) fn standardize(&self, levels: &[Levels], pixels: &[u8], flips: Flips, out: &mut [f32]) {
        match self.channels {
            1 => self.look_up::<1>(levels, pixels, flips, out),
            _ => self.look_up::<3>(levels, pixels, flips, out),
        }
    }

    fn look_up<const C: usize>(&self, levels: &[Levels], pixels: &[u8], flips: Flips, out: &mut [f32]) {
        let (height, width) = self.size;
        let levels: [&Levels; C] = std::array::from_fn(|c| &levels[c]);
        let lookup = |(out, pixel): (&mut [f32; C], &[u8; C])| {
            *out = std::array::from_fn(|c| levels[c][usize::from(pixel[c])]);
        };
        for (y, out) in out.chunks_exact_mut(width * C).enumerate() {
            let row = &pixels[if flips.vertical { height - 1 - y } else { y } * width * C..][..width * C];
            let (out, row) = (out.as_chunks_mut().0.iter_mut(), row.as_chunks().0.iter());
            if flips.horizontal {
                out.zip(row.rev()).for_each(lookup);
            } else {
                out.zip(row).for_each(lookup);
            }
        }
    }

    /// The result of each of the 256 grey levels, by channel: the arithmetic is done once, in the same order
    /// and precision as torch.
    pub(crate) fn levels(&self) -> Vec<Levels> {
        let channel = |(mean, std)| std::array::from_fn(|v| (v as f32 / 255.0 - mean) / std);
        self.mean.iter().zip(&self.std).map(channel).collect()
    }
}

/// What each of the 256 grey levels of a channel becomes.
pub(crate) type Levels = [f32; 256];

/// Pixels with another number of channels.
fn with_channels(pixels: &[u8], from: usize, to: usize) -> Cow<'_, [u8]> {
    match (from, to) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        _ => Cow::Borrowed(pixels),
    }
}

/// ITU-R 601 luma with 16 fractional bits, as Pillow's `convert("L")`.
fn luma(rgb: &[u8]) -> u8 {
    let weighted = |i: usize, weight: u32| u32::from(rgb[i]) * weight;
    ((weighted(0, 19595) + weighted(1, 38470) + weighted(2, 7471) + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_rng::Stream;

    fn plain(hflip: bool, vflip: bool) -> Transform {
        Transform { size: (2, 2), channels: 1, hflip, vflip, mean: vec![0.0], std: vec![1.0 / 255.0] }
    }

    fn run(transform: &Transform, rng: Option<&mut Rng>) -> Vec<u8> {
        let image = RawImage { height: 2, width: 2, channels: 1, pixels: vec![1, 2, 3, 4] };
        let mut out = [0.0; 4];
        transform.apply(&image, rng, &mut out);
        out.map(|v| v.round() as u8).to_vec()
    }

    #[test]
    fn each_flip_is_its_own_coin_and_only_in_training() {
        let both = plain(true, true);
        assert_eq!(run(&both, None), [1, 2, 3, 4]);
        let mut seen = [0; 4];
        for index in 0..400 {
            let mut coins = Rng::new(0, Stream::Augment, 0, index);
            let (mirror, flip) = (coins.coin(), coins.coin());
            let got = run(&both, Some(&mut Rng::new(0, Stream::Augment, 0, index)));
            let want = match (mirror, flip) {
                (false, false) => [1, 2, 3, 4],
                (true, false) => [2, 1, 4, 3],
                (false, true) => [3, 4, 1, 2],
                (true, true) => [4, 3, 2, 1],
            };
            assert_eq!(got, want);
            seen[usize::from(mirror) * 2 + usize::from(flip)] += 1;
        }
        // Five standard errors of a count with n = 400, p = 1/4.
        assert!(seen.iter().all(|n: &i32| (n - 100).abs() < 44), "{seen:?}");
    }

    #[test]
    fn a_disabled_flip_draws_nothing() {
        for index in 0..50 {
            let mut rng = Rng::new(0, Stream::Augment, 0, index);
            let flipped = rng.clone().coin();
            assert_eq!(
                run(&plain(false, true), Some(&mut rng)),
                if flipped { [3, 4, 1, 2] } else { [1, 2, 3, 4] }
            );
        }
    }

    #[test]
    fn colour_and_grey_convert_both_ways() {
        assert_eq!(*with_channels(&[255, 0, 0], 3, 1), [76]);
        assert_eq!(*with_channels(&[9], 1, 3), [9, 9, 9]);
    }

    #[test]
    fn nonsense_is_named() {
        let good = Transform::imagenet((224, 224));
        assert!(good.validate().is_ok());
        for (bad, word) in [
            (Transform { size: (0, 1), ..good.clone() }, "size"),
            (Transform { channels: 2, ..good.clone() }, "channels"),
            (Transform { mean: vec![0.5], ..good.clone() }, "each of the 3"),
            (Transform { std: vec![1.0, 0.0, 1.0], ..good }, "positive"),
        ] {
            let message = bad.validate().unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
