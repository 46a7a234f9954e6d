//! Mirroring left and right.

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Effect, Size};
use super::flips::Flips;

/// Mirror left and right half of the time: torchvision's `RandomHorizontalFlip(p=0.5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RandomHorizontalFlip;

impl Augmentation for RandomHorizontalFlip {
    fn name(&self) -> &'static str {
        "horizontal_flip"
    }

    fn variants(&self) -> Option<u32> {
        Some(2)
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        u32::from(rng.coin())
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        Effect::Flip(Flips { horizontal: drawn == 1, vertical: false })
    }
}
