//! A pass over data in evaluation mode.

use crate::callback::{Callback, Pass, Tick};
use crate::error::TrainError;
use crate::features::Source;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use wellfit_data::Loader;
use wellfit_kernels::loss::{CrossEntropy, Loss};
use wellfit_models::{Engine, Network};

/// Loss and accuracy over samples. A batch counts by its size: a short last batch weighs no more than its
/// images do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Average {
    /// Samples seen.
    pub samples: usize,
    /// Right answers.
    pub correct: usize,
    loss_sum: f64,
}

impl Average {
    /// Add a batch of `samples`.
    pub fn add(&mut self, loss: &Loss, samples: usize) {
        self.samples += samples;
        self.correct += loss.correct;
        self.loss_sum += loss.value * samples as f64;
    }

    /// The mean loss.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// The share of right answers.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }
}

/// Whether the callback wants the end.
pub(crate) fn heed(callback: &mut dyn Callback) -> Result<(), TrainError> {
    match callback.interrupted() {
        Some(reason) => Err(TrainError::Interrupted { reason }),
        None => Ok(()),
    }
}

/// Loss and accuracy of a network on a loader's data; `batch_done(logits, labels)` sees every batch.
///
/// # Errors
/// When an image cannot be read, when the device fails, or when the callback interrupts.
pub fn evaluate(
    engine: &dyn Engine,
    network: &Network,
    loader: &Loader,
    loss: &CrossEntropy,
    epoch: u32,
    callback: &mut dyn Callback,
    batch_done: impl FnMut(&[f32], &[u32]),
) -> Result<Average, TrainError> {
    evaluate_source(engine, network, &Source::images(loader), loss, epoch, callback, batch_done)
}

/// The same for images or features.
pub(crate) fn evaluate_source(
    engine: &dyn Engine,
    network: &Network,
    source: &Source,
    loss: &CrossEntropy,
    epoch: u32,
    callback: &mut dyn Callback,
    mut batch_done: impl FnMut(&[f32], &[u32]),
) -> Result<Average, TrainError> {
    let (start, batches) = (Instant::now(), source.batches());
    let mut average = Average::default();
    let mut inputs = source.epoch(0, 0);
    for batch in 1.. {
        let Some(input) = inputs.next(network)? else { break };
        let logits = engine.evaluate(network, &input.values, input.value)?;
        average.add(&loss.loss(&logits, &input.labels, network.outputs()), input.labels.len());
        batch_done(&logits, &input.labels);
        let (pass, elapsed) = (Pass::Validate, start.elapsed());
        callback.tick(&Tick { pass, epoch, batch, batches, average, elapsed });
        heed(callback)?;
    }
    Ok(average)
}
