//! What a network needs of a file, under torch's names.

use crate::arch::architecture;
use crate::graph::Network;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use wellfit_weights::Array;

/// An array that a network needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// torch's shape.
    pub shape: Vec<usize>,
    /// Whether the network cannot do without it. A `num_batches_tracked` may be missing (torch before 0.4.1).
    pub required: bool,
}

/// What a network needs of a file.
#[derive(Debug)]
pub(super) struct Expected {
    /// The architecture's name.
    pub model: String,
    /// By name, the head's arrays included.
    pub arrays: BTreeMap<String, Wanted>,
    /// The head's name with a dot, such as `fc.`.
    pub head: String,
    /// The names in the order of the layers.
    pub order: Vec<String>,
    /// Names that other packages have for these arrays, for each package, with ours.
    pub other_names: Vec<HashMap<String, String>>,
}

impl Expected {
    /// Of a network, whose weights need not be there.
    pub fn of(network: &Network) -> Self {
        let mut arrays = BTreeMap::new();
        let mut order = Vec::new();
        let mut want = |name: String, shape: Vec<usize>, required| {
            order.push(name.clone());
            arrays.insert(name, Wanted { shape, required });
        };
        for node in &network.nodes {
            for parameter in node.parameters.iter().filter_map(|&place| network.parameters.get(place)) {
                want(parameter.name.clone(), parameter.shape.clone(), true);
            }
            if let Some(norm) = network.norm(node) {
                want(format!("{}.running_mean", norm.name), vec![norm.mean.len()], true);
                want(format!("{}.running_var", norm.name), vec![norm.mean.len()], true);
                want(format!("{}.num_batches_tracked", norm.name), Vec::new(), false);
            }
        }
        let packages = architecture(&network.name).map_or(&[][..], |architecture| architecture.other_names);
        let names = |package: &fn(&str) -> Option<String>| {
            order.iter().filter_map(|name| Some((package(name)?, name.clone()))).collect()
        };
        let other_names = packages.iter().map(names).collect();
        Self { model: network.name.clone(), arrays, head: network.head(), order, other_names }
    }

    /// Whether the name is the head's.
    pub fn is_head(&self, name: &str) -> bool {
        !self.head.is_empty() && name.starts_with(&self.head)
    }

    /// The features that the head reads, if it is a linear layer.
    pub fn head_inputs(&self) -> Option<usize> {
        match self.arrays.get(&format!("{}weight", self.head))?.shape[..] {
            [_, inputs] => Some(inputs),
            _ => None,
        }
    }

    /// The first parts of the names before the head, such as `conv1` and `layer1`.
    pub fn trunk(&self) -> BTreeSet<&str> {
        self.arrays.keys().filter(|name| !self.is_head(name)).map(|name| first_part(name)).collect()
    }

    /// Whether an array can stand for what is wanted: of that shape, and of floats where floats are needed.
    pub fn accepts(wanted: &Wanted, array: &Array) -> bool {
        array.shape == wanted.shape && (!wanted.required || array.as_f32().is_some())
    }
}

/// A name up to its first dot.
pub(super) fn first_part(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
