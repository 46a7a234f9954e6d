//! The list of operations.

use super::affine::{About, affine, rotate};
use super::enhance::{brightness, contrast, grayscale, saturation};
use super::hue::turn_hue;
use super::image::Image;
use super::levels::{auto_contrast, equalize, posterize, solarize};
use super::perspective::{Corners, perspective};
use super::sharpness::sharpness;

/// A change to an image's pixels, with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Nothing.
    Identity,
    /// Turn anticlockwise by so many degrees: `functional.rotate`.
    Rotate(f64),
    /// `functional.affine`, with the nearest pixel.
    Affine {
        /// Clockwise, in degrees.
        angle: f64,
        /// Pixels to the right and down.
        translate: [f64; 2],
        /// Above 1 things become larger.
        scale: f64,
        /// Along rows and columns, in degrees.
        shear: [f64; 2],
        /// What stays in its place.
        about: About,
    },
    /// `functional.perspective`, interpolated: the corners go there.
    Perspective(Corners),
    /// `functional.adjust_brightness` by a factor.
    Brightness(f64),
    /// `functional.adjust_contrast` by a factor.
    Contrast(f64),
    /// `functional.adjust_saturation` by a factor.
    Saturation(f64),
    /// `functional.adjust_hue`, by a part of a turn from −0.5 to 0.5.
    Hue(f64),
    /// `functional.adjust_sharpness` by a factor.
    Sharpness(f64),
    /// `functional.posterize` to so many bits, 8 at most.
    Posterize(u32),
    /// `functional.solarize` from this level on.
    Solarize(f64),
    /// `functional.autocontrast`.
    AutoContrast,
    /// `functional.equalize`.
    Equalize,
    /// `functional.to_grayscale`, with as many channels as before.
    Grayscale,
}

impl Op {
    /// Change the pixels of `image`.
    pub fn apply(self, image: &mut Image) {
        match self {
            Self::Identity => {}
            Self::Rotate(degrees) => *image = rotate(image, degrees),
            Self::Affine { angle, translate, scale, shear, about } => {
                *image = affine(image, angle, translate, scale, shear, about);
            }
            Self::Perspective(corners) => *image = perspective(image, &corners),
            Self::Brightness(factor) => brightness(image, factor),
            Self::Contrast(factor) => contrast(image, factor),
            Self::Saturation(factor) => saturation(image, factor),
            Self::Hue(turn) => turn_hue(image, turn),
            Self::Sharpness(factor) => sharpness(image, factor),
            Self::Posterize(bits) => posterize(image, bits),
            Self::Solarize(threshold) => solarize(image, threshold),
            Self::AutoContrast => auto_contrast(image),
            Self::Equalize => equalize(image),
            Self::Grayscale => grayscale(image),
        }
    }
}
