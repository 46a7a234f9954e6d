//! From images to a range for each value that is stored as codes.

use super::histogram::Histogram;
use super::layers::Stored;
use crate::graph::{Network, Value};
use crate::ops::Forward;
use crate::passes::Values;
use crate::plan::{Mode, Precision, Request};
use crate::{ModelError, Node};
use std::collections::BTreeMap;
use wellfit_kernels::int8::Affine;

/// How each value is stored, by the name of the node that makes it; the images are called `input`.
pub type Ranges = BTreeMap<String, Affine>;

/// The name of a value in [`Ranges`].
pub(super) fn name(network: &Network, value: Value) -> &str {
    value.checked_sub(1).map_or("input", |node| &network.nodes[node].name)
}

/// How often numbers occurred in the values of a network, image after image.
#[derive(Debug)]
pub struct Calibration {
    histograms: BTreeMap<Value, Histogram>,
}

impl Calibration {
    /// Before the first image.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let stored = Stored::new(network);
        Self { histograms: stored.ranged().map(|value| (value, Histogram::new())).collect() }
    }

    /// Watch an evaluation pass of the network this was made for, over `images` `[N, H, W, C]`.
    ///
    /// # Errors
    /// When an operation cannot be computed.
    pub fn watch(&mut self, network: &Network, images: &[f32]) -> Result<(), ModelError> {
        let (batch, nodes) = (images.len() / network.input.len(), 0..network.output());
        let request = Request { mode: Mode::Evaluation, batch, nodes, precision: Precision::F32 };
        let plan = network.plan(&request);
        let mut values = Values::new(images, 0, network.nodes.len());
        self.count(0, images);
        for (at, step) in plan.steps.iter().enumerate() {
            let mut done = |_: &Node| ();
            let mut given =
                Forward { network, plan: &plan, step, values: &values, key: None, done: &mut done };
            let made = network.nodes[step.node].op.forward(&mut given)?.value;
            self.count(step.output, &made);
            values.put(step.last(), made);
            plan.freed_after(at).iter().for_each(|&value| values.free(value));
        }
        Ok(())
    }

    fn count(&mut self, value: Value, numbers: &[f32]) {
        if let Some(histogram) = self.histograms.get_mut(&value) {
            histogram.add(numbers);
        }
    }

    /// For each value the codes that store what was watched with the least squared error.
    ///
    /// # Errors
    /// When a value was not finite.
    pub fn ranges(&self, network: &Network) -> Result<Ranges, ModelError> {
        let mut ranges = Ranges::new();
        for (&value, histogram) in &self.histograms {
            let name = name(network, value);
            if !histogram.is_finite() {
                return Err(ModelError::CannotQuantise {
                    model: network.name.clone(),
                    problem: format!("`{name}` gave NaN or infinite numbers on the calibration images"),
                });
            }
            ranges.insert(name.to_owned(), histogram.best());
        }
        Ok(ranges)
    }
}
