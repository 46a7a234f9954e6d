//! Keeps the states of a baseline from which treated runs will begin.

use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::options::RunSpec;
use crate::sharing::{Sharing, trained};
use std::path::Path;
use wellfit_record::{Checkpoint, EpochRecord, RunDir, TrialDir, read_checkpoint};
use wellfit_train::LAST;
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};

/// Watches the training of a baseline, and keeps the states that treated runs will begin from.
pub(super) struct Keeper<'a> {
    observer: &'a mut dyn Observer,
    dir: &'a TrialDir,
    /// Of the pair.
    seed: u64,
    sharings: Vec<Sharing>,
    trained: Vec<EpochRecord>,
    /// The epochs at whose end a treated run parts.
    wanted: Vec<u32>,
}

impl<'a> Keeper<'a> {
    /// For the baseline, in the directory `run`, of the pair with that seed, and the treated runs that begin within it. What of
    /// it is there already is looked at.
    pub fn new(
        observer: &'a mut dyn Observer,
        (dir, seed): (&'a TrialDir, u64),
        run: &Path,
        sharings: Vec<Sharing>,
    ) -> Result<Self, RunError> {
        let sharings = sharings.into_iter().filter(Sharing::is_some).collect();
        let mut keeper = Self { observer, dir, seed, sharings, trained: Vec::new(), wanted: Vec::new() };
        let Ok(run) = RunDir::open(run) else { return Ok(keeper) };
        keeper.trained = trained(&run)?;
        keeper.look();
        for path in run.checkpoints()? {
            if let Ok(loaded) = read_checkpoint(&path) {
                keeper.keep(&loaded.checkpoint);
            }
        }
        // What comes behind its newest checkpoint is trained again.
        let newest = run.newest_good(Some(LAST))?.found;
        let done = newest.map_or(0, |found| found.checkpoint.manifest.info.epoch);
        keeper.trained.truncate(done as usize);
        Ok(keeper)
    }

    fn look(&mut self) {
        // A policy that cannot be made is reported by the run that has it.
        let found = self.sharings.iter().filter_map(|sharing| sharing.parts(&self.trained).ok().flatten());
        self.wanted = found.map(|parting| parting.epoch).collect();
    }

    fn keep(&self, checkpoint: &Checkpoint) {
        let info = &checkpoint.manifest.info;
        let ended = |record: &EpochRecord| record.epoch == info.epoch && record.step == info.step;
        let is_end = self.trained.iter().any(ended);
        if checkpoint.manifest.name == LAST && is_end && self.wanted.contains(&info.epoch) {
            // Without it the treated run trains everything itself.
            let _ = self.dir.keep(self.seed, checkpoint);
        }
    }
}

impl Callback for Keeper<'_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.observer.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.observer.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        self.observer.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.keep(checkpoint);
        self.observer.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        self.trained.push(*report.record);
        self.look();
        self.observer.epoch_end(report)
    }
}

impl Observer for Keeper<'_> {
    fn notice(&mut self, notice: &Notice) {
        self.observer.notice(notice);
    }

    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        self.observer.ready(spec, run)
    }
}
