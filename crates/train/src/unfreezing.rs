//! From the head alone to the whole network: at once, or stage by stage (gradual unfreezing; Howard and Ruder 2018,
//! arXiv:1801.06146).

use crate::checkpoint::{frozen_file, load_trained, trained_file};
use crate::error::TrainError;
use crate::session::Session;
use crate::step::Trainer;
use wellfit_models::{AveragedWeights, Network, Optimizer};

/// How many stages of the backbone train in the epoch after `done` ones, of a network that has `all`. The head trains alone
/// in the first `head` epochs; then another stage joins every `every` epochs, or all at once with 0.
#[must_use]
pub fn stages_after(done: u32, (head, every): (u32, u32), all: usize) -> usize {
    let Some(since) = done.checked_sub(head) else { return 0 };
    since.checked_div(every).map_or(all, |stages| all.min(stages as usize + 1))
}

impl Session<'_> {
    /// How many stages train in the epoch to come, where some are frozen at first.
    fn stages_due(&self) -> usize {
        let (config, done) = (self.config, self.at.epochs.len() as u32);
        stages_after(done, (config.freeze_epochs, config.unfreeze_every), self.trainer.network.stages())
    }

    /// Whether more is to train from here on than did so far.
    pub(crate) fn unfreezing_is_due(&self) -> bool {
        self.at.stages.is_some_and(|stages| stages < self.stages_due())
    }

    /// Whether only the head trains for now, to be followed by other layers.
    pub(crate) fn trains_head(&self) -> bool {
        self.at.stages == Some(0)
    }

    /// Whether all trains that is to train in this run.
    pub(crate) fn trains_all(&self) -> bool {
        self.at.stages.is_none_or(|stages| stages >= self.trainer.network.stages())
    }

    /// Let the layers train that are due. The first to join the head make a new stage of training, with a fresh optimiser;
    /// later ones bring no moments, and those that train already keep theirs.
    pub(crate) fn unfreeze(&mut self) -> Result<(), TrainError> {
        let (due, head) = (self.stages_due(), self.trains_head());
        if let Some(file) = &self.best {
            let mut best = self.trainer.network.clone();
            load_trained(&mut best, file)?;
            best.train_stages(due);
            self.best = Some(trained_file(&best, self.config, Vec::new())?);
        }
        let Trainer { network, optimizer, .. } = &mut self.trainer;
        network.train_stages(due);
        if head {
            *optimizer = Optimizer::after(optimizer.step, self.config.rule, network);
        } else {
            optimizer.join(network);
        }
        self.average = self.average.take().map(|_| AveragedWeights::of(network));
        self.frozen = frozen_file(network, self.config)?;
        self.at.stages = Some(due);
        Ok(())
    }
}

/// Let train of a network what trained when a run stood where it says: `stages`, or for a run that did not say, all unless
/// something was `frozen`.
pub(crate) fn thaw(network: &mut Network, stages: Option<usize>, frozen: bool) -> usize {
    let all = network.stages();
    let stages = stages.unwrap_or(if frozen { 0 } else { all }).min(all);
    network.train_stages(stages);
    stages
}
