//! Initial weights, torch's and torchvision's distributions.

use crate::network::{Layout, Network};
use wellfit_rng::{Rng, Stream};

impl Network {
    /// Fresh weights from `seed`: linear weights and biases from U(±1/√fan_in) (torch's default),
    /// convolutions from N(0, 2/fan_out) (torchvision's ResNet; He et al. 2015), BatchNorm γ = 1, β = 0,
    /// running mean 0 and variance 1.
    ///
    /// The n-th linear or convolution tensor of any network draws the same numbers, so twins that differ in
    /// BatchNorm or dropout only start from the same weights.
    pub fn initialise(&mut self, seed: u64) {
        let mut drawn = 0;
        let mut fan_in = 1;
        for parameter in &mut self.parameters {
            let norm_layer = self.norms.iter().any(|norm| {
                parameter
                    .name
                    .strip_prefix(&norm.name)
                    .is_some_and(|rest| rest == ".weight" || rest == ".bias")
            });
            if norm_layer {
                parameter.value.fill(if parameter.name.ends_with(".weight") { 1.0 } else { 0.0 });
                continue;
            }
            let mut rng = Rng::new(seed, Stream::Init, 0, drawn);
            drawn += 1;
            match parameter.layout {
                Layout::Conv => {
                    let fan_out = parameter.shape[0] * parameter.shape[2] * parameter.shape[3];
                    let deviation = (2.0 / fan_out as f32).sqrt();
                    parameter.value.iter_mut().for_each(|w| *w = deviation * rng.normal());
                }
                Layout::Linear(_) | Layout::Plain => {
                    // A bias takes the bound of the weights before it.
                    if let [_, inputs] = parameter.shape[..] {
                        fan_in = inputs;
                    }
                    let bound = 1.0 / (fan_in as f32).sqrt();
                    parameter.value.iter_mut().for_each(|w| *w = rng.uniform_in(-bound, bound));
                }
            }
        }
        for norm in &mut self.norms {
            norm.mean.fill(0.0);
            norm.variance.fill(1.0);
            norm.batches = 0;
        }
    }
}
