//! The operations of RandAugment and TrivialAugment, and how strong each is.

use super::augmentation::Size;
use super::ops::{About, Op};

/// Strengths of an operation.
pub const BINS: u32 = 31;

/// The operations, by torchvision's names.
pub const OPERATIONS: [&str; 14] = [
    "Identity",
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Rotate",
    "Brightness",
    "Color",
    "Contrast",
    "Sharpness",
    "Posterize",
    "Solarize",
    "AutoContrast",
    "Equalize",
];

/// The largest magnitude of each operation: torchvision's `_augmentation_space`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Space {
    /// The tangent of the angle.
    shear: f32,
    /// Pixels to the right and down.
    translate: (f32, f32),
    /// Degrees.
    rotate: f32,
    /// What is added to or taken from a factor of 1.
    enhance: f32,
    /// Bits that are lost.
    posterize: f32,
}

impl Space {
    /// That of `TrivialAugmentWide`.
    pub const TRIVIAL_AUGMENT_WIDE: Self =
        Self { shear: 0.99, translate: (32.0, 32.0), rotate: 135.0, enhance: 0.99, posterize: 6.0 };

    /// That of `RandAugment` for images of `size`.
    #[must_use]
    pub fn randaugment((height, width): Size) -> Self {
        let translate = |length: usize| (150.0 / 331.0 * length as f64) as f32;
        Self {
            shear: 0.3,
            translate: (translate(width), translate(height)),
            rotate: 30.0,
            enhance: 0.9,
            posterize: 4.0,
        }
    }

    /// The operation of one of the names in [`OPERATIONS`] at strength `bin`, below [`BINS`]. `negative` turns what has
    /// a direction the other way.
    #[must_use]
    pub fn op(&self, operation: &str, bin: u32, negative: bool) -> Op {
        let signed = |most: f32| if negative { -linspace(0.0, most, bin) } else { linspace(0.0, most, bin) };
        let angle = |tangent: f64| libm::atan(tangent).to_degrees();
        let affine = |translate, shear, about| Op::Affine { angle: 0.0, translate, scale: 1.0, shear, about };
        match operation {
            "ShearX" => affine([0.0; 2], [angle(signed(self.shear)), 0.0], About::Corner),
            "ShearY" => affine([0.0; 2], [0.0, angle(signed(self.shear))], About::Corner),
            "TranslateX" => affine([signed(self.translate.0).trunc(), 0.0], [0.0; 2], About::Middle),
            "TranslateY" => affine([0.0, signed(self.translate.1).trunc()], [0.0; 2], About::Middle),
            "Rotate" => Op::Rotate(signed(self.rotate)),
            "Brightness" => Op::Brightness(1.0 + signed(self.enhance)),
            "Color" => Op::Saturation(1.0 + signed(self.enhance)),
            "Contrast" => Op::Contrast(1.0 + signed(self.enhance)),
            "Sharpness" => Op::Sharpness(1.0 + signed(self.enhance)),
            "Posterize" => {
                let lost = bin as f32 / ((BINS - 1) as f32 / self.posterize);
                Op::Posterize(8 - lost.round_ties_even() as u32)
            }
            "Solarize" => Op::Solarize(linspace(255.0, 0.0, bin)),
            "AutoContrast" => Op::AutoContrast,
            "Equalize" => Op::Equalize,
            _ => Op::Identity,
        }
    }
}

/// A number of torch's `linspace(from, to, BINS)`, which counts in f32, from the nearer end, and rounds once: the last
/// bit decides whether a way of 16 pixels is cut off to 15.
fn linspace(from: f32, to: f32, bin: u32) -> f64 {
    let step = (to - from) / (BINS - 1) as f32;
    let value = if bin < BINS / 2 {
        step.mul_add(bin as f32, from)
    } else {
        step.mul_add(-((BINS - 1).saturating_sub(bin) as f32), to)
    };
    f64::from(value)
}
