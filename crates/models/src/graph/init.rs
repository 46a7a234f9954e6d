//! Initial weights, torch's and torchvision's distributions.

use super::{Init, Network, Parameter};
use wellfit_rng::{Rng, Stream};

impl Network {
    /// Fresh weights from `seed`: linear weights and biases from U(±1/√fan_in) (torch's default),
    /// convolutions from N(0, 2/fan_out) (torchvision's ResNet; He et al. 2015), those of MobileNet and EfficientNet as
    /// torchvision does, BatchNorm γ = 1, β = 0,
    /// running mean 0 and variance 1.
    ///
    /// The n-th tensor that is drawn gets the same numbers in any network, so networks that differ in BatchNorm or
    /// dropout only start from the same weights.
    pub fn initialise(&mut self, seed: u64) {
        let mut drawn = 0;
        for parameter in &mut self.parameters {
            let constant = matches!(parameter.init, Init::Constant(_));
            parameter.draw(&mut Rng::new(seed, Stream::Init, 0, drawn));
            drawn += u32::from(!constant);
        }
        for norm in &mut self.norms {
            norm.mean.fill(0.0);
            norm.variance.fill(1.0);
            norm.batches = 0;
        }
    }
}

impl Parameter {
    /// The values before random ones are drawn.
    pub(crate) fn constant(&self) -> f32 {
        if let Init::Constant(value) = self.init { value } else { 0.0 }
    }

    fn draw(&mut self, rng: &mut Rng) {
        match self.init {
            Init::Constant(value) => self.value.fill(value),
            Init::HeNormal { fan_out } => self.draw_normal(rng, (2.0 / fan_out as f32).sqrt()),
            Init::Normal { deviation } => self.draw_normal(rng, deviation),
            Init::Uniform { fan_in } => self.draw_uniform(rng, 1.0 / (fan_in as f32).sqrt()),
            Init::Within { bound } => self.draw_uniform(rng, bound),
        }
    }

    fn draw_normal(&mut self, rng: &mut Rng, deviation: f32) {
        self.value.iter_mut().for_each(|w| *w = deviation * rng.normal());
    }

    fn draw_uniform(&mut self, rng: &mut Rng, bound: f32) {
        self.value.iter_mut().for_each(|w| *w = rng.uniform_in(-bound, bound));
    }
}
