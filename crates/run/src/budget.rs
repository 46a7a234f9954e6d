//! `time`: as many epochs as fit into a time, found out before the first step.
//!
//! Every epoch that is planned is trained, so the schedule ends where it should; a run that is stopped by the clock would
//! have learned at a high rate to its last step. The number of epochs becomes one of the run's settings, so resuming
//! measures nothing.

use crate::error::RunError;
use crate::experiment::{Experiment, network};
use crate::figures::duration;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::{CacheName, Options};
use crate::saved::SavedRun;
use std::time::Instant;
use wellfit_record::RunDir;

/// The share of the time that is planned: what was measured in a few steps may take longer later.
const PLANNED: f64 = 0.9;

/// Batches whose loading is timed.
const TIMED_BATCHES: usize = 3;

/// What the parts of a run take on this machine, in seconds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// A pass over the training images that changes all layers.
    whole: f64,
    /// A pass over the training images through the frozen layers.
    features: f64,
    /// Validation.
    validation: f64,
    /// How many of the passes through frozen layers have to be computed, at most: the others find their features.
    computed: Option<u32>,
}

impl Cost {
    /// All epochs, of which the first `frozen` leave the backbone as it is.
    fn of(&self, epochs: u32, frozen: u32) -> f64 {
        let passes = frozen.min(self.computed.unwrap_or(frozen));
        let looks = if self.computed.is_some() { frozen.min(1) } else { frozen };
        f64::from(passes) * self.features
            + f64::from(looks) * self.validation
            + f64::from(epochs - frozen) * (self.whole + self.validation)
    }
}

/// The most epochs, up to `most`, that take `seconds` at most; each number of epochs has its number of frozen ones.
fn fitting(cost: &Cost, most: u32, seconds: f64, frozen: impl Fn(u32) -> u32) -> Option<u32> {
    (1..=most).rev().find(|&epochs| cost.of(epochs, frozen(epochs)) <= seconds)
}

impl Experiment {
    /// Lower the number of epochs until the run fits into the time there is, if it has one.
    ///
    /// # Errors
    /// If not even one epoch fits, an image cannot be read, or the device fails.
    pub(crate) fn fit_time(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        let Some(time) = self.spec.time else { return Ok(()) };
        let cost = self.cost()?;
        let left = PLANNED * time.seconds() - self.began.elapsed().as_secs_f64();
        let (most, head, freeze) = (self.spec.epochs, self.spec.freeze_epochs, self.spec.freeze);
        let alone = |epochs: u32| head.min(epochs / 3);
        let frozen = |epochs| if freeze { epochs } else { alone(epochs) };
        let Some(epochs) = fitting(&cost, most, left, frozen) else {
            return Err(RunError::setting("time", self.too_short(cost.of(1, frozen(1)))));
        };
        self.set_epochs(epochs, alone(epochs))?;
        let seconds = cost.of(epochs, frozen(epochs));
        observer.notice(&Notice::Fitted { epochs, of: most, seconds, time: time.seconds() });
        Ok(())
    }

    /// Take these numbers of epochs in place of those that were planned.
    fn set_epochs(&mut self, epochs: u32, alone: u32) -> Result<(), RunError> {
        let had_head_epochs = self.spec.freeze_epochs > 0;
        (self.spec.epochs, self.spec.freeze_epochs) = (epochs, alone);
        if self.spec.warmup > 0 {
            // It may need more epochs than fit.
            self.spec.validate()?;
        }
        if had_head_epochs && alone == 0 {
            self.network = network(&self.spec, &self.preprocessing, self.parts.train.classes.len())?;
        }
        Ok(())
    }

    /// A run with a time keeps the epochs that it began with.
    ///
    /// # Errors
    /// If its settings cannot be read.
    pub(crate) fn keep_epochs(&mut self, saved: &SavedRun, run: &RunDir) -> Result<(), RunError> {
        if self.spec.time.is_none() {
            return Ok(());
        }
        let Options { epochs, freeze_epochs, .. } = saved.options(run)?;
        self.set_epochs(epochs.unwrap_or(self.spec.epochs), freeze_epochs.unwrap_or(self.spec.freeze_epochs))
    }

    /// The words for a time that is too short for one epoch of so many seconds.
    fn too_short(&self, epoch: f64) -> String {
        let time = self.spec.time.map_or(0.0, |time| time.seconds());
        let spent = duration(self.began.elapsed().as_secs_f64());
        let cheaper = if self.spec.weights.is_some() && !self.spec.freeze {
            "; `recipe` linear-probe trains the head alone, in a fraction of the time"
        } else {
            "; a smaller `image_size` or another `model` is faster"
        };
        format!(
            "`time` {}: one epoch takes about {}, after {spent} of preparation{cheaper}",
            duration(time),
            duration(epoch)
        )
    }

    /// Measure what the parts of the run take. The network learns nothing from it.
    fn cost(&self) -> Result<Cost, RunError> {
        let size = self.train.batch_sizes().into_iter().max().unwrap_or(0);
        let (inputs, batches) = (vec![0.5; size * self.network.input.len()], self.train.batches() as f64);
        let mut trainer = self.spec.trainer(self.network.clone(), self.spec.loss())?;
        trainer.upload()?;
        let forward = second_time(|| trainer.evaluate((&inputs, 0)).map(drop))?;
        let load = self.time_to_load()?;
        let whole = if self.spec.freeze { 0.0 } else { batches * self.time_a_step()?.max(load) };
        let known = self.train.augmentations().variants().filter(|_| self.spec.cache != CacheName::Off);
        Ok(Cost {
            whole,
            features: batches * forward.max(load),
            validation: self.val.batches() as f64 * forward,
            computed: known,
        })
    }

    /// Seconds that a batch takes to be loaded.
    fn time_to_load(&self) -> Result<f64, RunError> {
        let began = Instant::now();
        let mut count = 0;
        for batch in self.train.epoch(0).take(TIMED_BATCHES) {
            batch?;
            count += 1;
        }
        Ok(began.elapsed().as_secs_f64() / f64::from(count.max(1)))
    }
}

/// Seconds that the second of two calls takes: the first one gets memory and plans.
pub(crate) fn second_time<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    work()?;
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Cost, fitting};

    const COST: Cost = Cost { whole: 8.0, features: 3.0, validation: 2.0, computed: Some(2) };

    #[test]
    fn features_are_paid_for_once_a_variant() {
        // Two passes and one look for four frozen epochs, then eight whole ones.
        assert_eq!(COST.of(12, 4), 2.0 * 3.0 + 2.0 + 8.0 * 10.0);
        assert_eq!(COST.of(30, 30), 2.0 * 3.0 + 2.0);
        let anew = Cost { computed: None, ..COST };
        assert_eq!(anew.of(3, 3), 3.0 * (3.0 + 2.0));
        assert_eq!(COST.of(2, 0), 20.0);
    }

    #[test]
    fn the_most_epochs_that_fit_are_taken() {
        let head = |epochs: u32| 4.min(epochs / 3);
        let fits = |seconds| fitting(&COST, 12, seconds, head);
        assert_eq!(fits(1000.0), Some(12));
        assert_eq!(fits(COST.of(12, 4)), Some(12));
        // Of 11 epochs 3 are frozen, whose features cost the same: as many whole ones.
        assert_eq!(fits(COST.of(12, 4) - 0.1), Some(10));
        assert_eq!(fits(10.0), Some(1));
        assert_eq!(fits(9.9), None);
    }
}
