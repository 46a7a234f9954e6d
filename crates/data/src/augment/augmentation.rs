//! What an augmentation is.

use std::fmt::Debug;

use wellfit_rng::{Rng, Stream};

use super::flips::Flips;
use super::ops::Op;
use crate::loader::Batch;

/// Height and width, in pixels.
pub type Size = (usize, usize);

/// A random step in the preparation of training images.
pub trait Augmentation: Debug + Send + Sync {
    /// What it is called in a configuration, such as `horizontal_flip`.
    fn name(&self) -> &'static str;

    /// How many different things it may do to an image, if they can be counted: two for a coin. None for a step whose
    /// results do not repeat, such as a random crop, or depend on the other images of the batch.
    fn variants(&self) -> Option<u32> {
        None
    }

    /// Draw what happens to one image. Where there are `n` [`variants`](Self::variants) the number is below `n`, and 0
    /// leaves the image as it is; otherwise all that happens must follow from the number, as by [`parameters`].
    fn draw(&self, rng: &mut Rng) -> u32 {
        rng.next_u32()
    }

    /// What a drawn number does to an image that is an input of `size`.
    fn effect(&self, drawn: u32, size: Size) -> Effect {
        let _ = (drawn, size);
        Effect::Nothing
    }

    /// The smallest share of an image's area that [`crop`](Self::crop) leaves, if the step crops: it decides how large
    /// images are kept.
    fn smallest_crop(&self) -> Option<f64> {
        None
    }

    /// Which part of an image of `size`, as it was before the resize, becomes the input. None for all of it.
    fn crop(&self, drawn: u32, size: Size) -> Option<Rectangle> {
        let _ = (drawn, size);
        None
    }

    /// Whether [`change_batch`](Self::change_batch) does anything: then every process that shares a batch makes all of it.
    fn changes_batches(&self) -> bool {
        false
    }

    /// Change a finished batch, as mixup does; `drawn` has the number of each of its images. Most steps do
    /// nothing here.
    fn change_batch(&self, _drawn: &[u32], _batch: &mut Batch) {}
}

/// What is done to one image after the resize.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// It is mirrored.
    Flip(Flips),
    /// Its pixels change, by one operation after the other.
    Change(Vec<Op>),
    /// In the standardised input this part becomes 0, which is the mean colour.
    Erase(Rectangle),
}

/// A part of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rectangle {
    /// Rows above it.
    pub top: usize,
    /// Columns on its left.
    pub left: usize,
    /// Its rows.
    pub height: usize,
    /// Its columns.
    pub width: usize,
}

/// The generator of all that follows from a drawn number.
#[must_use]
pub fn parameters(drawn: u32) -> Rng {
    Rng::new(u64::from(drawn), Stream::Parameters, 0, 0)
}

/// A size in pixels from a length: the nearest whole number.
pub(crate) fn pixels(length: f64) -> usize {
    // As Python's `round`; negative lengths and no numbers do not occur, and would be 0.
    length.round_ties_even() as usize
}
