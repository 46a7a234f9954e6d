//! TensorBoard's event file, which grows by an epoch at a time, so that TensorBoard shows a run that goes on.

use std::io::Write;
use wellfit_base::atomic;
use wellfit_record::{EpochRecord, RunDir, StepRecord};
use wellfit_report::RunReport;
use wellfit_report::tensorboard::{Clock, epoch_events, events, file_name};

/// The file of a run.
#[derive(Debug)]
pub(crate) struct Tensorboard {
    run: RunDir,
    name: String,
    clock: Clock,
}

impl Tensorboard {
    /// With the epochs that the run has: those that will be trained again are not in the record any more.
    pub fn begin(run: &RunDir) -> Result<Self, String> {
        let report = RunReport::read(run.path()).map_err(|error| error.to_string())?;
        let steps = run.steps().map_err(|error| error.to_string())?.rows;
        let name = file_name(&report.info.created);
        let (bytes, clock) = events(&report, &steps);
        atomic::replace(&run.path().join(&name), &bytes).map_err(|error| error.to_string())?;
        Ok(Self { run: run.clone(), name, clock })
    }

    /// One more epoch.
    pub fn epoch(&mut self, epoch: &EpochRecord, steps: &[StepRecord]) -> Result<(), String> {
        let bytes = epoch_events(&mut self.clock, epoch, &steps.iter().collect::<Vec<_>>());
        let dir = self.run.dir().map_err(|error| error.to_string())?;
        let file = dir.append_file(&self.name).and_then(|mut file| file.write_all(&bytes));
        file.map_err(|error| error.to_string())
    }
}
