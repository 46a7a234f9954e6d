//! Several processes that make one run: the first opens it, decides and writes; the others are told what it is about, and
//! compute their parts of its batches.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::opening::{DataSource, Validation};
use crate::options::Options;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wellfit_cluster::Link;
use wellfit_data::Columns;
use wellfit_simd::InstructionSet;

/// What the others need to know of a run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    #[serde(flatten)]
    machine: Machine,
    /// Every setting, as `run.toml` has them.
    settings: String,
    data: String,
    data_dir: Option<PathBuf>,
    columns: Columns,
    validation: Validation,
    /// Of the training and the validation images.
    fingerprints: [String; 2],
}

/// What all processes must have in common, or else they would not compute the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Machine {
    version: String,
    instructions: String,
}

impl Machine {
    fn here() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { version, instructions: InstructionSet::current().name().to_owned() }
    }
}

fn unwritable(error: &dyn std::fmt::Display) -> RunError {
    RunError::Output(format!("what the other processes are told: {error}"))
}

impl Experiment {
    /// Share its batches with other processes.
    ///
    /// # Errors
    /// If there are more processes than parts of a batch.
    pub fn shared(mut self, link: Option<Arc<Link>>) -> Result<Self, RunError> {
        let (shards, processes) = (self.spec.shards, link.as_ref().map_or(1, |link| link.size()));
        if processes > shards {
            let problem = format!(
                "`shards` {shards}: a batch in so many parts cannot be shared by {processes} processes. Start {shards} or \
                 fewer, or begin a run with `shards` {processes}"
            );
            return Err(RunError::setting("shards", problem));
        }
        self.link = link;
        Ok(self)
    }

    /// Tell the other processes, if there are any, what the run is about.
    pub(crate) fn tell_others(&self) -> Result<(), RunError> {
        let Some(link) = &self.link else { return Ok(()) };
        let DataSource { dir, columns, validation, .. } = &self.source;
        let job = Job {
            machine: Machine::here(),
            settings: toml::to_string(&self.spec).map_err(|error| unwritable(&error))?,
            data: self.absolute_data(),
            data_dir: dir.clone(),
            columns: columns.clone(),
            validation: *validation,
            fingerprints: self.fingerprints()?,
        };
        link.broadcast(serde_json::to_vec(&job).map_err(|error| unwritable(&error))?)
            .map_err(RunError::from)?;
        Ok(())
    }

    fn fingerprints(&self) -> Result<[String; 2], RunError> {
        Ok([self.parts.train.fingerprint()?, self.parts.validation.fingerprint()?])
    }
}

/// Compute this process' part in each run of the first one, until that says that there are no more.
///
/// # Errors
/// If the data cannot be used here or are others than there, or another process is gone.
pub fn follow(link: &Arc<Link>) -> Result<(), RunError> {
    loop {
        let text = link.broadcast(Vec::new()).map_err(RunError::from)?;
        if text.is_empty() {
            return Ok(());
        }
        let job: Job = serde_json::from_slice(&text).map_err(|error| unwritable(&error))?;
        job.follow(link)?;
    }
}

/// Tell the other processes that there are no more runs.
pub fn dismiss(link: &Link) {
    // Whoever is gone need not be told.
    let _ = link.broadcast(Vec::new());
}

impl Job {
    fn follow(self, link: &Arc<Link>) -> Result<(), RunError> {
        let here = Machine::here();
        if self.machine != here {
            let Machine { version, instructions } = self.machine;
            return Err(RunError::Unusable(format!(
                "the first process is Wellfit {version} with {instructions}, process {} is {} with {}: their sums would \
                 differ. Start the same program everywhere, and set WELLFIT_SIMD to an instruction set that all processors have",
                link.rank(),
                here.version,
                here.instructions
            )));
        }
        let options: Options = toml::from_str(&self.settings).map_err(|error| unwritable(&error))?;
        let Self { data, data_dir: dir, columns, validation, fingerprints, .. } = self;
        let source = DataSource { data, dir, validation, columns };
        let mut experiment =
            Experiment::prepare(&options, &source, &mut ())?.shared(Some(Arc::clone(link)))?;
        if experiment.fingerprints()? != fingerprints {
            let (data, rank) = (&source.data, link.rank());
            let problem = format!(
                "{data} is not the same for process {rank} as for the first: give all of them the same data"
            );
            return Err(wellfit_data::DataError::Invalid(problem).into());
        }
        experiment.take_memory()?;
        let config = experiment.config_with(BTreeMap::new())?;
        let Experiment { network, train, val, .. } = experiment;
        Ok(wellfit_train::follow(network, (&train, &val), &config)?)
    }
}
