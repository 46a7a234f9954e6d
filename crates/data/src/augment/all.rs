//! Every augmentation.

use std::sync::Arc;

use super::augmentation::Augmentation;
use super::color_jitter::ColorJitter;
use super::grayscale::RandomGrayscale;
use super::horizontal_flip::RandomHorizontalFlip;
use super::mixing::Mixing;
use super::randaugment::RandAugment;
use super::random_affine::RandomAffine;
use super::random_erasing::RandomErasing;
use super::random_perspective::RandomPerspective;
use super::random_resized_crop::RandomResizedCrop;
use super::random_rotation::RandomRotation;
use super::trivial_augment::TrivialAugmentWide;
use super::vertical_flip::RandomVerticalFlip;

/// Every augmentation, with its usual parameters.
pub const ALL: [fn() -> Arc<dyn Augmentation>; 13] = [
    || Arc::new(RandomResizedCrop::default()),
    || Arc::new(RandomHorizontalFlip),
    || Arc::new(RandomVerticalFlip),
    || Arc::new(ColorJitter::uniform(0.4)),
    || Arc::new(RandomGrayscale { probability: 0.1 }),
    || Arc::new(RandomRotation { degrees: 10.0 }),
    || Arc::new(RandomAffine { degrees: 10.0, translate: 0.1, zoom: 0.1, shear: 10.0 }),
    || Arc::new(RandomPerspective { distortion: 0.5, probability: 0.5 }),
    || Arc::new(RandAugment::default()),
    || Arc::new(TrivialAugmentWide),
    || Arc::new(RandomErasing { probability: 0.5 }),
    || Arc::new(Mixing { mixup: 1.0, cutmix: 0.0 }),
    || Arc::new(Mixing { mixup: 0.0, cutmix: 1.0 }),
];
