//! A large network that starts from random weights: what that means is said before anything is computed.

use crate::budget::second_time;
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::memory;
use crate::notice::Notice;
use crate::observer::Observer;
use wellfit_models::architecture;

impl Experiment {
    /// Warn, if a network that is usually fine-tuned is to learn from nothing: how far it is from guessing, and how long
    /// it will take by a step that is measured now.
    ///
    /// # Errors
    /// If the run does not fit into memory, or the device fails.
    pub(crate) fn warn_of_random_weights(&self, observer: &mut dyn Observer) -> Result<(), RunError> {
        let Self { spec, parts, .. } = self;
        let files = architecture(&spec.model)?.weight_files;
        let pictures = parts.train.native_size().is_none();
        let Some(&file) = files.first().filter(|_| pictures && spec.weights.is_none() && !spec.freeze) else {
            return Ok(());
        };
        memory::check(self)?;
        let commonest = parts.validation.class_counts().into_iter().max().unwrap_or(0);
        observer.notice(&Notice::RandomWeights {
            model: spec.model.clone(),
            file,
            images: parts.train.len(),
            chance: commonest as f64 / parts.validation.len() as f64,
            epochs: spec.epochs,
            steps: self.train.batches(),
            step: self.time_a_step()?,
        });
        Ok(())
    }

    /// Seconds of a training step that changes all layers; the network learns nothing from it.
    pub(crate) fn time_a_step(&self) -> Result<f64, RunError> {
        let size = self.train.batch_sizes().into_iter().max().unwrap_or(0);
        let mut network = self.network.clone();
        network.unfreeze();
        let mut trainer = self.spec.trainer(network, self.spec.loss())?;
        let inputs = vec![0.5; size * self.network.input.len()];
        let labels: Vec<u32> = (0..size as u32).map(|i| i % self.network.outputs() as u32).collect();
        trainer.upload()?;
        Ok(second_time(|| trainer.step(&inputs, &labels[..], self.spec.rate()).map(drop))?)
    }
}
