//! What a run under way records.

use super::answers::ValidationAnswers;
use super::digits::rounded;
use super::sample::{Sample, add_silence, is_sampled};
use crate::callback::Callback;
use crate::error::TrainError;
use crate::evaluate::Compute;
use crate::features::Input;
use crate::prepared::Sources;
use crate::session::Session;
use crate::step::StepOutcome;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::Network;
use wellfit_record::{EpochStatistics, Statistics};

impl Session<'_> {
    /// Where what is seen of a step goes: of each one its norm where it is computed anyway, of some all. None where
    /// nothing is recorded of steps, as on a device with a memory of its own, whose gradients are not looked at.
    pub(crate) fn sample(&self, step: u64) -> Option<Sample> {
        let watched = is_sampled(step);
        let records = self.config.statistics && self.trainer.state.is_none();
        (records && (watched || self.config.clip_norm.is_some())).then(|| Sample::new(watched))
    }

    /// Whether the plain cross-entropy of training is recorded: where statistics are, and the loss is another one.
    pub(crate) fn records_plain(&self) -> bool {
        self.config.statistics && self.config.loss != CrossEntropy::default()
    }

    /// The line of the step just made, where there is something to tell.
    pub(crate) fn line_of_step(
        &self,
        sample: Option<&Sample>,
        data: &Input,
        outcome: StepOutcome,
    ) -> Result<Option<Statistics>, TrainError> {
        let Some(sample) = sample.filter(|_| outcome.updated) else { return Ok(None) };
        let (trainer, clips) = (&self.trainer, self.config.clip_norm.is_some());
        let place = (self.epoch(), trainer.optimizer.step);
        let Some(mut line) = sample.line(place, clips, &trainer.network) else { return Ok(None) };
        // The images of several batches are not kept, and those of a part may be elsewhere, so their loss cannot be computed
        // again.
        if sample.watched && self.config.accumulate == 1 && data.shards.count == 1 {
            let (loss, again) = trainer.repeat_from((&data.values, data.value), &data.labels)?;
            line.alpha = sample.alpha((outcome.loss, loss), trainer.network.precision);
            add_silence(&mut line, &again);
        }
        Ok(Some(Statistics::Step(line)))
    }

    /// The line of the epoch whose validation has just ended; some of the training images are judged for it.
    pub(crate) fn line_of_epoch(
        &self,
        answers: ValidationAnswers,
        network: (&Network, &Compute<'_>),
        data: &Sources,
        callback: &mut dyn Callback,
    ) -> Result<EpochStatistics, TrainError> {
        let (other, pass) = (self.records_plain(), &self.at.pass);
        let mut line = answers.line(self.epoch(), other);
        line.train_cross_entropy = other.then(|| rounded(pass.plain / pass.average.samples as f64));
        if let Some(judged) = &data.judged {
            judged.judge(network, callback, &mut line)?;
        }
        Ok(line)
    }
}
