//! Turning, moving, zooming and shearing at once.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::ops::{About, Op};

/// Turn, move, scale and shear about the middle; what comes from outside is black: torchvision's
/// `RandomAffine(degrees, translate, scale, shear)`. What is 0 stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomAffine {
    /// The largest angle, in degrees.
    pub degrees: f64,
    /// The largest way in each direction, as a share of the image's width or height.
    pub translate: f64,
    /// The scale is at most this far from 1.
    pub zoom: f64,
    /// The largest shear along the rows, in degrees.
    pub shear: f64,
}

impl Augmentation for RandomAffine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn effect(&self, drawn: u32, (height, width): Size) -> Effect {
        let mut rng = parameters(drawn);
        let mut within = |most: f64| rng.uniform_f64(-most, most);
        let angle = within(self.degrees);
        let translate =
            [width, height].map(|length| within(self.translate * length as f64).round_ties_even());
        let (scale, shear) = (1.0 + within(self.zoom), [within(self.shear), 0.0]);
        Effect::Change(vec![Op::Affine { angle, translate, scale, shear, about: About::Middle }])
    }
}
