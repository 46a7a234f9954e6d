//! A few operations of one strength.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::space::{OPERATIONS, Space};

/// Some random operations of 14, one after the other, all of one strength: torchvision's
/// `RandAugment(num_ops, magnitude)` (Cubuk et al. 2019).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandAugment {
    /// How many operations an image undergoes.
    pub operations: u32,
    /// Their strength, from 0 to 30.
    pub magnitude: u32,
}

impl Default for RandAugment {
    /// torchvision's: two of strength 9.
    fn default() -> Self {
        Self { operations: 2, magnitude: 9 }
    }
}

impl Augmentation for RandAugment {
    fn name(&self) -> &'static str {
        "randaugment"
    }

    fn effect(&self, drawn: u32, size: Size) -> Effect {
        let (mut rng, space) = (parameters(drawn), Space::randaugment(size));
        let op = |_| {
            let operation = OPERATIONS[rng.below(OPERATIONS.len() as u32) as usize];
            space.op(operation, self.magnitude, rng.coin())
        };
        Effect::Change((0..self.operations).map(op).collect())
    }
}
