//! Resuming a run that was interrupted.

use crate::embedded::{EMBEDDED, is_embedded};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::lost::{Asked, Remedy, Start, lost_in_the_end};
use crate::machine::start_event;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::opening::DataSource;
use crate::options::{Entry, Options, entries};
use crate::saved::SavedRun;
use crate::training::{Origin, Outcome};
use crate::weights_name;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wellfit_base::Shown;
use wellfit_cluster::Link;
use wellfit_data::DataError;
use wellfit_fetch::Name;
use wellfit_record::{Event, RecordError, RunDir, RunState, RunWriter, StopReason, list_runs};
use wellfit_train::LAST;

/// Where to look for runs.
pub(crate) const RUNS: &str = "runs";

/// What is given for a run that is resumed.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The folder, or the name of built-in data, if they have moved since.
    pub data: Option<String>,
    /// Where Fashion-MNIST's files may lie, if they have moved since.
    pub dir: Option<PathBuf>,
    /// The other processes that go on with it, if there are any.
    pub link: Option<Arc<Link>>,
    /// Settings. Only `epochs` and those that change no results may differ from the run's.
    pub options: Options,
}

/// The result of resuming a run.
#[derive(Debug)]
pub enum Resumed {
    /// It was finished already.
    Finished {
        /// How many epochs it has.
        epochs: u32,
    },
    /// It was resumed and ran to its end.
    Completed(Box<Outcome>),
}

/// Continue the run in `dir` from its newest good checkpoint. It ends with the bits it would have had without the
/// interruption. With more `epochs` than it has, it goes on even if it had ended: then early stopping counts from 0 again,
/// and a schedule is that of the new number of epochs.
///
/// # Errors
/// If other settings are given than it has; if it is no training run, or another process is writing to it; if the data are not those it was trained on; and as
/// [`train`](crate::train).
pub fn resume(dir: &Path, changes: &Changes, observer: &mut dyn Observer) -> Result<Resumed, RunError> {
    let run = RunDir::open(dir)?;
    let saved = SavedRun::read(&run)?;
    // A run that another process is writing is refused before anything slow is read.
    let writer = RunWriter::resume(dir)?;
    if let Some(message) = diverged(&run)? {
        let name = dir.shown();
        return Err(RunError::Diverged(format!(
            "{name} ended because {message}; resumed, it would do so again"
        )));
    }
    let before = saved.options(&run)?;
    let options = changed(&before, &saved.as_given(&changes.options, &before), dir)?;
    let outcome = run.outcome()?;
    let more = changes.options.epochs.filter(|epochs| *epochs > outcome.epochs);
    if let Some(fewer) = changes.options.epochs.filter(|epochs| *epochs < outcome.epochs) {
        let (name, done) = (dir.shown(), outcome.epochs);
        let problem = format!("`epochs` {fewer}: {name} has trained {done} already; give more to go on");
        return Err(RunError::setting("epochs", problem));
    }
    let ended = matches!(outcome.state, RunState::Stopped(_));
    if saved.is_finished(&run)? && more.is_none() {
        let (lost, remedy) = lost_in_the_end(&writer, &saved)?;
        if lost.is_empty() || remedy == Remedy::None {
            lost.into_iter().for_each(|lost| observer.notice(&Notice::Lost { lost, remedy }));
            return Ok(Resumed::Finished { epochs: outcome.epochs });
        }
    }
    let source = source_of(&saved, changes);
    let experiment = Experiment::prepare(&options, &source, observer)?.shared(changes.link.clone())?;
    let how = format!("Give it the same data: wellfit resume {} DATA", dir.shown());
    require_same_data((&saved, dir), &experiment, &how)?;
    let go_on_after_stop = ended && more.is_some();
    let mut unfinished = Unfinished { run: writer, saved, go_on_after_stop };
    if go_on_after_stop || before.epochs != options.epochs {
        unfinished.allow_epochs(&experiment, observer)?;
    }
    let outcome = unfinished.resume(experiment, observer)?;
    Ok(Resumed::Completed(Box::new(outcome)))
}

/// Refuse other data than those that the run in `dir` was trained on, and say how to give these.
pub(crate) fn require_same_data(
    (saved, dir): (&SavedRun, &Path),
    experiment: &Experiment,
    how: &str,
) -> Result<(), RunError> {
    let Some(difference) = saved.difference(experiment) else { return Ok(()) };
    let (data, name) = (&experiment.source.data, dir.shown());
    Err(RunError::Data(DataError::Invalid(format!(
        "{data} is not what {name} was trained on: {difference}. {how}"
    ))))
}

/// Where the run's data are now.
pub(crate) fn source_of(saved: &SavedRun, changes: &Changes) -> DataSource {
    DataSource {
        data: changes.data.clone().unwrap_or_else(|| saved.source.data.clone()),
        dir: changes.dir.clone().or_else(|| saved.source.data_dir.clone()),
        validation: saved.source.validation,
        columns: saved.source.columns.clone(),
    }
}

/// The run's settings with what is given: more epochs, and what changes no results.
pub(crate) fn changed(before: &Options, given: &Options, dir: &Path) -> Result<Options, RunError> {
    let table = |options: &Options| {
        toml::Table::try_from(options).map_err(|error| RunError::Output(format!("settings: {error}")))
    };
    let mut typed = given.clone().with_implied();
    // As `run.toml` has them.
    if let Some(Some(path)) = typed.weights.take() {
        let recorded = before.weights.as_ref().and_then(Option::as_deref);
        typed.weights = Some(Some(as_recorded(path, recorded, before.model.as_deref())?));
    }
    typed.precision = typed.precision.map(|name| name.resolve().into());
    let (old, new) = (table(before)?, table(&typed)?);
    let may_change = |entry: &&Entry| entry.immaterial || entry.name == "epochs";
    for entry in entries().iter().filter(|entry| !may_change(entry)) {
        let (was, is) = (old.get(entry.name), new.get(entry.name));
        if let Some(is) = is.filter(|is| Some(*is) != was) {
            let (name, run) = (entry.name, dir.shown());
            let was = was.map_or_else(|| "not set".to_owned(), ToString::to_string);
            return Err(RunError::setting(
                name,
                format!(
                    "`{name}` is {was} in {run}, not {is}: a resumed run keeps its settings. For others, begin a new \
                     run from its weights: `weights` {run}"
                ),
            ));
        }
    }
    Ok(typed.combine(before.clone()))
}

/// What there is to resume.
pub enum Found {
    /// Nothing that fits.
    None,
    /// A run that goes on.
    Unfinished(Box<Unfinished>),
    /// There is nothing left to do.
    Finished {
        /// The run's directory.
        run: PathBuf,
        /// How many epochs it has.
        epochs: u32,
    },
}

/// Weights as `run.toml` names those that a run of this `model` begins with: a name has a version there.
fn as_recorded(path: PathBuf, recorded: Option<&Path>, model: Option<&str>) -> Result<PathBuf, RunError> {
    let Some(name) = weights_name(&path)? else { return Ok(weights_name::absolute(path)) };
    let before = recorded.map(weights_name).transpose()?.flatten();
    match (name, before) {
        // Without a version, whatever it is now: the run keeps the one it began with.
        (Name::Hub(typed), Some(Name::Hub(before))) if typed.id == before.id && typed.revision == "main" => {
            Ok(Name::Hub(before).to_string().into())
        }
        (Name::ImageNet(_), None) if recorded.is_some_and(is_embedded) => Ok(EMBEDDED.into()),
        (name, _) => {
            Ok(weights_name::pinned(&name, model.unwrap_or_default()).unwrap_or(name).to_string().into())
        }
    }
}

/// A run that was interrupted.
pub struct Unfinished {
    run: RunWriter,
    saved: SavedRun,
    /// Whether it goes on although it had ended.
    go_on_after_stop: bool,
}

impl Unfinished {
    /// Of a run that this process owns.
    pub(crate) fn new(run: RunWriter, saved: SavedRun) -> Self {
        Self { run, saved, go_on_after_stop: false }
    }

    /// Continue from the newest good checkpoint.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn resume(
        mut self,
        mut experiment: Experiment,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, RunError> {
        experiment.take_lr(self.saved.lr_find.as_ref());
        let dir = RunDir::open(self.run.path())?;
        experiment.keep_epochs(&self.saved, &dir)?;
        let Start { newest, lost, remedy } = self.start(&experiment, &dir)?;
        for damaged in &newest.skipped {
            self.warn(&Notice::CheckpointDamaged { damaged: damaged.to_string() }, observer)?;
        }
        for lost in lost {
            self.warn(&Notice::Lost { lost, remedy }, observer)?;
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
                let why = if remedy == Remedy::Now { "" } else { ": it has no checkpoint yet" };
                format!("its beginning{why}")
            }
        };
        experiment.describe(observer);
        experiment.take_memory()?;
        observer.notice(&Notice::Resuming { path: self.run.path().to_owned(), place });
        let from = Origin {
            newest: &newest,
            go_on_after_stop: self.go_on_after_stop,
            again_at_the_end: remedy == Remedy::AtTheEnd,
        };
        experiment.execute(self.run, &self.saved, Some(from), observer)
    }

    /// From where it goes on. A run that is to be longer than it was goes on from its end, whatever it lost.
    fn start(&self, experiment: &Experiment, dir: &RunDir) -> Result<Start, RunError> {
        if self.go_on_after_stop {
            let newest = dir.newest_good(Some(LAST))?;
            return Ok(Start { newest, lost: Vec::new(), remedy: Remedy::None });
        }
        let spec = &experiment.spec;
        let asked = Asked { copies: spec.checkpoint.as_deref(), epochs: spec.epochs };
        Start::choose(&self.run, &self.saved, asked)
    }

    /// Write the new number of epochs where the next `resume` finds it.
    fn allow_epochs(&mut self, experiment: &Experiment, observer: &mut dyn Observer) -> Result<(), RunError> {
        self.saved.info.config = toml::Value::try_from(&experiment.spec)
            .map_err(|error| RunError::Output(format!("cannot write run.toml: {error}")))?;
        self.saved.went_on = true;
        self.run.replace_run_toml(&self.saved)?;
        let spec = &experiment.spec;
        let schedule = (!spec.schedule.is_constant()).then(|| spec.schedule.to_string());
        observer.notice(&Notice::MoreEpochs { epochs: spec.epochs, schedule });
        Ok(())
    }

    /// Report a message that the record should hold too.
    fn warn(&mut self, notice: &Notice, observer: &mut dyn Observer) -> Result<(), RunError> {
        observer.notice(notice);
        Ok(self.run.event(&Event::Warning { message: notice.to_string() })?)
    }
}

/// The same bits are promised for one kind of processor and one version only.
pub(crate) fn other_machine(dir: &RunDir) -> Result<Option<String>, RunError> {
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
pub(crate) fn diverged(dir: &RunDir) -> Result<Option<String>, RunError> {
    Ok(dir.events()?.rows.into_iter().rev().find_map(|event| match event {
        Event::Stop { reason: StopReason::Diverged, message, .. } => Some(message),
        _ => None,
    }))
}

impl Experiment {
    /// The newest unfinished run with these settings and these data: the one in `dir`, or else among `runs/`. The one in
    /// `dir` may also be finished.
    ///
    /// # Errors
    /// If the runs cannot be listed, or the one that fits cannot be opened.
    pub fn find_run(&self, dir: Option<&Path>, observer: &mut dyn Observer) -> Result<Found, RunError> {
        let mut near = None;
        for path in candidates(dir)?.into_iter().rev() {
            // Whatever cannot be read cannot be the one.
            let Ok(run) = RunDir::open(&path) else { continue };
            let Ok(saved) = SavedRun::read(&run) else { continue };
            let finished = saved.is_finished(&run)?;
            if (finished && dir.is_none()) || diverged(&run)?.is_some() {
                continue;
            }
            match saved.differs_from(self) {
                None => continue,
                Some(differences) if finished && differences.is_empty() => {
                    return Ok(Found::Finished { epochs: run.outcome()?.epochs, run: path });
                }
                Some(_) if finished => continue,
                Some(differences) if !differences.is_empty() => {
                    near.get_or_insert((path, differences));
                    continue;
                }
                Some(_) => {}
            }
            match RunWriter::resume(&path) {
                Ok(run) => return Ok(Found::Unfinished(Box::new(Unfinished::new(run, saved)))),
                Err(RecordError::InUse(_)) => observer.notice(&Notice::UnderWay { path }),
                Err(error) => return Err(error.into()),
            }
        }
        observer.notice(&Notice::NothingToResume { place: dir.unwrap_or(Path::new(RUNS)).to_owned() });
        if let Some((path, differences)) = near {
            observer.notice(&Notice::OtherSettings { path, differences });
        }
        Ok(Found::None)
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
