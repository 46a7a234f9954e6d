//! Mirroring top and bottom.

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Effect, Size};
use super::flips::Flips;

/// Mirror top and bottom half of the time: torchvision's `RandomVerticalFlip(p=0.5)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RandomVerticalFlip;

impl Augmentation for RandomVerticalFlip {
    fn name(&self) -> &'static str {
        "vertical_flip"
    }

    fn variants(&self) -> Option<u32> {
        Some(2)
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        u32::from(rng.coin())
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        Effect::Flip(Flips { horizontal: false, vertical: drawn == 1 })
    }
}
