//! The search for a learning rate: training steps whose rate grows, in a copy of the network that nobody keeps.

use crate::accumulation::Accumulated;
use crate::callback::{Callback, Tick};
use crate::error::TrainError;
use crate::evaluate::check_interrupted;
use crate::fit::FitConfig;
use crate::measured::Measured;
use crate::metrics::Average;
use crate::prepared::{source, trainer};
use std::time::Instant;
use wellfit_data::Loader;
use wellfit_models::{Network, Optimizer};
use wellfit_policy::lr_finder::{LrCurve, LrRange};
use wellfit_record::Phase;

/// Train `network` over `range` with the batches that a run of `config` begins with, and its loss, optimiser and clipping;
/// of `config` the learning rate, the epochs and what follows from them have no part. What is frozen of the network stays
/// so: a run that trains its head first would begin so, too.
///
/// The search ends early when the loss explodes. The callback hears of each step, as of a batch of one training pass.
///
/// # Errors
/// When an image cannot be read, when the device fails, or when the callback interrupts.
pub fn find_lr(
    network: Network,
    train: &Loader,
    config: &FitConfig,
    range: LrRange,
    callback: &mut dyn Callback,
) -> Result<LrCurve, TrainError> {
    let optimizer = Optimizer::new(config.rule, &network);
    let mut trainer = trainer(network, optimizer, config);
    let source = source(train, &trainer.network, config)?;
    trainer.upload()?;
    if config.accumulate > 1 && trainer.state.is_some() {
        return Err(TrainError::ProcessorOnly("gradients are accumulated"));
    }
    let (mut curve, mut accumulated) = (LrCurve::new(range), Accumulated::default());
    let (began, batches) = (Instant::now(), source.batches());
    let mut average = Average::default();
    for epoch in 0.. {
        let mut inputs = source.epoch(epoch, 0);
        let mut batch = 0;
        while let Some(data) = inputs.next(&trainer.network)? {
            let Some(lr) = curve.next_lr() else { return Ok(curve) };
            batch += 1;
            let group = (config.accumulate, batch == batches);
            let labels = data.labels.largest();
            let mut measured = Measured { average: &mut average, labels, plain: None, sample: None };
            let Some(outcome) = accumulated.step(&mut trainer, &data, group, lr, &mut measured)? else {
                continue;
            };
            curve.take(outcome.loss);
            callback.tick(&Tick {
                phase: Phase::Train,
                epoch: 1,
                batch: curve.points().len(),
                batches: range.steps as usize,
                average,
                elapsed: began.elapsed(),
            });
            check_interrupted(callback)?;
            if curve.next_lr().is_none() {
                return Ok(curve);
            }
        }
    }
    Ok(curve)
}
