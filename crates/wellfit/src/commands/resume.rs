//! `wellfit resume`: going on with a run that was interrupted.

use crate::args::ResumeArgs;
use crate::commands::job::Job;
use crate::commands::train::execute;
use crate::error::CliError;
use crate::kept::Kept;
use crate::labs::start_event;
use crate::memory;
use crate::output::{self, Output};
use serde_json::json;
use std::path::{Path, PathBuf};
use wellfit::data::DataError;
use wellfit::record::{Event, RecordError, RunDir, RunWriter, StopReason, list_runs};
use wellfit::train::LAST;

/// Run the command.
pub fn run(args: &ResumeArgs, out: Output) -> Result<(), CliError> {
    let dir = RunDir::open(&args.run)?;
    let kept = Kept::read(&dir)?;
    // Before anything is read that takes time: a live run is refused.
    let run = RunWriter::resume(&args.run)?;
    if let Some(message) = diverged(&dir)? {
        return Err(CliError::Diverged(format!(
            "{} ended because {message}; resumed, it would do so again",
            args.run.display()
        )));
    }
    if kept.is_finished(&dir)? {
        out.say(format!("{} is finished: there is nothing to resume", args.run.display()));
        out.result(&json!({ "run": output::path(&args.run), "finished": true }));
        return Ok(());
    }
    let data = args.data.as_deref().unwrap_or(&kept.source.data);
    let data_dir = args.data_dir.as_deref().or(kept.source.data_dir.as_deref());
    let job = Job::prepare(kept.options(&dir)?, (data, data_dir), kept.source.validation, out)?;
    if let Some(difference) = kept.difference(&job) {
        return Err(CliError::Data(DataError::Invalid(format!(
            "{data} is not what {} was trained on: {difference}. Give it the same data: wellfit resume {} DATA",
            args.run.display(),
            args.run.display()
        ))));
    }
    go_on(run, &kept, job, args.verbose, out)
}

/// Go on from the newest good checkpoint.
pub fn go_on(
    mut run: RunWriter,
    kept: &Kept,
    mut job: Job,
    verbose: bool,
    out: Output,
) -> Result<(), CliError> {
    let dir = RunDir::open(run.path())?;
    let newest = dir.newest_good(Some(LAST))?;
    for damaged in &newest.skipped {
        warn(&mut run, &format!("a checkpoint is passed over: {damaged}"), out)?;
    }
    warn_of_another_machine(&mut run, &dir, out)?;
    let place = match &newest.found {
        Some(found) => {
            let info = &found.checkpoint.manifest.info;
            format!("{}, epoch {}, step {}", found.checkpoint.name(), info.epoch, info.step)
        }
        None => {
            job.load_weights(out)?;
            "its beginning: it has no checkpoint yet".to_owned()
        }
    };
    job.describe(out);
    let left = memory::check(&job)?;
    job.open_cache(left)?;
    out.say(format!("Resuming {} from {place}", run.path().display()));
    execute(run, &kept.info, job, Some(&newest), verbose, out)
}

fn warn(run: &mut RunWriter, message: &str, out: Output) -> Result<(), CliError> {
    out.warn(message);
    Ok(run.event(&Event::Warning { message: message.to_owned() })?)
}

/// The same bits are promised for one kind of processor and one version only.
fn warn_of_another_machine(run: &mut RunWriter, dir: &RunDir, out: Output) -> Result<(), CliError> {
    let events = dir.events()?.rows;
    let machine = |event: &Event| match event {
        Event::Start { versions, host, .. } => Some((versions.clone(), host.clone())),
        _ => None,
    };
    let (then, now) = (events.iter().find_map(machine), machine(&start_event()));
    if let (Some(then), Some(now)) = (then, now)
        && then != now
    {
        let message = format!(
            "the run began on {} with Wellfit {}, here are {} and {}: the last bits of its results may differ from \
             those of an uninterrupted run",
            then.1, then.0["wellfit"], now.1, now.0["wellfit"]
        );
        warn(run, &message, out)?;
    }
    Ok(())
}

/// The words of a run that ended with a loss that is no number.
fn diverged(dir: &RunDir) -> Result<Option<String>, CliError> {
    Ok(dir.events()?.rows.into_iter().rev().find_map(|event| match event {
        Event::Stop { reason: StopReason::Diverged, message, .. } => Some(message),
        _ => None,
    }))
}

/// `train --resume auto`: the newest unfinished run with this configuration and these data, at `out` or else
/// among `runs/`.
pub fn find(job: &Job, out_dir: Option<&Path>, out: Output) -> Result<Option<(RunWriter, Kept)>, CliError> {
    for path in candidates(out_dir)?.into_iter().rev() {
        // Whatever cannot be read cannot be the one.
        let Ok(dir) = RunDir::open(&path) else { continue };
        let Ok(kept) = Kept::read(&dir) else { continue };
        if !kept.is_of(job) || kept.is_finished(&dir)? || diverged(&dir)?.is_some() {
            continue;
        }
        match RunWriter::resume(&path) {
            Ok(run) => return Ok(Some((run, kept))),
            Err(RecordError::InUse(_)) => {
                out.say(format!("{} is under way in another process", path.display()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let place = out_dir.unwrap_or(Path::new("runs")).display().to_string();
    out.say(format!("No unfinished run of this configuration and these data in {place}: a new one begins"));
    Ok(None)
}

/// Where to look, the newest last.
fn candidates(out_dir: Option<&Path>) -> Result<Vec<PathBuf>, CliError> {
    match out_dir {
        Some(dir) => Ok(vec![dir.to_path_buf()]),
        None if Path::new("runs").is_dir() => {
            Ok(list_runs(Path::new("runs"))?.into_iter().map(|run| run.path).collect())
        }
        None => Ok(Vec::new()),
    }
}
