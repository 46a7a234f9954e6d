//! From what is kept of an image to a network's input: crop, resize, augmentation, standardisation.

use std::borrow::Cow;

use super::Sample;
use super::pixels::Kept;
use crate::augment::ops::Image;
use crate::augment::{Augmentations, Effect, Flips, Rectangle};
use crate::preprocessing::{Levels, Preprocessing};

/// Makes inputs; for a batch it is made once.
pub(super) struct Preparation<'a> {
    preprocessing: &'a Preprocessing,
    augmentations: &'a Augmentations,
    levels: Vec<Levels>,
}

impl<'a> Preparation<'a> {
    pub fn new(preprocessing: &'a Preprocessing, augmentations: &'a Augmentations) -> Self {
        Self { preprocessing, augmentations, levels: preprocessing.levels() }
    }

    /// Write the input of `sample`, of whose image `kept` is at hand, to `out`.
    pub fn prepare(&self, sample: &Sample, kept: Kept<'_>, out: &mut [f32]) {
        let (size, channels) = (self.preprocessing.size, self.preprocessing.channels);
        let mut pixels = self.input_pixels(sample, kept);
        let (mut flips, mut erased) = (Flips::default(), Vec::new());
        for effect in self.augmentations.effects(sample.choice, size) {
            match effect {
                Effect::Nothing => {}
                Effect::Flip(more) => flips = flips.followed_by(more),
                Effect::Erase(part) => erased.push(part),
                Effect::Change(ops) => {
                    let mut image = Image { size, channels, pixels: pixels.into_owned() };
                    image.flip(std::mem::take(&mut flips));
                    ops.into_iter().for_each(|op| op.apply(&mut image));
                    pixels = image.pixels.into();
                }
            }
        }
        self.preprocessing.standardize(&self.levels, &pixels, flips, out);
        erased.into_iter().for_each(|part| erase(out, size.1 * channels, channels, part));
    }

    /// The pixels at the input's size, of the part that is drawn for the sample.
    fn input_pixels<'b>(&self, sample: &Sample, kept: Kept<'b>) -> Cow<'b, [u8]> {
        let Some(part) = self.augmentations.crop(sample.choice, kept.size) else {
            return if kept.is_input && kept.channels == self.preprocessing.channels {
                kept.pixels.into()
            } else {
                self.preprocessing.resized(kept.pixels, kept.shape())
            };
        };
        let (channels, stride) = (kept.channels, kept.size.1 * kept.channels);
        let row = |y| &kept.pixels[y * stride + part.left * channels..][..part.width * channels];
        let cropped: Vec<u8> = (part.top..part.top + part.height).flat_map(row).copied().collect();
        let shape = (part.height, part.width, channels);
        self.preprocessing.stretched(&cropped, shape).into_owned().into()
    }
}

/// Set a part of an input whose rows have `stride` values to 0.
fn erase(input: &mut [f32], stride: usize, channels: usize, part: Rectangle) {
    for row in input.chunks_exact_mut(stride).skip(part.top).take(part.height) {
        row[part.left * channels..][..part.width * channels].fill(0.0);
    }
}
