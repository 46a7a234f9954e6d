//! Brightness, contrast, saturation and hue.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::ops::Op;

/// Change brightness, contrast, saturation and hue by random factors, in random order: torchvision's
/// `ColorJitter(brightness, contrast, saturation, hue)`. What is 0 stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorJitter {
    /// The factor is at most this far from 1, and never negative.
    pub brightness: f64,
    /// As for brightness.
    pub contrast: f64,
    /// As for brightness.
    pub saturation: f64,
    /// The most that the hue turns either way, in turns of the colour wheel: at most 0.5.
    pub hue: f64,
}

impl ColorJitter {
    /// The same strength for all but the hue, which stays: timm's `color_jitter`.
    #[must_use]
    pub const fn uniform(strength: f64) -> Self {
        Self { brightness: strength, contrast: strength, saturation: strength, hue: 0.0 }
    }
}

impl Augmentation for ColorJitter {
    fn name(&self) -> &'static str {
        "color_jitter"
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        let mut rng = parameters(drawn);
        let mut order = [0, 1, 2, 3];
        rng.shuffle(&mut order);
        let mut factor = |strength: f64| rng.uniform_f64((1.0 - strength).max(0.0), 1.0 + strength);
        let (brightness, contrast) = (factor(self.brightness), factor(self.contrast));
        let saturation = factor(self.saturation);
        let hue = rng.uniform_f64(-self.hue, self.hue);
        let ops = [
            (self.brightness, Op::Brightness(brightness)),
            (self.contrast, Op::Contrast(contrast)),
            (self.saturation, Op::Saturation(saturation)),
            (self.hue, Op::Hue(hue)),
        ];
        let ops = order.map(|place| ops[place]);
        Effect::Change(ops.into_iter().filter(|(strength, _)| *strength > 0.0).map(|(_, op)| op).collect())
    }
}
