//! Several processes that work on one study, and the one that looks after them.

use super::progress::Trials;
use super::told;
use crate::error::CliError;
use crate::parent;
use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wellfit::train::Callback as _;
use wellfit::tune::{End, Watcher as _, Worker, best};

/// The variable that says that a process was started to help.
const HELPER: &str = "WELLFIT_TUNE_HELPER";
/// How often the study is looked at.
const PAUSE: Duration = Duration::from_millis(300);
/// After so many helpers were killed, no more are started in their place.
const MOST_KILLED: usize = 1000;

/// Whether this process was started to help another one.
pub fn is_one() -> bool {
    std::env::var_os(HELPER).is_some()
}

/// Let so many processes with this one's command line work on the study until it is done. One that is killed gets a successor,
/// and its trial is gone on with; one that fails ends the search.
pub fn work(
    workers: usize,
    threads: usize,
    study: &Worker<'_>,
    deadline: Option<Instant>,
    trials: &mut Trials,
) -> Result<End, CliError> {
    let start = || start(workers, threads);
    let mut helpers: Vec<Child> = (0..workers).map(|_| start()).collect::<Result<_, _>>()?;
    let mut told_of: BTreeSet<u32> = finished(study)?.into_iter().map(|trial| trial.number).collect();
    let (mut killed, mut end) = (0, End::Done);
    while !helpers.is_empty() {
        std::thread::sleep(PAUSE);
        tell(study, &mut told_of, trials)?;
        if end == End::Done {
            if let Some(reason) = trials.interrupted() {
                end = End::Interrupted(reason);
            } else if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                end = End::Budget;
            }
            if end != End::Done {
                helpers.iter_mut().for_each(parent::interrupt);
            }
        }
        let mut left = Vec::new();
        for mut helper in helpers {
            match helper.try_wait() {
                Ok(None) => left.push(helper),
                Ok(Some(status)) if status.success() || end != End::Done => {}
                // Without a code it was killed.
                Ok(Some(status)) if status.code().is_none() && killed < MOST_KILLED => {
                    killed += 1;
                    left.push(start()?);
                }
                Ok(Some(status)) => {
                    left.iter_mut().for_each(parent::interrupt);
                    let mut problem = String::new();
                    let _ = helper.stderr.take().map(|mut said| said.read_to_string(&mut problem));
                    let problem = problem.trim().trim_start_matches("error:").trim().to_owned();
                    return Err(CliError::from_code(status.code(), problem));
                }
                Err(error) => return Err(CliError::Output(format!("a worker is lost: {error}"))),
            }
        }
        helpers = left;
    }
    tell(study, &mut told_of, trials)?;
    Ok(end)
}

/// A process that helps, with its share of the threads unless they were given.
fn start(workers: usize, threads: usize) -> Result<Child, CliError> {
    let program = std::env::current_exe().unwrap_or_else(|_| "wellfit".into());
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(HELPER, "1");
    if threads == 0 {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        command.arg("--threads").arg((cores / workers).max(1).to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    parent::bind(&mut command);
    // Ctrl-C reaches all processes of a group: a helper gets its signal from this one, once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| CliError::Output(format!("a worker cannot be started: {error}")))
}

fn finished(study: &Worker<'_>) -> Result<Vec<wellfit::tune::Trial>, CliError> {
    let trials = study.trials().map_err(told)?;
    Ok(trials.into_iter().filter(|trial| trial.state.is_finished()).collect())
}

/// Say what became of trials since the last time.
fn tell(study: &Worker<'_>, told_of: &mut BTreeSet<u32>, trials: &mut Trials) -> Result<(), CliError> {
    let known = study.trials().map_err(told)?;
    for trial in known.iter().filter(|trial| trial.state.is_finished()) {
        if told_of.insert(trial.number) {
            trials.ended(trial, best(&known, study.direction()));
        }
    }
    Ok(())
}
