//! Colour images without their colours.

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Effect, Size};
use super::ops::Op;

/// With this probability take the colours away: torchvision's `RandomGrayscale(p)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomGrayscale {
    /// How often it happens.
    pub probability: f64,
}

impl Augmentation for RandomGrayscale {
    fn name(&self) -> &'static str {
        "grayscale"
    }

    fn variants(&self) -> Option<u32> {
        Some(2)
    }

    fn draw(&self, rng: &mut Rng) -> u32 {
        u32::from(rng.uniform_f64(0.0, 1.0) < self.probability)
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        if drawn == 1 { Effect::Change(vec![Op::Grayscale]) } else { Effect::Nothing }
    }
}
