//! How a run ends, or stops for now.

use crate::checkpoint::load_trained;
use crate::error::TrainError;
use crate::fit::Outcome;
use crate::position::{Position, Stop};
use crate::session::Session;
use crate::step::Trainer;
use wellfit_record::{Event, RunWriter, StopReason, now};

impl Session<'_> {
    /// Save where the run stands, and why it ends here for now.
    pub(crate) fn interrupt(&mut self, reason: &str, run: &mut RunWriter) -> Result<(), TrainError> {
        self.commit(run)?;
        run.settle()?;
        let (epoch, step, reason) = (self.epoch() - 1, self.trainer.optimizer.step, reason.to_owned());
        Ok(run.event(&Event::Interrupted { epoch, step, reason, time: now() })?)
    }

    /// Record that the loss is no number, and the error that says so.
    pub(crate) fn diverged(&self, run: &mut RunWriter, step: u64, loss: f64, lr: f64) -> TrainError {
        let kept = match self.at.best {
            Some(place) => format!("epoch {}, the best so far,", place + 1),
            None => "no epoch".to_owned(),
        };
        let error = TrainError::Diverged { epoch: self.epoch(), step, loss, lr, kept };
        let stop = Stop { kind: StopReason::Diverged, reason: error.to_string() };
        self.record_stop(run, &stop, self.epoch()).err().unwrap_or(error)
    }

    /// Record how the run ended.
    pub(crate) fn finish(mut self, run: &mut RunWriter) -> Result<Outcome, TrainError> {
        let finished = || Stop { kind: StopReason::Finished, reason: trained_for(self.config.epochs) };
        let diverged = || Stop {
            kind: StopReason::Diverged,
            reason: "the validation loss was NaN in every epoch".to_owned(),
        };
        let stop =
            if self.best.is_none() { diverged() } else { self.at.stop.clone().unwrap_or_else(finished) };
        self.record_stop(run, &stop, self.epoch() - 1)?;
        let seconds = self.seconds();
        self.exchange();
        let Trainer { mut network, .. } = self.trainer;
        self.best.iter().try_for_each(|best| load_trained(&mut network, best))?;
        let Position { epochs, best, .. } = self.at;
        Ok(Outcome { epochs, best, stop: stop.kind, stop_message: stop.reason, network, seconds })
    }

    fn record_stop(&self, run: &mut RunWriter, stop: &Stop, epoch: u32) -> Result<(), TrainError> {
        let best = self.best_record();
        Ok(run.event(&Event::Stop {
            reason: stop.kind,
            message: stop.reason.clone(),
            epoch,
            best_epoch: best.map(|record| record.epoch),
            best_value: best.map(|record| record.value(self.config.best)),
            time: now(),
        })?)
    }
}

/// Why a run ended that trained for as long as it was to.
fn trained_for(epochs: u32) -> String {
    if epochs == 1 {
        "the one epoch is trained".to_owned()
    } else {
        format!("all {epochs} epochs are trained")
    }
}
