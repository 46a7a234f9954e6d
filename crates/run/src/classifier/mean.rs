//! Means of probabilities.

use std::fmt::Debug;
use std::sync::Arc;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Value;
use wellfit_models::{DropoutKey, Engine, ModelError, Network, TrainingPass};
use wellfit_policy::classification::log_softmax;

/// Other ways to look at the same images.
pub(super) trait Views: Debug + Send + Sync {
    /// The outputs of each way, `[N, classes]`, for images `[N, H, W, C]` as `network` takes them.
    fn outputs(
        &self,
        engine: &dyn Engine,
        network: &Network,
        images: &[f32],
    ) -> Result<Vec<Buffer>, ModelError>;
}

/// An engine whose outputs are the logarithms of the mean of the probabilities of a network's own and all other views.
/// Probabilities, not outputs, are averaged, so that a single certain answer does not outweigh the others by the size of
/// its outputs.
#[derive(Debug)]
pub(super) struct Averaged<V> {
    pub engine: Arc<dyn Engine>,
    pub views: V,
}

impl<V: Views> Engine for Averaged<V> {
    fn name(&self) -> String {
        self.engine.name()
    }

    fn rows_are_independent(&self) -> bool {
        self.engine.rows_are_independent()
    }

    /// From the images on; behind them the network's own view is alone.
    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        let mut outputs = self.engine.evaluate(network, value, cut)?;
        if cut != 0 {
            return Ok(outputs);
        }
        let others = self.views.outputs(&*self.engine, network, value)?;
        let classes = network.outputs().max(1);
        for (place, row) in outputs.chunks_exact_mut(classes).enumerate() {
            let others = others.iter().map(|outputs| &outputs[place * classes..(place + 1) * classes]);
            let mean = mean_of_probabilities(&std::iter::once(&*row).chain(others).collect::<Vec<_>>());
            row.copy_from_slice(&mean);
        }
        Ok(outputs)
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        self.engine.forward(network, value, cut, key)
    }
}

/// The logarithms of the mean of the probabilities of some rows of outputs. They are added as logarithms, so that small
/// ones stay numbers.
fn mean_of_probabilities(rows: &[&[f32]]) -> Vec<f32> {
    let logs: Vec<Vec<f64>> = rows.iter().map(|row| log_softmax(row, 1.0)).collect();
    let mean = |class: usize| {
        let largest = logs.iter().map(|row| row[class]).fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return largest;
        }
        let sum: f64 = logs.iter().map(|row| libm::exp(row[class] - largest)).sum();
        largest + libm::log(sum / logs.len() as f64)
    };
    (0..logs.first().map_or(0, Vec::len)).map(|class| mean(class) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_averaged() {
        let logs = |shares: [f32; 2]| shares.map(f32::ln);
        let (one, other) = (logs([0.25, 0.75]), logs([0.75, 0.25]));
        let mean = mean_of_probabilities(&[&one, &other]);
        assert!(mean.iter().all(|log| (log.exp() - 0.5).abs() < 1e-6), "{mean:?}");
        let mean = mean_of_probabilities(&[&one, &other, &logs([0.8, 0.2])]);
        assert!((mean[0].exp() - 0.6).abs() < 1e-6, "{mean:?}");
        // Far too small for a probability, but a number.
        let mean = mean_of_probabilities(&[&[0.0, -800.0], &[0.0, -900.0]]);
        assert!(mean[0].abs() < 1e-6 && (mean[1] + 800.0 + 2.0_f32.ln()).abs() < 1e-3, "{mean:?}");
    }
}
