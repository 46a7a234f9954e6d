//! Several batches for one step: the gradients of a batch that is larger than what fits into memory.

use crate::error::TrainError;
use crate::features::Input;
use crate::labels::MixedCrossEntropy;
use crate::step::{StepObserver, StepOutcome, Trainer};
use wellfit_models::{DropoutKey, Gradients};

/// The mean over all images of the batches so far.
#[derive(Debug, Default)]
pub(crate) struct Accumulated {
    gradients: Option<Gradients>,
    loss: f64,
    images: usize,
    batches: u32,
}

impl Accumulated {
    /// Learn from a batch, the last of `of` for one step or the `last` of the epoch: then the step is made with learning
    /// rate `lr`, and its outcome has the loss of all of them. None before. A loss that is no number ends it at once.
    ///
    /// # Errors
    /// As [`Trainer::step`].
    pub fn step(
        &mut self,
        trainer: &mut Trainer<MixedCrossEntropy>,
        data: &Input,
        (of, last): (u32, bool),
        lr: f64,
        observer: &mut dyn StepObserver,
    ) -> Result<Option<StepOutcome>, TrainError> {
        if of == 1 && data.shards.count == 1 {
            let input = (&data.values[..], data.value);
            return Ok(trainer.step_from(input, &data.labels, lr, observer).map(Some)?);
        }
        // What is random differs from batch to batch, and with one batch a step it is that of the step.
        let step = trainer.optimizer.step as u32 * of + self.batches + 1;
        let key = DropoutKey { seed: trainer.seed, step, row: 0 };
        let (outcome, gradients) = trainer.gradients_of(data, key, observer)?;
        let Some(gradients) = gradients else { return Ok(Some(outcome)) };
        self.add(gradients, outcome.loss, data.labels.own.len());
        if self.batches < of && !last {
            return Ok(None);
        }
        let Self { gradients, loss, .. } = std::mem::take(self);
        if let Some(gradients) = gradients {
            trainer.update(gradients, lr, observer);
        }
        Ok(Some(StepOutcome { loss, updated: true }))
    }

    fn add(&mut self, gradients: Gradients, loss: f64, images: usize) {
        self.images += images;
        self.batches += 1;
        let share = images as f64 / self.images as f64;
        self.loss += share * (loss - self.loss);
        match &mut self.gradients {
            Some(mean) => mean.take(&gradients, share as f32),
            None => self.gradients = Some(gradients),
        }
    }
}
