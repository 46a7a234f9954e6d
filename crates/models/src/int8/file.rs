//! A quantised network as named arrays: a state dict as torch names and lays it out, in which the weight of each product
//! is 8-bit integers with `<weight>_scale`, one for each output channel, beside it. `<node>.output_scale` and
//! `<node>.output_zero_point` say how the value of a node is stored; the node of the images is called `input`.

use super::calibration::{Ranges, name};
use super::quantised::{Quantised, cannot};
use crate::graph::Network;
use crate::loading::finite::check_finite;
use crate::{ModelError, Parameter};
use std::collections::BTreeMap;
use wellfit_kernels::int8::{Affine, Layer};
use wellfit_weights::{Array, Data, WeightFile};

const SCALE: &str = ".output_scale";
const ZERO: &str = ".output_zero_point";

impl Quantised {
    /// All that [`Quantised::load`] needs, without metadata.
    #[must_use]
    pub fn state(&self) -> WeightFile {
        let mut rest = self.network.clone();
        rest.parameters.retain(|parameter| !parameter.value.is_empty());
        let mut file = rest.state();
        for (node, product) in self.network.nodes.iter().zip(&self.products) {
            let Some(layer) = product.as_ref().map(|product| &product.layer) else { continue };
            let weight = &self.network.parameters[node.parameters[0]];
            let codes =
                Array { shape: weight.shape.clone(), data: Data::I8(to_torch(weight, &layer.codes())) };
            let scales =
                Array { shape: vec![layer.scales().len()], data: Data::F32(layer.scales().to_vec()) };
            file.arrays.push((weight.name.clone(), codes));
            file.arrays.push((scale_name(&weight.name), scales));
        }
        for value in self.stored.ranged() {
            let name = name(&self.network, value);
            let Some(Affine { scale, zero }) = self.affines[value] else { continue };
            let scalar = |data| Array { shape: Vec::new(), data };
            file.arrays.push((format!("{name}{SCALE}"), scalar(Data::F32(vec![scale]))));
            file.arrays.push((format!("{name}{ZERO}"), scalar(Data::I64(vec![zero.into()]))));
        }
        file
    }

    /// From what [`Quantised::state`] gave, for a `network` of the same architecture, whatever its weights.
    ///
    /// # Errors
    /// When an array is missing, of another shape, or holds what it cannot.
    pub fn load(mut network: Network, file: &WeightFile) -> Result<Self, ModelError> {
        check_finite(file.arrays.iter().map(|(name, array)| (name.as_str(), array)))?;
        let (ranges, scales, mut state) = parts(&network, file)?;
        for (_, array) in &mut state.arrays {
            if let Data::I8(codes) = &array.data {
                // The values follow below; here names and shapes are checked.
                array.data = Data::F32(vec![0.0; codes.len()]);
            }
        }
        network.load(&state, false)?;
        Self::with(network, &ranges, |network, place, shape| {
            let weight = &network.parameters[network.nodes[place].parameters[0]];
            let bad = |problem: &str| cannot(network, format!("`{}` {problem}", weight.name));
            let codes = file.get(&weight.name).and_then(Array::as_i8);
            let codes = codes.ok_or_else(|| bad("is not in 8-bit integers"))?;
            if codes.contains(&i8::MIN) {
                return Err(bad("holds -128; weights are in -127..=127"));
            }
            let name = scale_name(&weight.name);
            let scales = scales.get(&name).ok_or_else(|| bad("has no scales beside it"))?;
            if scales.len() != shape.channels_out || !scales.iter().all(|s| s.is_normal() && *s > 0.0) {
                return Err(cannot(network, format!("`{name}` is not one positive number for each channel")));
            }
            Ok(Layer::from_codes(shape, &from_torch(weight, codes), scales.clone()))
        })
    }
}

/// Ranges, the scales of weights by name, and the rest.
#[allow(clippy::type_complexity, reason = "named in the line above")]
fn parts(
    network: &Network,
    file: &WeightFile,
) -> Result<(Ranges, BTreeMap<String, Vec<f32>>, WeightFile), ModelError> {
    let weights: Vec<String> = network.parameters.iter().map(|p| scale_name(&p.name)).collect();
    let (mut ranges, mut scales, mut state) = (Ranges::new(), BTreeMap::new(), WeightFile::default());
    for (name, array) in &file.arrays {
        if let Some(node) = name.strip_suffix(SCALE) {
            let scale = array.as_f32().filter(|scale| scale.len() == 1);
            let zero = file.get(&format!("{node}{ZERO}")).and_then(Array::as_i64).filter(|z| z.len() == 1);
            let zero = zero.and_then(|zero| u8::try_from(zero[0]).ok());
            let Some((scale, zero)) = scale.zip(zero) else {
                return Err(cannot(
                    network,
                    format!("the range of `{node}` is not a scale and a zero point"),
                ));
            };
            ranges.insert(node.to_owned(), Affine { scale: scale[0], zero });
        } else if weights.contains(name) {
            scales.insert(name.clone(), array.as_f32().unwrap_or_default().to_vec());
        } else if !name.ends_with(ZERO) {
            state.arrays.push((name.clone(), array.clone()));
        }
    }
    Ok((ranges, scales, state))
}

fn scale_name(weight: &str) -> String {
    format!("{weight}_scale")
}

/// Codes in our layout as torch's.
fn to_torch(weight: &Parameter, codes: &[i8]) -> Vec<i8> {
    let floats: Vec<f32> = codes.iter().map(|&code| f32::from(code)).collect();
    weight.to_torch(&floats).into_iter().map(|code| code as i8).collect()
}

/// Codes in torch's layout as ours.
fn from_torch(weight: &Parameter, codes: &[i8]) -> Vec<i8> {
    let floats: Vec<f32> = codes.iter().map(|&code| f32::from(code)).collect();
    let mut ours = vec![0.0; floats.len()];
    weight.permute(&floats, &mut ours);
    ours.into_iter().map(|code| code as i8).collect()
}
