//! Seeing an image from another side.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::ops::Op;

/// With this probability move each corner of the image towards its middle; what comes from outside is black: torchvision's
/// `RandomPerspective(distortion_scale, p)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomPerspective {
    /// The longest way of a corner, as a share of half the width and of half the height.
    pub distortion: f64,
    /// How often it happens.
    pub probability: f64,
}

impl Augmentation for RandomPerspective {
    fn name(&self) -> &'static str {
        "perspective"
    }

    fn effect(&self, drawn: u32, (height, width): Size) -> Effect {
        let mut rng = parameters(drawn);
        if rng.uniform_f64(0.0, 1.0) >= self.probability {
            return Effect::Nothing;
        }
        // A whole number of pixels, each alike.
        let mut way = |length: usize| {
            let ways = (self.distortion * (length / 2) as f64).floor() + 1.0;
            rng.uniform_f64(0.0, ways).floor().min(ways - 1.0)
        };
        let (right, lower) = (width as f64 - 1.0, height as f64 - 1.0);
        let mut corner = |on_the_right: bool, at_the_bottom: bool| {
            let (x, y) = (way(width), way(height));
            [if on_the_right { right - x } else { x }, if at_the_bottom { lower - y } else { y }]
        };
        let corners = [corner(false, false), corner(true, false), corner(true, true), corner(false, true)];
        Effect::Change(vec![Op::Perspective(corners)])
    }
}
