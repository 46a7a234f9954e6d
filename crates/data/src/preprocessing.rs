//! From a decoded picture to the numbers a network sees, as torchvision's `Resize → ToTensor → Normalize`, or with its
//! `CenterCrop` behind `Resize`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wellfit_images::{Depth, Interpolation, RawImage, resize, with_channels};

use crate::augment::Flips;
use crate::error::DataError;

/// How a picture becomes an input: size, channels, standardisation. It travels with the weights; what happens at
/// random in training are [`Augmentations`](crate::Augmentations).
///
/// Serialised by its fields, without the depth where that is the usual one. Files of version 0.1 have `hflip` and `vflip` beside them, which are left out of
/// account.
///
/// ```
/// use wellfit_data::Preprocessing;
/// use wellfit_images::RawImage;
/// let grey = RawImage { height: 2, width: 2, channels: 1, pixels: vec![0, 255, 255, 0], deep: false };
/// let (mean, std) = (vec![0.5], vec![0.5]);
/// let plain = Preprocessing::new((2, 2), 1, mean, std);
/// let mut out = [0.0; 4];
/// plain.apply(&grey, &mut out);
/// assert_eq!(out, [-1.0, 1.0, 1.0, -1.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Height and width of the result, in pixels; without [`resize`](Self::resize) the picture's proportions are not kept.
    pub size: (usize, usize),
    /// 1 (grey) or 3 (RGB). Colour becomes grey as Pillow's `convert("L")`, grey becomes three equal channels.
    pub channels: usize,
    /// What is subtracted from each channel, in units of the range 0–1.
    pub mean: Vec<f32>,
    /// What each channel is divided by, in units of the range 0–1.
    pub std: Vec<f32>,
    /// What becomes of grey of more than 8 bits when a file is decoded, which comes before all this: whoever decodes
    /// for [`apply`](Self::apply) does it so. Files without it are of versions that cut off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depth: Depth,
    /// The shorter side, in pixels, that a picture is resized to with its proportions before its middle is cut out:
    /// torchvision's `Resize(n)` and `CenterCrop(size)`. Without it the picture is stretched to `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// The filter of the resize. Files without it are of versions that had only the default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interpolation: Interpolation,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The mean of ImageNet's pixels by channel (RGB), in units of 0–1, that every torchvision model was trained with.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// The standard deviation that belongs to it.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

impl Preprocessing {
    /// Images stretched to `size` (height, width) of 1 or 3 channels, (value − mean) / std; the rest as usual.
    #[must_use]
    pub fn new(size: (usize, usize), channels: usize, mean: Vec<f32>, std: Vec<f32>) -> Self {
        let (depth, interpolation) = (Depth::default(), Interpolation::default());
        Self { size, channels, mean, std, depth, resize: None, interpolation }
    }

    /// RGB of `size` (height, width), standardised with the statistics of ImageNet.
    #[must_use]
    pub fn imagenet(size: (usize, usize)) -> Self {
        Self::new(size, 3, IMAGENET_MEAN.to_vec(), IMAGENET_STD.to_vec())
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// Names the setting that does not, and what it must be.
    pub fn validate(&self) -> Result<(), DataError> {
        let Self { size, channels, mean, std, resize, depth: _, interpolation: _ } = self;
        let problem = if size.0 == 0 || size.1 == 0 {
            format!("the image size {size:?} must be at least (1, 1)")
        } else if ![1, 3].contains(channels) {
            format!("images have 1 or 3 channels, not {channels}")
        } else if mean.len() != *channels || std.len() != *channels {
            format!("mean {mean:?} and std {std:?} must have one number for each of the {channels} channels")
        } else if !mean.iter().all(|m| m.is_finite()) || !std.iter().all(|s| s.is_finite() && *s > 0.0) {
            format!("mean {mean:?} must be finite and std {std:?} positive")
        } else if let Some(shorter) = resize.filter(|shorter| *shorter < size.0.max(size.1)) {
            format!("no {size:?} can be cut out of images whose shorter side is {shorter}")
        } else {
            return Ok(());
        };
        Err(DataError::Invalid(problem))
    }

    /// Write the prepared `image` to `out`, height · width · channels numbers, channels innermost.
    ///
    /// The order is torchvision's: channels, resize, value / 255, (value − mean) / std.
    ///
    /// # Panics
    /// If `out` has another length, or the settings do not [`validate`](Self::validate).
    pub fn apply(&self, image: &RawImage, out: &mut [f32]) {
        self.apply_flipped(image, Flips::default(), out);
    }

    /// As [`apply`](Self::apply), mirrored after the resize.
    ///
    /// # Panics
    /// As [`apply`](Self::apply).
    pub fn apply_flipped(&self, image: &RawImage, flips: Flips, out: &mut [f32]) {
        assert_eq!(out.len(), self.size.0 * self.size.1 * self.channels, "one image of {:?}", self.size);
        let size = (image.height, image.width, image.channels);
        self.standardize(&self.levels(), &self.resized(&image.pixels, size), flips, out);
    }

    /// The part of a picture that the network sees, at the size at which it does.
    #[must_use]
    pub fn seen(&self, image: &RawImage) -> RawImage {
        let from = (image.height, image.width, image.channels);
        let ((height, width), channels) = (self.size, self.channels);
        let pixels = self.resized(&image.pixels, from).into_owned();
        RawImage { height, width, channels, pixels, deep: image.deep }
    }

    /// The first half: the pixels of an image of (height, width, channels) with the right channels and size.
    pub(crate) fn resized<'a>(&self, pixels: &'a [u8], from: (usize, usize, usize)) -> Cow<'a, [u8]> {
        match self.resize {
            None => self.stretched(pixels, from),
            Some(shorter) => self.middle(pixels, from, shorter).into(),
        }
    }

    /// The middle of the image with its shorter side resized.
    fn middle(&self, pixels: &[u8], from: (usize, usize, usize), shorter: usize) -> Vec<u8> {
        let (height, width, channels) = from;
        let pixels = with_channels(pixels, channels, self.channels);
        let least = height.min(width).max(1);
        let (rows, columns) = (height * shorter / least, width * shorter / least);
        let whole = if (rows, columns) == (height, width) {
            pixels
        } else {
            self.resize_to(&pixels, (height, width), (rows, columns)).into()
        };
        // Python's `round`, which torchvision takes, rounds halves to even.
        let margin = |all: usize, part: usize| ((all - part) as f64 / 2.0).round_ties_even() as usize;
        let (top, left) = (margin(rows, self.size.0), margin(columns, self.size.1));
        let row = |y: usize| &whole[(y * columns + left) * self.channels..][..self.size.1 * self.channels];
        (top..top + self.size.0).flat_map(row).copied().collect()
    }

    /// An image of the right channels resized from (height, width) to (height, width).
    pub(crate) fn resize_to(&self, pixels: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
        resize(pixels, from, self.channels, to, self.interpolation)
    }

    /// All of the image, stretched to the size.
    pub(crate) fn stretched<'a>(&self, pixels: &'a [u8], from: (usize, usize, usize)) -> Cow<'a, [u8]> {
        let (height, width, channels) = from;
        let pixels = with_channels(pixels, channels, self.channels);
        if (height, width) == self.size {
            return pixels;
        }
        self.resize_to(&pixels, (height, width), self.size).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_mirrored_as_asked() {
        let image = RawImage { height: 2, width: 2, channels: 1, pixels: vec![1, 2, 3, 4], deep: false };
        let plain = Preprocessing::new((2, 2), 1, vec![0.0], vec![1.0 / 255.0]);
        for (horizontal, vertical, want) in [
            (false, false, [1, 2, 3, 4]),
            (true, false, [2, 1, 4, 3]),
            (false, true, [3, 4, 1, 2]),
            (true, true, [4, 3, 2, 1]),
        ] {
            let mut out = [0.0; 4];
            plain.apply_flipped(&image, Flips { horizontal, vertical }, &mut out);
            assert_eq!(out.map(|v| v.round() as u8), want);
        }
    }

    /// As version 0.1 wrote it into weights and `run.toml`; what is written now is the same without the flips.
    #[test]
    fn old_files_are_read_and_flips_are_left_to_training() {
        let old = r#"{"size":[2,3],"channels":1,"hflip":true,"vflip":false,"mean":[0.485],"std":[0.25]}"#;
        let read: Preprocessing = serde_json::from_str(old).unwrap();
        assert_eq!(read, Preprocessing::new((2, 3), 1, vec![0.485], vec![0.25]));
        let new = serde_json::to_string(&read).unwrap();
        assert_eq!(new, old.replace(r#""hflip":true,"vflip":false,"#, ""));
        assert!(serde_json::from_str::<Preprocessing>(r#"{"size": 7}"#).is_err());
        let scaled = Preprocessing { depth: Depth::Scale, ..read };
        let text = serde_json::to_string(&scaled).unwrap();
        assert_eq!(text, new.replace('}', r#","depth":"scale"}"#));
        assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), scaled);
        let cubic = Preprocessing { interpolation: Interpolation::Bicubic, ..scaled };
        let text = serde_json::to_string(&cubic).unwrap();
        assert!(text.ends_with(r#","depth":"scale","interpolation":"bicubic"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), cubic);
    }

    #[test]
    fn nonsense_is_named() {
        let good = Preprocessing::imagenet((224, 224));
        assert!(good.validate().is_ok());
        for (bad, word) in [
            (Preprocessing { size: (0, 1), ..good.clone() }, "size"),
            (Preprocessing { channels: 2, ..good.clone() }, "channels"),
            (Preprocessing { mean: vec![0.5], ..good.clone() }, "each of the 3"),
            (Preprocessing { resize: Some(223), ..good.clone() }, "shorter side is 223"),
            (Preprocessing { std: vec![1.0, 0.0, 1.0], ..good }, "positive"),
        ] {
            let message = bad.validate().unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
