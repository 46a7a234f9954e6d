//! Random changes to images, in training only.
//!
//! Each augmentation is a file here that implements [`Augmentation`], and a line in [`ALL`]. One whose [`Effect`] is
//! new adds that as well; [`Preprocessing`](crate::Preprocessing) carries it out. A run has a list of augmentations,
//! [`Augmentations`]. What the list does to an image is drawn once, when an epoch is planned, and is then a plain number
//! in the [`Sample`](crate::Sample). So batches can be made by any thread, in any order, and again, with the same
//! result.
//!
//! Two things are cached between epochs. An image is cached as it is before the first random step; today every
//! [`Effect`] works on the resized image, so that is what the cache holds. The features of a frozen
//! network are cached where the list's [`variants`](Augmentations::variants) can be counted.

mod horizontal_flip;
mod list;
mod vertical_flip;

use std::fmt::Debug;
use std::sync::Arc;

use wellfit_rng::Rng;

use crate::loader::Batch;
pub use horizontal_flip::RandomHorizontalFlip;
pub use list::{Augmentations, Choice, MOST_STEPS};
pub use vertical_flip::RandomVerticalFlip;

/// Every augmentation.
pub const ALL: [fn() -> Arc<dyn Augmentation>; 2] =
    [|| Arc::new(RandomHorizontalFlip), || Arc::new(RandomVerticalFlip)];

/// A random step in the preparation of training images.
pub trait Augmentation: Debug + Send + Sync {
    /// What it is called in a configuration, such as `horizontal_flip`.
    fn name(&self) -> &'static str;

    /// How many different things it may do to an image, if they can be counted: two for a coin. None for a step whose
    /// results do not repeat, such as a random crop, or depend on the other images of the batch.
    fn variants(&self) -> Option<u32>;

    /// Draw what happens to one image. Where there are `n` [`variants`](Self::variants) the number is below `n`, and 0
    /// leaves the image as it is; otherwise all that happens must follow from the number.
    fn draw(&self, rng: &mut Rng) -> u32;

    /// What a drawn number does to the image.
    fn effect(&self, drawn: u32) -> Effect;

    /// Change a finished batch, as mixup does; `drawn` has the number of each of its images. Most steps do
    /// nothing here.
    fn change_batch(&self, _drawn: &[u32], _batch: &mut Batch) {}
}

/// What is done to one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the step works on whole batches.
    Nothing,
    /// The resized image is mirrored.
    Flip(Flips),
}

/// Which ways an image is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flips {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

impl Flips {
    /// Both, one after the other: twice the same flip is none.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        Self { horizontal: self.horizontal != next.horizontal, vertical: self.vertical != next.vertical }
    }
}
