//! Weights out, and an optimiser's moments in and out, under torch's names and in torch's layouts. Weights come in by
//! `Network::load` in `loading`.

use crate::graph::Parameter;
use crate::loading::finite::check_finite;
use crate::{ModelError, Network, Optimizer};
use rayon::prelude::*;
use std::collections::BTreeMap;
use wellfit_weights::{Array, Data, Dtype, Fault, Outline, WeightFile, lay_out_safetensors};

/// An array of a state, where it lies in the network or the optimiser.
struct Piece<'a> {
    name: String,
    shape: Vec<usize>,
    values: Values<'a>,
}

enum Values<'a> {
    /// In the layout of that parameter.
    OfParameter(&'a Parameter, &'a [f32]),
    Plain(&'a [f32]),
    Count(i64),
}

impl Piece<'_> {
    fn array(&self) -> Array {
        let data = match self.values {
            Values::OfParameter(parameter, values) => Data::F32(parameter.to_torch(values)),
            Values::Plain(values) => Data::F32(values.to_vec()),
            Values::Count(count) => Data::I64(vec![count]),
        };
        Array { shape: self.shape.clone(), data }
    }

    fn outline(&self) -> Outline {
        let dtype = if matches!(self.values, Values::Count(_)) { Dtype::I64 } else { Dtype::F32 };
        Outline { name: self.name.clone(), shape: self.shape.clone(), dtype }
    }

    /// The elements, little-endian, where they belong in a file.
    fn write(&self, place: &mut [u8]) {
        match self.values {
            Values::OfParameter(parameter, values) => {
                parameter.write_torch(values, place.as_chunks_mut().0, f32::to_le_bytes);
            }
            Values::Plain(values) => {
                let places = place.as_chunks_mut().0.iter_mut();
                places.zip(values).for_each(|(place, value)| *place = value.to_le_bytes());
            }
            Values::Count(count) => place.copy_from_slice(&count.to_le_bytes()),
        }
    }
}

fn arrays(pieces: &[Piece<'_>]) -> Vec<(String, Array)> {
    pieces.iter().map(|piece| (piece.name.clone(), piece.array())).collect()
}

/// The safetensors file of `pieces`, into memory that may have been used before: copied once, on all threads.
fn write_file(
    pieces: &[Piece<'_>],
    metadata: &BTreeMap<String, String>,
    file: &mut Vec<u8>,
) -> Result<(), Fault> {
    let outlines: Vec<Outline> = pieces.iter().map(Piece::outline).collect();
    let places = lay_out_safetensors(file, &outlines, metadata)?;
    pieces.par_iter().zip(places).with_max_len(1).for_each(|(piece, place)| piece.write(place));
    Ok(())
}

impl Network {
    /// The state dict, as torch names and lays it out: weights, running statistics and
    /// `num_batches_tracked`.
    #[must_use]
    pub fn state(&self) -> WeightFile {
        self.state_where(|_| true)
    }

    /// The part of [`state`](Self::state) that training leaves as it is.
    #[must_use]
    pub fn frozen_state(&self) -> WeightFile {
        self.state_where(|frozen| frozen)
    }

    /// The part of [`state`](Self::state) that training changes.
    #[must_use]
    pub fn trained_state(&self) -> WeightFile {
        self.state_where(|frozen| !frozen)
    }

    /// The file of [`trained_state`](Self::trained_state) with that metadata, as
    /// [`to_safetensors_bytes`](wellfit_weights::to_safetensors_bytes) gives it, but in `file`, whose memory is used
    /// again.
    ///
    /// # Errors
    /// If two parameters have one name.
    pub fn write_trained_state(
        &self,
        metadata: &BTreeMap<String, String>,
        file: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        write_file(&self.pieces(|frozen| !frozen), metadata, file)
    }

    fn state_where(&self, wanted: impl Fn(bool) -> bool) -> WeightFile {
        WeightFile { arrays: arrays(&self.pieces(wanted)), ..WeightFile::default() }
    }

    fn pieces(&self, wanted: impl Fn(bool) -> bool) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        for parameter in self.parameters.iter().filter(|parameter| wanted(!parameter.trainable)) {
            let values = Values::OfParameter(parameter, &parameter.value);
            pieces.push(Piece { name: parameter.name.clone(), shape: parameter.shape.clone(), values });
        }
        // Statistics go where the layer's weights go.
        for node in &self.nodes {
            let Some(norm) = self.norm(node).filter(|_| wanted(!self.trains(node))) else { continue };
            let mut add = |what: &str, shape: Vec<usize>, values| {
                pieces.push(Piece { name: format!("{}.{what}", norm.name), shape, values });
            };
            add("running_mean", vec![norm.mean.len()], Values::Plain(&norm.mean));
            add("running_var", vec![norm.variance.len()], Values::Plain(&norm.variance));
            add("num_batches_tracked", Vec::new(), Values::Count(norm.batches));
        }
        pieces
    }
}

impl Optimizer {
    /// The optimiser's moments, as arrays `<moment>.<parameter>` in torch's layouts.
    #[must_use]
    pub fn state(&self, network: &Network) -> WeightFile {
        WeightFile { arrays: arrays(&self.pieces(network)), metadata: self.counts() }
    }

    /// The file of [`state`](Self::state) in `file`, whose memory is used again.
    ///
    /// # Errors
    /// If two parameters have one name.
    pub fn write_state(&self, network: &Network, file: &mut Vec<u8>) -> Result<(), Fault> {
        write_file(&self.pieces(network), &self.counts(), file)
    }

    fn pieces<'a>(&'a self, network: &'a Network) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        for (parameter, moments) in network.parameters.iter().zip(&self.moments) {
            for (place, moment) in moments.iter().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let values = Values::OfParameter(parameter, moment);
                let name = format!("{place}.{}", parameter.name);
                pieces.push(Piece { name, shape: parameter.shape.clone(), values });
            }
        }
        pieces
    }

    /// How many steps were made, as text.
    fn counts(&self) -> BTreeMap<String, String> {
        let mut counts = BTreeMap::from([("step".to_owned(), self.step.to_string())]);
        if self.since > 0 {
            counts.insert("since".to_owned(), self.since.to_string());
        }
        if self.begun.iter().flatten().any(|&begun| begun != self.since) {
            let begun = |begun: &Option<u64>| begun.map_or_else(String::new, |step| step.to_string());
            counts.insert("begun".to_owned(), self.begun.iter().map(begun).collect::<Vec<_>>().join(","));
        }
        counts
    }

    /// Take over what [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When a tensor is missing, of another shape, or not finite.
    pub fn load(&mut self, network: &Network, file: &WeightFile) -> Result<(), ModelError> {
        let given: BTreeMap<&str, &Array> = file.arrays.iter().map(|(n, a)| (n.as_str(), a)).collect();
        check_finite(given.iter().map(|(name, array)| (*name, *array)))?;
        for (parameter, moments) in network.parameters.iter().zip(&mut self.moments) {
            for (place, moment) in moments.iter_mut().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let name = format!("{place}.{}", parameter.name);
                let found = given.get(name.as_str()).filter(|array| array.shape == parameter.shape);
                let Some(values) = found.and_then(|array| array.as_f32()) else {
                    return Err(ModelError::MomentMissing { name, shape: parameter.shape.clone() });
                };
                parameter.permute(values, moment);
            }
        }
        self.step = Self::steps_in(file).unwrap_or(0);
        self.since = number(file, "since").unwrap_or(0).min(self.step);
        let begun = file.metadata.get("begun").map_or("", String::as_str);
        let mut begun = begun.split(',').map(|step| step.parse().ok());
        for own in &mut self.begun {
            let step: Option<u64> = begun.next().flatten();
            *own = own.map(|_| step.unwrap_or(self.since).clamp(self.since, self.step));
        }
        Ok(())
    }

    /// The steps that an optimiser had made when a file of its [state](Self::state) was written, if it says so.
    #[must_use]
    pub fn steps_in(file: &WeightFile) -> Option<u64> {
        number(file, "step")
    }
}

fn number(file: &WeightFile, key: &str) -> Option<u64> {
    file.metadata.get(key)?.parse().ok()
}
