//! Which parts of an image speak for a class: Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391).

use super::DropoutKey;
use crate::ModelError;
use crate::graph::{Network, Value};
use crate::ops::Op;
use crate::plan::{Mode, Precision, Request};
use wellfit_kernels::Buffer;

/// Heat maps of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct GradCam {
    /// Rows of a map: those of the last block's output.
    pub height: usize,
    /// Its columns.
    pub width: usize,
    /// `[N, height, width]`: how much each place speaks for the class, at least 0. What it is compared with is the
    /// map's own maximum: the unit is that of the network's outputs.
    pub maps: Vec<f32>,
    /// `[N, classes]`: the network's outputs in evaluation mode.
    pub outputs: Vec<f32>,
    /// `[N]`: the class of each map.
    pub classes: Vec<usize>,
}

impl Network {
    /// The output of the last block of convolutions: what the last average over all pixels reads. None in a network
    /// without one.
    #[must_use]
    pub fn last_block(&self) -> Option<Value> {
        let pooled = self.nodes.iter().rev().find(|node| matches!(node.op, Op::GlobalAveragePool(_)));
        pooled.and_then(|node| node.inputs.first().copied())
    }

    /// Grad-CAM of `images` `[N, H, W, C]` for the class that `class` chooses by an image's outputs. With A the output
    /// of the last block and y the output of the class, the map is max(0, Σₖ αₖAₖ), where αₖ is the mean of ∂y/∂Aₖ over
    /// all places. Evaluation mode; from the last block on in f32. None in a network without convolutions.
    ///
    /// # Errors
    /// When a pass cannot be computed.
    pub fn grad_cam(
        &self,
        images: &[f32],
        class: &dyn Fn(&[f32]) -> usize,
    ) -> Result<Option<GradCam>, ModelError> {
        let Some(cut) = self.last_block() else { return Ok(None) };
        let (shape, features) = (self.shape(cut), self.features(images, cut));
        let (batch, nodes) = (features.len() / shape.len(), cut..self.output());
        let request = Request { mode: Mode::Explanation, batch, nodes, precision: Precision::F32 };
        // Nothing is random in this mode.
        let key = DropoutKey { seed: 0, step: 0, row: 0 };
        let recorded = self.record::<f32>(&features, &self.plan(&request), key, &mut |_| ())?;
        let outputs = recorded.values.get(self.output()).to_vec();
        let mut slopes = vec![0.0; outputs.len()];
        let mut classes = Vec::with_capacity(batch);
        let rows = outputs.chunks_exact(self.outputs()).zip(slopes.chunks_exact_mut(self.outputs()));
        for (outputs, slopes) in rows {
            let class = class(outputs).min(slopes.len() - 1);
            slopes[class] = 1.0;
            classes.push(class);
        }
        let (_, gradient) = self.backward_in(recorded, Buffer::from_slice(&slopes), &mut |_| (), None);
        let gradient = gradient.unwrap_or_else(|| Buffer::from_slice(&vec![0.0; features.len()]));
        let (values, slopes) = (features.chunks_exact(shape.len()), gradient.chunks_exact(shape.len()));
        let maps = values.zip(slopes).flat_map(|(a, dy)| map(a, dy, shape.channels)).collect();
        Ok(Some(GradCam { height: shape.height, width: shape.width, maps, outputs, classes }))
    }
}

/// The map of one image, from the block's output and its gradient, each `[places, channels]`.
fn map(values: &[f32], slopes: &[f32], channels: usize) -> Vec<f32> {
    let places = (values.len() / channels) as f64;
    let mut weights = vec![0.0_f64; channels];
    for place in slopes.chunks_exact(channels) {
        weights.iter_mut().zip(place).for_each(|(weight, &slope)| *weight += f64::from(slope) / places);
    }
    let heat =
        |place: &[f32]| -> f64 { place.iter().zip(&weights).map(|(&a, weight)| f64::from(a) * weight).sum() };
    values.chunks_exact(channels).map(|place| heat(place).max(0.0) as f32).collect()
}
