//! A network in 8-bit integers.

use super::calibration::{Ranges, name};
use super::layers::{Stored, integer_product};
use crate::engine::TrainingPass;
use crate::graph::{Network, Value};
use crate::ops::{Op, product};
use crate::plan::{Step, groups};
use crate::{DropoutKey, Engine, ModelError};
use wellfit_kernels::Buffer;
use wellfit_kernels::conv::Conv;
use wellfit_kernels::int8::{Affine, Layer, Path};
use wellfit_kernels::norm::{Statistics, scale_and_shift};

/// A trained network with its products in 8-bit integers. It evaluates only.
#[derive(Debug)]
pub struct Quantised {
    /// The network; the weights that are in `products` are not in it.
    pub(super) network: Network,
    /// For each node the product that is computed in integers.
    pub(super) products: Vec<Option<Product>>,
    pub(super) stored: Stored,
    /// For each value how it is stored as codes, if it is.
    pub(super) affines: Vec<Option<Affine>>,
}

/// A product with what is done to its sums.
#[derive(Debug)]
pub(super) struct Product {
    pub layer: Layer,
    /// y = scale·sum + bias.
    pub scale: Option<Vec<f32>>,
    pub bias: Option<Vec<f32>>,
}

impl Quantised {
    /// Quantise a trained network; what it computes of its values are in `ranges`.
    ///
    /// # Errors
    /// When the ranges are not those of the network, or a weight is not finite.
    pub fn new(network: &Network, ranges: &Ranges) -> Result<Self, ModelError> {
        Self::with(network.clone(), ranges, |network, place, shape| {
            let weight = &network.parameters[network.nodes[place].parameters[0]];
            if weight.value.iter().all(|w| w.is_finite()) {
                Ok(Layer::quantise(shape, &weight.value))
            } else {
                Err(cannot(network, format!("`{}` has NaN or infinite numbers", weight.name)))
            }
        })
    }

    /// The same with layers from elsewhere: `layer(network, node, its shape)`.
    pub(super) fn with(
        mut network: Network,
        ranges: &Ranges,
        layer: impl Fn(&Network, usize, &Conv) -> Result<Layer, ModelError>,
    ) -> Result<Self, ModelError> {
        let stored = Stored::new(&network);
        let affines = affines(&network, &stored, ranges)?;
        let mut products: Vec<Option<Product>> = network.nodes.iter().map(|_| None).collect();
        for step in groups(&network) {
            let Some(place) = integer_product(&network, &step) else { continue };
            let Some(shape) = product::shape(&network, &network.nodes[place], 1) else { continue };
            let layer = layer(&network, place, &shape)?;
            let (scale, bias) = folded(&network, &step, place);
            let numbers = [&scale, &bias].into_iter().flatten().flatten();
            if !numbers.into_iter().all(|x| x.is_finite()) {
                let node = &network.nodes[step.node].name;
                return Err(cannot(&network, format!("`{node}` has NaN or infinite numbers")));
            }
            products[place] = Some(Product { layer, scale, bias });
        }
        for (node, _) in network.nodes.iter().zip(&products).filter(|(_, product)| product.is_some()) {
            network.parameters[node.parameters[0]].value = Buffer::default();
        }
        Ok(Self { network, products, stored, affines })
    }

    /// Its architecture's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.network.name
    }

    /// The network as a structure: the weights that are in integers are missing from it.
    #[must_use]
    pub fn outline(&self) -> Network {
        self.network.clone()
    }

    /// How many of its weights are in 8-bit integers, and how many numbers are not, running statistics included.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let held = self.network.parameters.iter();
        let (quantised, floats): (Vec<_>, Vec<_>) = held.partition(|p| p.value.is_empty());
        let statistics: usize = self.network.norms.iter().map(|norm| 2 * norm.mean.len()).sum();
        let count = |parameters: &[&crate::Parameter]| parameters.iter().map(|p| p.count()).sum::<usize>();
        (count(&quantised), count(&floats) + statistics)
    }

    /// The product of a step, if it is computed in integers.
    pub(super) fn product(&self, step: &Step) -> Option<(usize, &Product)> {
        let place = step.product.unwrap_or(step.node);
        Some((place, self.products[place].as_ref()?))
    }
}

pub(super) fn cannot(network: &Network, problem: String) -> ModelError {
    ModelError::CannotQuantise { model: network.name.clone(), problem }
}

/// How each value is stored: by its range, or as what it was pooled from.
fn affines(network: &Network, stored: &Stored, ranges: &Ranges) -> Result<Vec<Option<Affine>>, ModelError> {
    let mut affines = vec![None; network.nodes.len() + 1];
    for value in 0..affines.len() {
        let name = name(network, value);
        affines[value] = if !stored.codes[value] {
            None
        } else if stored.pooled[value] {
            affines[network.nodes[value - 1].inputs[0]]
        } else {
            let known = ranges.get(name);
            let affine = known.ok_or_else(|| cannot(network, format!("the range of `{name}` is missing")))?;
            if !affine.scale.is_normal() || affine.scale < 0.0 {
                let scale = affine.scale;
                return Err(cannot(
                    network,
                    format!("the scale of `{name}` is {scale}, not a positive number"),
                ));
            }
            Some(*affine)
        };
    }
    Ok(affines)
}

/// The normalisation and the bias of a step as a scale and a bias.
fn folded(network: &Network, step: &Step, place: usize) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let bias = product::bias(network, &network.nodes[place]);
    let node = &network.nodes[step.node];
    let (Op::BatchNorm(op), Some(norm)) = (&node.op, network.norm(node)) else {
        return (None, bias.map(<[f32]>::to_vec));
    };
    let running = Statistics { mean: norm.mean.clone(), variance: norm.variance.clone() };
    let [gamma, beta] = [0, 1].map(|i| &*network.parameters[node.parameters[i]].value);
    let (scale, mut shift) = scale_and_shift(gamma, beta, &running, op.eps);
    if let Some(bias) = bias {
        shift.iter_mut().zip(bias).zip(&scale).for_each(|((shift, b), s)| *shift += b * s);
    }
    (Some(scale), Some(shift))
}

/// It computes its own outputs, not those of the network that is given.
impl Engine for Quantised {
    fn name(&self) -> String {
        format!("cpu, int8 by {}", Path::current().name())
    }

    fn rows_are_independent(&self) -> bool {
        true
    }

    fn evaluate(&self, _: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        if cut == 0 { Ok(self.evaluate(value)) } else { Err(ModelError::EvaluatesOnly) }
    }

    fn forward<'a>(
        &'a self,
        _: &mut Network,
        _: &'a [f32],
        _: Value,
        _: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        Err(ModelError::EvaluatesOnly)
    }
}
