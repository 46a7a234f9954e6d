//! Weights from a file into a network.

use super::expected::Expected;
use super::finite::check_finite;
use super::likeness::likeness;
use super::misfit::{Misfit, misfit};
use super::places::Places;
use crate::ModelError;
use crate::graph::Network;
use std::collections::BTreeMap;
use wellfit_weights::{Array, Data, WeightFile};

/// What loading weights did besides copying them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Where the head comes from.
    pub head: HeadTaken,
    /// What stood before every name in the file, such as `module.`; often nothing.
    pub prefix: String,
    /// Other prefixes under which the file has the same names, such as those of the weights that were averaged.
    pub copies: Vec<String>,
    /// Arrays in the file that the network has no use for.
    pub extra: Vec<String>,
}

/// Where the head of a network with loaded weights comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadTaken {
    /// From the file, under the network's own name.
    Own,
    /// From the file, where it has this name.
    Renamed(String),
    /// The network keeps its own fresh head.
    Fresh {
        /// The name of the head in the file, if it has one.
        name: Option<String>,
        /// For how many classes that was.
        classes: Option<usize>,
    },
}

impl Network {
    /// Take over a state dict, whatever prefix its names have. When `replace_head`, a head that is missing, has another
    /// name or is for other classes stays as it is in the network, and [`Loaded`] says so; else a head under another
    /// name is taken. A `num_batches_tracked` may be missing (torch before 0.4.1), and what has nothing to do with the
    /// network is left.
    ///
    /// This is where all weights come in, so it is where numbers that are not finite are found.
    ///
    /// # Errors
    /// [`ModelError::WeightsDoNotFit`] shows the file's names beside those that are needed;
    /// [`ModelError::NotFinite`] names the array and counts. Nothing is changed then.
    pub fn load(&mut self, file: &WeightFile, replace_head: bool) -> Result<Loaded, ModelError> {
        let expected = Expected::of(self);
        let mut places = Places::find(&expected, file);
        let head = decide_head(&expected, &mut places, replace_head);
        let fresh = matches!(head, HeadTaken::Fresh { .. });
        if let Some(misfit) = misfit(&expected, &places, fresh) {
            let like = likeness(file);
            return Err(ModelError::WeightsDoNotFit(Box::new(Misfit { like, ..misfit })));
        }
        check_finite(places.arrays.values().copied())?;
        let given: BTreeMap<&str, &Array> = places
            .arrays
            .iter()
            .filter(|(name, _)| !(fresh && expected.is_head(name)))
            .map(|(name, (_, array))| (name.as_str(), *array))
            .collect();
        self.take_over(&given);
        let extra = places.extra.iter().map(|name| (*name).to_owned()).collect();
        Ok(Loaded { head, prefix: places.prefix, copies: places.copies, extra })
    }

    fn take_over(&mut self, given: &BTreeMap<&str, &Array>) {
        let floats = |name: &str| given.get(name).and_then(|array| array.as_f32());
        for parameter in &mut self.parameters {
            if let Some(values) = floats(&parameter.name) {
                parameter.set_from_torch(values);
            }
        }
        for norm in &mut self.norms {
            for (part, to) in [("running_mean", &mut norm.mean), ("running_var", &mut norm.variance)] {
                if let Some(values) = floats(&format!("{}.{part}", norm.name)) {
                    to.copy_from_slice(values);
                }
            }
            let count = given.get(format!("{}.num_batches_tracked", norm.name).as_str());
            if let Some(Array { data: Data::I64(count), .. }) = count {
                norm.batches = count.first().copied().unwrap_or(0);
            }
        }
    }
}

/// Which head the network gets. One of another name takes the place of the network's own.
fn decide_head(expected: &Expected, places: &mut Places<'_>, replace: bool) -> HeadTaken {
    let weight = format!("{}weight", expected.head);
    if places.has_head(expected) {
        let ours = expected.arrays.get(&weight).and_then(|wanted| wanted.shape.first().copied());
        let theirs = places.arrays.get(&weight).and_then(|(_, array)| array.shape.first().copied());
        if !replace || theirs == ours {
            return HeadTaken::Own;
        }
        let name = expected.head.trim_end_matches('.').to_owned();
        return HeadTaken::Fresh { name: Some(name), classes: theirs };
    }
    let other = places.other_head.clone();
    if replace && expected.head_inputs().is_some() {
        let classes = other.as_ref().and_then(|(_, (_, weight), _)| weight.shape.first().copied());
        return HeadTaken::Fresh { name: other.map(|(name, ..)| name), classes };
    }
    let Some((name, theirs, bias)) = other else { return HeadTaken::Own };
    places.arrays.insert(weight, theirs);
    places.arrays.insert(format!("{}bias", expected.head), bias);
    HeadTaken::Renamed(name)
}
