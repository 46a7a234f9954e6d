//! One operation of random strength.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::space::{BINS, OPERATIONS, Space};

/// One of 14 operations at one of 31 strengths: torchvision's `TrivialAugmentWide()` (Müller and Hutter 2021).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrivialAugmentWide;

impl Augmentation for TrivialAugmentWide {
    fn name(&self) -> &'static str {
        "trivial_augment"
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        let mut rng = parameters(drawn);
        let operation = OPERATIONS[rng.below(OPERATIONS.len() as u32) as usize];
        // Drawn always, so that what follows does not depend on the operation.
        let (bin, negative) = (rng.below(BINS), rng.coin());
        Effect::Change(vec![Space::TRIVIAL_AUGMENT_WIDE.op(operation, bin, negative)])
    }
}
