//! Random changes to images, in training only, as torchvision defines them.
//!
//! Each augmentation is a file here that implements [`Augmentation`], and a line in [`ALL`]. A run has a list of
//! augmentations, [`Augmentations`]. What the list does to an image is drawn once, when an epoch is planned, and is then
//! a plain number for each step in the [`Sample`](crate::Sample). So batches can be made by any thread, in any order,
//! and again, with the same result. What a number does follows from it alone: [`parameters`] is the generator that it
//! seeds, [`Effect`] and [`Rectangle`] say what is done, and [`ops`] does it.
//!
//! Two things are cached between epochs. An image is cached as it is before the first random step: resized, or where
//! the list crops, larger than the input. The features of a frozen network are cached where the list's
//! [`variants`](Augmentations::variants) can be counted.

mod all;
mod augmentation;
mod color_jitter;
mod flips;
mod grayscale;
mod horizontal_flip;
mod list;
mod mixing;
pub mod ops;
mod randaugment;
mod random_affine;
mod random_erasing;
mod random_perspective;
mod random_resized_crop;
mod random_rotation;
mod space;
mod trivial_augment;
mod vertical_flip;

pub use all::ALL;
pub use augmentation::{Augmentation, Effect, Rectangle, Size, parameters};
pub use color_jitter::ColorJitter;
pub use flips::Flips;
pub use grayscale::RandomGrayscale;
pub use horizontal_flip::RandomHorizontalFlip;
pub use list::{Augmentations, Choice, MOST_STEPS};
pub use mixing::{Mix, Mixing};
pub use randaugment::RandAugment;
pub use random_affine::RandomAffine;
pub use random_erasing::RandomErasing;
pub use random_perspective::RandomPerspective;
pub use random_resized_crop::RandomResizedCrop;
pub use random_rotation::RandomRotation;
pub use space::{BINS, OPERATIONS, Space};
pub use trivial_augment::TrivialAugmentWide;
pub use vertical_flip::RandomVerticalFlip;
