//! Training images that are judged as validation images are: in evaluation mode, without augmentation.

use super::answers::is_listed;
use crate::callback::Callback;
use crate::error::TrainError;
use crate::evaluate::{Compute, evaluate_source};
use crate::features::Source;
use crate::fit::FitConfig;
use wellfit_data::Loader;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::Network;
use wellfit_record::EpochStatistics;

/// When training images are judged, where statistics are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrainEval {
    /// As often as its images are a small share of those trained on: it is the one figure that needs a pass of its own.
    /// With 60,000 images it is after every other epoch, with
    /// 2,000 after every 67th.
    #[default]
    Cheap,
    /// After every so many epochs; 0 for never.
    Every(u32),
}

/// Images judged for each image trained on, at most.
const SHARE: f64 = 0.015;

impl TrainEval {
    /// Whether `judged` of `images` training images are judged after that epoch, from 1.
    pub fn is_due(self, epoch: u32, judged: usize, images: usize) -> bool {
        match self {
            Self::Every(every) => every > 0 && epoch.is_multiple_of(every),
            Self::Cheap => {
                let affordable =
                    |epoch: u32| (f64::from(epoch) * SHARE * images as f64 / judged as f64) as u64;
                affordable(epoch) > affordable(epoch - 1)
            }
        }
    }
}

/// Those training images: all, or evenly spaced ones where there are many.
#[derive(Debug)]
pub(crate) struct JudgedTraining {
    source: Source,
    /// How many training images there are.
    images: usize,
    when: TrainEval,
}

impl JudgedTraining {
    /// Of a loader's images, if an epoch of the run has them judged; `source` makes the inputs of the network.
    pub fn new(
        train: &Loader,
        config: &FitConfig,
        source: impl FnOnce(&Loader) -> Result<Source, TrainError>,
    ) -> Result<Option<Self>, TrainError> {
        let (images, when) = (train.dataset().len(), config.train_eval);
        let places: Vec<u32> = (0..images as u32).filter(|&i| is_listed(i as usize, images)).collect();
        if !config.statistics || !(1..=config.epochs).any(|epoch| when.is_due(epoch, places.len(), images)) {
            return Ok(None);
        }
        Ok(Some(Self { source: source(&train.plain(&places)?)?, images, when }))
    }

    /// Judge them after an epoch in which they are due, and put what is found into its line.
    pub fn judge(
        &self,
        network: (&Network, &Compute<'_>),
        callback: &mut dyn Callback,
        line: &mut EpochStatistics,
    ) -> Result<(), TrainError> {
        let judged = self.source.loader().dataset().len();
        if !self.when.is_due(line.epoch, judged, self.images) {
            return Ok(());
        }
        let (loss, mut quiet) = (CrossEntropy::default(), Quiet(callback));
        let found = evaluate_source(network, &self.source, &loss, line.epoch, &mut quiet, |_, _| ())?;
        line.train_eval_loss = Some(found.loss());
        line.train_eval_accuracy = Some(found.accuracy());
        line.train_eval_images = Some(judged as u64);
        Ok(())
    }
}

/// Only asks whether to go on: it is no part of the validation that is shown.
struct Quiet<'a>(&'a mut dyn Callback);

impl Callback for Quiet<'_> {
    fn interrupted(&mut self) -> Option<String> {
        self.0.interrupted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_a_pass_is_done_as_often_as_it_is_cheap() {
        let due = |when: TrainEval, judged, images| -> Vec<u32> {
            (1..=140).filter(|&epoch| when.is_due(epoch, judged, images)).collect()
        };
        assert_eq!(due(TrainEval::Cheap, 2000, 60_000)[..4], [3, 5, 7, 9]);
        assert_eq!(due(TrainEval::Cheap, 2000, 2000), [67, 134]);
        assert_eq!(due(TrainEval::Cheap, 2000, 1_000_000).len(), 140, "each epoch, once");
        assert_eq!(due(TrainEval::Every(50), 10, 10), [50, 100]);
        assert!(due(TrainEval::Every(0), 10, 10).is_empty());
    }
}
