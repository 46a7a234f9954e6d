//! All concerns about an experiment.

use super::{Concern, first_loss, network, parts, policies, rate, schedule};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::observer::Observer;
use crate::trained_on;
use wellfit_models::architecture;

impl Experiment {
    /// Do all that a run does before its first step but write, and list what cannot work. The observer hears the same
    /// notices as those of a run, but for these.
    ///
    /// # Errors
    /// As [`train`](crate::train()), for what is refused before the first step.
    pub fn check(mut self, observer: &mut dyn Observer) -> Result<Vec<Concern>, RunError> {
        self.fit_time(observer)?;
        self.load_and_describe(observer)?;
        self.concerns()
    }

    /// What cannot work. Weights are loaded, and the run fits into memory.
    pub(crate) fn concerns(&self) -> Result<Vec<Concern>, RunError> {
        let spec = &self.spec;
        let steps = self.train.batches().div_ceil(spec.accumulate as usize) as u64;
        let file = architecture(&spec.model)?.weight_files.first().copied();
        let mut concerns = policies::concerns(spec);
        concerns.extend(rate::concerns(spec));
        concerns.extend(schedule::concerns(spec, steps));
        concerns.extend(network::concerns(spec, &self.network, self.parts.train.len(), file));
        concerns.extend(parts::concerns(&self.parts)?);
        concerns.extend(trained_on::concern(spec.weights.as_deref(), &self.parts.validation)?);
        concerns.extend(first_loss::concern(self)?);
        Ok(concerns)
    }
}
