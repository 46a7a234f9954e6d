//! Turning by a few degrees.

use super::augmentation::{Augmentation, Effect, Size, parameters};
use super::ops::Op;

/// Turn about the middle by up to so many degrees either way; corners that come from outside are black: torchvision's
/// `RandomRotation(degrees)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomRotation {
    /// The largest angle.
    pub degrees: f64,
}

impl Augmentation for RandomRotation {
    fn name(&self) -> &'static str {
        "rotation"
    }

    fn effect(&self, drawn: u32, _: Size) -> Effect {
        let angle = parameters(drawn).uniform_f64(-self.degrees, self.degrees);
        Effect::Change(vec![Op::Rotate(angle)])
    }
}
