//! What other tools are told of a run while it goes on: TensorBoard by a file that grows, MLflow by its REST interface.

mod mlflow;
mod tensorboard;

use crate::notice::Notice;
use crate::options::RunSpec;
use mlflow::Mlflow;
use std::path::{Path, PathBuf};
use tensorboard::Tensorboard;
use wellfit_record::{EpochRecord, RunDir, RunInfo, StepRecord};

/// Those who are told; by default nobody.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    path: PathBuf,
    tensorboard: Option<Option<Tensorboard>>,
    mlflow: Option<(String, Box<RunInfo>)>,
    teller: Option<Mlflow>,
    /// How far the steps were read.
    read: u64,
    begun: bool,
}

impl Tracking {
    /// As the settings say.
    pub fn new(spec: &RunSpec, info: &RunInfo, path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            tensorboard: spec.tensorboard.then_some(None),
            mlflow: spec.mlflow.clone().map(|url| (url, Box::new(info.clone()))),
            teller: None,
            read: 0,
            begun: false,
        }
    }

    /// Tell what the run is, before its first epoch in this process: by then a resumed run has gone back to where it goes on.
    pub fn begin(&mut self) -> Vec<Notice> {
        if self.begun || (self.tensorboard.is_none() && self.mlflow.is_none()) {
            return Vec::new();
        }
        self.begun = true;
        let run = match RunDir::open(&self.path).and_then(|run| Ok((run.steps_after(0)?.1, run))) {
            Ok((read, run)) => {
                self.read = read;
                run
            }
            Err(error) => return vec![not_told("other tools", error.to_string())],
        };
        let mut problems = Vec::new();
        if let Some(file) = &mut self.tensorboard {
            match Tensorboard::begin(&run) {
                Ok(begun) => *file = Some(begun),
                Err(problem) => problems.push(not_told(TENSORBOARD, problem)),
            }
        }
        if let Some((url, info)) = self.mlflow.take() {
            match Mlflow::begin(&url, &info, &run) {
                Ok(begun) => self.teller = Some(begun),
                Err(problem) => problems.push(not_told(MLFLOW, problem)),
            }
        }
        problems
    }

    /// Tell of an epoch that was just recorded. Who cannot be told is told nothing more.
    pub fn epoch(&mut self, epoch: &EpochRecord) -> Option<Notice> {
        let file = self.tensorboard.as_mut().and_then(Option::as_mut);
        if file.is_none() && self.teller.is_none() {
            return None;
        }
        let read = RunDir::open(&self.path).and_then(|run| run.steps_after(self.read));
        let (steps, read) = match read {
            Ok(read) => read,
            Err(error) => return Some(not_told("other tools", error.to_string())),
        };
        self.read = read;
        let own: Vec<StepRecord> = steps.into_iter().filter(|step| step.epoch == epoch.epoch).collect();
        if let Some(mlflow) = &self.teller {
            mlflow.epoch(epoch, &own);
        }
        let problem = file?.epoch(epoch, &own).err()?;
        self.tensorboard = None;
        Some(not_told(TENSORBOARD, problem))
    }

    /// Tell of the end, and wait until all was told. An interrupted run goes on where it was.
    pub fn end(&mut self, finished: bool) -> Option<Notice> {
        Some(not_told(MLFLOW, self.teller.take()?.end(finished)?))
    }
}

const TENSORBOARD: &str = "TensorBoard’s file";
const MLFLOW: &str = "MLflow";

fn not_told(to: &'static str, problem: String) -> Notice {
    Notice::NotTold { to, problem }
}
