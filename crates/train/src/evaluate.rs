//! A pass over data in evaluation mode.

use crate::callback::{Callback, Tick};
use crate::error::TrainError;
use crate::features::{Input, Source};
use crate::metrics::{Average, Scored};
use std::time::Instant;
use wellfit_data::Loader;
use wellfit_kernels::Buffer;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::{Engine, Network};
use wellfit_record::Phase;

/// An error if the callback asks to end the run.
pub(crate) fn check_interrupted(callback: &mut dyn Callback) -> Result<(), TrainError> {
    match callback.interrupted() {
        Some(reason) => Err(TrainError::Interrupted { reason }),
        None => Ok(()),
    }
}

/// Computes a network's outputs for a batch.
pub(crate) type Compute<'a> = dyn Fn(&Input) -> Result<Buffer, TrainError> + 'a;

/// The metrics of a network on a loader's data; `batch_done(logits, labels)` is called for every batch. A device with
/// a memory of its own gets the network once.
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
    let state = engine.upload(network)?;
    let compute = |input: &Input| {
        Ok(match &state {
            Some(state) => state.evaluate(network, &input.values, input.value),
            None => engine.evaluate(network, &input.values, input.value),
        }?)
    };
    evaluate_source((network, &compute), &Source::images(loader), loss, epoch, callback, batch_done)
}

/// The same for images or features.
pub(crate) fn evaluate_source(
    (network, compute): (&Network, &Compute<'_>),
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
        let logits = compute(&input)?;
        let loss = loss.loss(&logits, &input.labels.own, network.outputs());
        average.add(&Scored { outputs: &logits, labels: &input.labels.own, loss: &loss });
        batch_done(&logits, &input.labels.own);
        let (phase, elapsed) = (Phase::Validate, start.elapsed());
        callback.tick(&Tick { phase, epoch, batch, batches, average, elapsed });
        check_interrupted(callback)?;
    }
    Ok(average)
}
