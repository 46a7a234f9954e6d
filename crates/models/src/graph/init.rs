//! Initial weights, torch's and torchvision's distributions.

use super::{Init, Network, Parameter, Shape};
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
            drawn += parameter.draw(seed, drawn);
        }
        for norm in &mut self.norms {
            norm.mean.fill(0.0);
            norm.variance.fill(1.0);
            norm.batches = 0;
        }
    }

    /// A fresh head in place of one that was trained for other classes: from torch's default for linear layers, as a user of
    /// torch gets with a new `nn.Linear`, also where the architecture's own head begins otherwise. Where it does not, these are the
    /// numbers of [`Network::initialise`].
    pub fn initialise_head(&mut self, seed: u64) {
        let Some(head) = self.nodes.last() else { return };
        let inputs: Vec<Shape> = head.inputs.iter().map(|&value| self.shape(value)).collect();
        let specs = head.op.parameters(&inputs);
        let before = &self.parameters[..head.parameters.first().copied().unwrap_or(0)];
        let mut drawn = before.iter().map(Parameter::draws).sum();
        for (place, spec) in head.parameters.clone().into_iter().zip(specs) {
            let parameter = &mut self.parameters[place];
            parameter.init = spec.init;
            drawn += parameter.draw(seed, drawn);
        }
    }
}

impl Parameter {
    /// The values before random ones are drawn.
    pub(crate) fn constant(&self) -> f32 {
        if let Init::Constant(value) = self.init { value } else { 0.0 }
    }

    /// 1 if its values are drawn at random, else 0.
    fn draws(&self) -> u32 {
        u32::from(!matches!(self.init, Init::Constant(_)))
    }

    /// Fresh values, the tensor being number `place` of those that are drawn at random; whether it is, as [`Self::draws`].
    fn draw(&mut self, seed: u64, place: u32) -> u32 {
        let rng = &mut Rng::new(seed, Stream::Init, 0, place);
        match self.init {
            Init::Constant(value) => self.value.fill(value),
            Init::HeNormal { fan_out } => self.draw_normal(rng, (2.0 / fan_out as f32).sqrt()),
            Init::Normal { deviation } => self.draw_normal(rng, deviation),
            Init::Uniform { fan_in } => self.draw_uniform(rng, 1.0 / (fan_in as f32).sqrt()),
            Init::Within { bound } => self.draw_uniform(rng, bound),
        }
        self.draws()
    }

    fn draw_normal(&mut self, rng: &mut Rng, deviation: f32) {
        self.value.iter_mut().for_each(|w| *w = deviation * rng.normal());
    }

    fn draw_uniform(&mut self, rng: &mut Rng, bound: f32) {
        self.value.iter_mut().for_each(|w| *w = rng.uniform_in(-bound, bound));
    }
}
