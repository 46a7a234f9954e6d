//! From the options of `prove` to a trial.

use super::audit;
use super::helpers::{self, Helpers};
use super::words::report;
use crate::args::ProveArgs;
use crate::config::require;
use crate::error::CliError;
use crate::output::{Output, command_line};
use crate::progress::Progress;
use std::path::Path;
use wellfit::proof::Pairs;
use wellfit::record::RunDir;
use wellfit::run::{Ask, DataSource, Destination, Options, RunError, origin, prove};

/// Run the command.
pub fn run(args: &ProveArgs, out: Output) -> Result<(), CliError> {
    require(args.jobs > 0, || "--jobs must be at least 1".to_owned())?;
    let mut progress = Progress::new(out, args.several.verbose);
    if let Some(trial) = &args.audit {
        return audit::run(trial, args.data.as_deref(), &mut progress, out);
    }
    let data = args.data.as_deref().unwrap_or_default();
    let (run, source) = if RunDir::open(data).is_ok() {
        let (options, mut source) = origin(Path::new(data))?;
        source.dir = args.several.place.data_dir.clone().or(source.dir);
        (Some(options), source)
    } else {
        (None, args.several.source(data))
    };
    let ask = ask(args, run)?;
    let place = Destination { dir: args.out.clone(), force: false, command: command_line() };
    let proof = match helpers::trial() {
        Some(trial) => {
            let place = Destination { dir: Some(trial), ..place };
            return within(&Ask { only_runs: true, test: false, ..ask }, &source, &place, &mut progress);
        }
        None => {
            let mut helpers = Helpers::default();
            let mut begun = |begun: &_| helpers.start(args.jobs, begun, out);
            let proof = prove(&ask, &source, &place, args.resume.is_some(), &mut begun, &mut progress);
            helpers.end(proof.is_err());
            proof
        }
    };
    report(&proof.map_err(interrupted)?, out);
    Ok(())
}

/// Work on a trial that another process judges.
fn within(
    ask: &Ask,
    source: &DataSource,
    place: &Destination,
    progress: &mut Progress,
) -> Result<(), CliError> {
    prove(ask, source, place, true, &mut |_| {}, progress).map(drop).map_err(interrupted)
}

/// What a trial that is interrupted says.
pub fn interrupted(error: RunError) -> CliError {
    match error {
        RunError::Interrupted { reason, .. } => CliError::Interrupted(format!(
            "interrupted by {reason}; what was trained is saved: the same command with --resume auto goes on"
        )),
        other => other.into(),
    }
}

fn ask(args: &ProveArgs, run: Option<Options>) -> Result<Ask, CliError> {
    let baseline = args.several.settings.over_file(args.a.as_deref().or(args.several.config.as_deref()))?;
    let other = args.b.as_deref().map(|file| {
        let options = args.several.settings.0.clone().combine(Options::read(file)?);
        let name = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        Ok::<_, RunError>((name, options))
    });
    let until = args.until_sure.map(|at_most| Pairs::UntilSure { at_most });
    Ok(Ask {
        baseline,
        run,
        techniques: args.technique.clone(),
        other: other.transpose()?,
        pairs: until.or(args.seeds.map(|seeds| Pairs::Fixed { seeds, grown_to: None })),
        metric: args.proof.metric.clone(),
        delta: args.proof.delta,
        alpha: args.proof.alpha,
        treat_at: args.treat_at,
        race: args.race,
        factorial: args.factorial,
        test: args.test,
        only_runs: false,
    })
}
