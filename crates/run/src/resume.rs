//! Resuming a run that was interrupted.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::machine::start_event;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::saved::SavedRun;
use crate::training::Outcome;
use std::path::{Path, PathBuf};
use wellfit_data::DataError;
use wellfit_record::{Event, RecordError, RunDir, RunWriter, StopReason, list_runs};
use wellfit_train::LAST;

/// Where to look for runs.
const RUNS: &str = "runs";

/// Where a run's data are, if they have moved since.
#[derive(Debug, Clone, Default)]
pub struct MovedData {
    /// The folder, or the name of built-in data.
    pub data: Option<String>,
    /// Where Fashion-MNIST's files may lie.
    pub dir: Option<PathBuf>,
}

/// The result of resuming a run.
#[derive(Debug)]
pub enum Resumed {
    /// It was finished already.
    Finished,
    /// It was resumed and ran to its end.
    Completed(Box<Outcome>),
}

/// Continue the run in `dir` from its newest good checkpoint. It ends with the bits it would have had without the
/// interruption.
///
/// # Errors
/// If it is no training run, or another process is writing to it; if the data are not those it was trained on; and as
/// [`train`](crate::train).
pub fn resume(dir: &Path, moved: &MovedData, observer: &mut dyn Observer) -> Result<Resumed, RunError> {
    let run = RunDir::open(dir)?;
    let saved = SavedRun::read(&run)?;
    // A run that another process is writing is refused before anything slow is read.
    let writer = RunWriter::resume(dir)?;
    if let Some(message) = diverged(&run)? {
        let name = dir.display();
        return Err(RunError::Diverged(format!(
            "{name} ended because {message}; resumed, it would do so again"
        )));
    }
    if saved.is_finished(&run)? {
        return Ok(Resumed::Finished);
    }
    let source = DataSource {
        data: moved.data.clone().unwrap_or_else(|| saved.source.data.clone()),
        dir: moved.dir.clone().or_else(|| saved.source.data_dir.clone()),
        validation: saved.source.validation,
    };
    let experiment = Experiment::prepare(&saved.options(&run)?, &source, observer)?;
    if let Some(difference) = saved.difference(&experiment) {
        let (data, name) = (&source.data, dir.display());
        return Err(RunError::Data(DataError::Invalid(format!(
            "{data} is not what {name} was trained on: {difference}. Give it the same data: wellfit resume {name} DATA"
        ))));
    }
    let outcome = Unfinished { run: writer, saved }.resume(experiment, observer)?;
    Ok(Resumed::Completed(Box::new(outcome)))
}

/// A run that was interrupted.
pub struct Unfinished {
    run: RunWriter,
    saved: SavedRun,
}

impl Unfinished {
    /// Continue from the newest good checkpoint.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(
        mut self,
        mut experiment: Experiment,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, RunError> {
        let dir = RunDir::open(self.run.path())?;
        let newest = dir.newest_good(Some(LAST))?;
        for damaged in &newest.skipped {
            self.warn(&Notice::CheckpointDamaged { damaged: damaged.to_string() }, observer)?;
        }
        if let Some(message) = other_machine(&dir)? {
            self.warn(&Notice::OtherMachine { message }, observer)?;
        }
        let place = match &newest.found {
            Some(found) => {
                let info = &found.checkpoint.manifest.info;
                format!("{}, epoch {}, step {}", found.checkpoint.name(), info.epoch, info.step)
            }
            None => {
                experiment.load_weights(observer)?;
                "its beginning: it has no checkpoint yet".to_owned()
            }
        };
        experiment.describe(observer);
        experiment.take_memory()?;
        observer.notice(&Notice::Resuming { path: self.run.path().to_owned(), place });
        experiment.execute(self.run, &self.saved, Some(&newest), observer)
    }

    /// Report a message that the record should hold too.
    fn warn(&mut self, notice: &Notice, observer: &mut dyn Observer) -> Result<(), RunError> {
        observer.notice(notice);
        Ok(self.run.event(&Event::Warning { message: notice.to_string() })?)
    }
}

/// The same bits are promised for one kind of processor and one version only.
fn other_machine(dir: &RunDir) -> Result<Option<String>, RunError> {
    let events = dir.events()?.rows;
    let machine = |event: &Event| match event {
        Event::Start { versions, host, .. } => Some((versions.clone(), host.clone())),
        _ => None,
    };
    let (before, now) = (events.iter().find_map(machine), machine(&start_event()));
    let (Some(before), Some(now)) = (before, now) else { return Ok(None) };
    Ok((before != now).then(|| {
        format!(
            "the run began on {} with Wellfit {}, here are {} and {}: the last bits of its results may differ from \
             those of an uninterrupted run",
            before.1, before.0["wellfit"], now.1, now.0["wellfit"]
        )
    }))
}

/// The words of a run that ended with a loss that is no number.
fn diverged(dir: &RunDir) -> Result<Option<String>, RunError> {
    Ok(dir.events()?.rows.into_iter().rev().find_map(|event| match event {
        Event::Stop { reason: StopReason::Diverged, message, .. } => Some(message),
        _ => None,
    }))
}

impl Experiment {
    /// The newest unfinished run with these settings and these data: the one in `dir`, or else among `runs/`.
    ///
    /// # Errors
    /// If the runs cannot be listed, or the one that fits cannot be opened.
    pub fn find_unfinished(
        &self,
        dir: Option<&Path>,
        observer: &mut dyn Observer,
    ) -> Result<Option<Unfinished>, RunError> {
        for path in candidates(dir)?.into_iter().rev() {
            // Whatever cannot be read cannot be the one.
            let Ok(run) = RunDir::open(&path) else { continue };
            let Ok(saved) = SavedRun::read(&run) else { continue };
            if !saved.is_of(self) || saved.is_finished(&run)? || diverged(&run)?.is_some() {
                continue;
            }
            match RunWriter::resume(&path) {
                Ok(run) => return Ok(Some(Unfinished { run, saved })),
                Err(RecordError::InUse(_)) => observer.notice(&Notice::UnderWay { path }),
                Err(error) => return Err(error.into()),
            }
        }
        observer.notice(&Notice::NothingToResume { place: dir.unwrap_or(Path::new(RUNS)).to_owned() });
        Ok(None)
    }
}

/// Where to look, the newest last.
fn candidates(dir: Option<&Path>) -> Result<Vec<PathBuf>, RunError> {
    match dir {
        Some(dir) => Ok(vec![dir.to_path_buf()]),
        None if Path::new(RUNS).is_dir() => {
            Ok(list_runs(Path::new(RUNS))?.into_iter().map(|run| run.path).collect())
        }
        None => Ok(Vec::new()),
    }
}
