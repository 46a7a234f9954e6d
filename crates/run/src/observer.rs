//! How a caller watches a run while it is prepared, computed and finished.

use crate::error::RunError;
use crate::notice::Notice;
use crate::options::RunSpec;
use crate::tracking::Tracking;
use std::path::Path;
use wellfit_data::{Cache, Progress};
use wellfit_record::Checkpoint;
use wellfit_train::callback::{Callback, Control, EpochReport, Tick};

/// Watches and steers a run. Every method does nothing by default.
pub trait Observer: Callback + Send {
    /// Something the user may want to know.
    fn notice(&mut self, notice: &Notice) {
        let _ = notice;
    }

    /// Progress of slow work while data are opened.
    fn opening(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// Everything is ready and the run's directory is there: training begins after this.
    ///
    /// # Errors
    /// To refuse the run, which can then be resumed.
    fn ready(&mut self, spec: &RunSpec, run: &Path) -> Result<(), RunError> {
        let _ = (spec, run);
        Ok(())
    }
}

/// Watches nothing.
impl Observer for () {}

/// Passes on the training loop's calls, tells other tools of epochs, and reports a failure of the cache.
pub(crate) struct Watch<'a> {
    pub observer: &'a mut dyn Observer,
    pub cache: Cache,
    pub tracking: Tracking,
}

impl Watch<'_> {
    /// The training is over, or interrupted.
    pub fn end(&mut self, finished: bool) {
        if let Some(problem) = self.tracking.end(finished) {
            self.observer.notice(&problem);
        }
    }
}

impl Callback for Watch<'_> {
    fn epoch_start(&mut self, epoch: u32, epochs: u32) {
        self.tracking.begin().iter().for_each(|problem| self.observer.notice(problem));
        self.observer.epoch_start(epoch, epochs);
    }

    fn tick(&mut self, tick: &Tick) {
        self.observer.tick(tick);
    }

    fn interrupted(&mut self) -> Option<String> {
        self.observer.interrupted()
    }

    fn saved(&mut self, checkpoint: &Checkpoint) {
        self.observer.saved(checkpoint);
    }

    fn epoch_end(&mut self, report: &EpochReport<'_>) -> Control {
        if let Some(problem) = self.cache.take_failure() {
            self.observer.notice(&Notice::CacheFailed { problem });
        }
        if let Some(problem) = self.tracking.epoch(report.record) {
            self.observer.notice(&problem);
        }
        self.observer.epoch_end(report)
    }
}
