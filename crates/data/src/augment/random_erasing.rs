//! A part of the input becomes 0.

use wellfit_rng::Rng;

use super::augmentation::{Augmentation, Effect, Rectangle, Size, parameters};
use super::random_resized_crop::{place, random_rectangle};

/// With this probability set a part of the standardised input to 0: torchvision's `RandomErasing(p)` behind `Normalize`
/// (Zhong et al. 2017). The part has 2 to 33 % of the area, and is from 0.3 to 3.3 times as high as it is wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomErasing {
    /// How often it happens.
    pub probability: f64,
}

fn part(rng: &mut Rng, size: Size) -> Option<Rectangle> {
    (0..10).find_map(|_| {
        let (height, width) = random_rectangle(rng, size, &(0.02..=0.33), &(0.3..=3.3), |ratio| ratio);
        (height < size.0 && width < size.1).then(|| place(rng, size, (height, width)))
    })
}

impl Augmentation for RandomErasing {
    fn name(&self) -> &'static str {
        "random_erasing"
    }

    fn effect(&self, drawn: u32, size: Size) -> Effect {
        let mut rng = parameters(drawn);
        if rng.uniform_f64(0.0, 1.0) >= self.probability {
            return Effect::Nothing;
        }
        part(&mut rng, size).map_or(Effect::Nothing, Effect::Erase)
    }
}
