//! What was asked of a run while it was under way, and the steps after which it was done.
//!
//! It is part of the record, as the seed is: all that follows is a function of both, so a run that is resumed from an earlier
//! checkpoint does the same again after the same step.

use crate::error::TrainError;
use crate::policies::EpochDecisions;
use crate::position::Stop;
use crate::session::Session;
use wellfit_record::{Event, Request, RunWriter, StopReason};

/// The requests, and the steps after which they were done.
#[derive(Debug, Default)]
pub(crate) struct Asked(Vec<(u64, Request)>);

impl Asked {
    /// Those of a record.
    pub fn of(events: &[Event]) -> Self {
        let requested = |event: &Event| match event {
            Event::Requested { request, step, .. } => Some((*step, *request)),
            _ => None,
        };
        Self(events.iter().filter_map(requested).collect())
    }

    /// What the rate of the steps behind `step` is multiplied by.
    pub fn factor_after(&self, step: u64) -> f64 {
        let factor = |(at, request): &(u64, Request)| match request {
            Request::LowerRate { factor } if *at <= step => Some(*factor),
            _ => None,
        };
        self.0.iter().filter_map(factor).product()
    }

    /// Whether the run is to stop after `step`.
    fn stops_after(&self, step: u64) -> bool {
        self.0.contains(&(step, Request::Stop))
    }

    /// A plateau scheduler knows nothing of the factor; what is recorded and shown of it is the rate that is used.
    pub fn scale(&self, decisions: &mut EpochDecisions, step: u64) {
        let factor = self.factor_after(step);
        if let Some(plateau) = decisions.plateau.as_mut().filter(|_| factor < 1.0) {
            plateau.lr_before *= factor;
            plateau.lr_after *= factor;
        }
    }
}

impl Session<'_> {
    /// Do what was asked of the run, if anything was.
    pub(crate) fn take_request(&mut self, run: &mut RunWriter) -> Result<(), TrainError> {
        let (epoch, step) = (self.epoch(), self.trainer.optimizer.step);
        if let Some(request) = run.take_request((epoch, step))? {
            self.asked.0.push((step, request));
        }
        Ok(())
    }

    /// Whether the run was asked to stop after the step that was made last, and was not told to go on since.
    pub(crate) fn is_told_to_stop(&self) -> bool {
        let step = self.trainer.optimizer.step;
        self.at.went_on != Some(step) && self.asked.stops_after(step)
    }

    /// At the end of an epoch: whether it is the last one because it was asked to be, also just now.
    pub(crate) fn end_if_told(&mut self, run: &mut RunWriter) -> Result<(), TrainError> {
        let (epoch, step) = (self.epoch() - 1, self.trainer.optimizer.step);
        if let Some(request) = run.take_request((epoch, step))? {
            self.asked.0.push((step, request));
        }
        if self.is_told_to_stop() {
            let reason = format!("it was asked to stop, after step {step}");
            self.at.stop.get_or_insert(Stop { kind: StopReason::Callback, reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_count_from_their_step_on() {
        let asked = |step, request| Event::Requested { request, epoch: 1, step, time: String::new() };
        let half = Request::LowerRate { factor: 0.5 };
        let asked = Asked::of(&[asked(3, half), asked(5, Request::Stop), asked(5, half)]);
        assert_eq!([2, 3, 4, 5, 9].map(|step| asked.factor_after(step)), [1.0, 0.5, 0.5, 0.25, 0.25]);
        assert_eq!([4, 5, 6].map(|step| asked.stops_after(step)), [false, true, false]);
    }
}
