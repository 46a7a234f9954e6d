//! `wellfit train`: from a folder to a run with plots and the best weights.

use crate::args::{AUTO, TrainArgs};
use crate::cluster::Cluster;
use crate::commands::{cross_validation, outcome::report, resume};
use crate::error::CliError;
use crate::opening::source;
use crate::output::{Output, command_line};
use crate::progress::Progress;
use std::path::Path;
use wellfit::run::{Changes, Destination, Experiment, Found, Validation, cross_validate};

/// Run the command.
pub fn run(args: &TrainArgs, validation: Validation, cluster: &Cluster, out: Output) -> Result<(), CliError> {
    let mut progress = Progress::new(out, args.verbose);
    let mut options = args.settings.over_file(args.config.as_deref())?;
    let data = args.data.clone().unwrap_or_default();
    let named = args.resume.as_deref().filter(|run| *run != Path::new(AUTO));
    if let Some(run) = named {
        let link = cluster.link.clone();
        let changes = Changes { data: args.data.clone(), dir: args.place.data_dir.clone(), link, options };
        return resume::go_on(run, &changes, progress, out);
    }
    if data.is_empty() {
        let problem =
            "--resume auto looks for the run of these settings and DATA: give DATA, or the run itself";
        return Err(CliError::Usage(problem.to_owned()));
    }
    let source = source(&data, &args.place, validation);
    let folds = options.folds.flatten().is_some() && options.fold.flatten().is_none();
    if options.folds.flatten().is_some() && args.settings.0.val_split.is_some() {
        let problem = "--val-split says how much validates, and so does --folds: give one of them";
        return Err(CliError::Usage(problem.to_owned()));
    }
    if folds && cluster.link.is_some() {
        let problem =
            "--folds are runs of their own, which several processes cannot share: choose one with --fold";
        return Err(CliError::Usage(problem.to_owned()));
    }
    if folds && validation == Validation::Split {
        let place = Destination { dir: args.out.out.clone(), force: args.out.force, command: command_line() };
        let found = cross_validate(&options, &source, &place, args.resume.is_some(), &mut progress)?;
        return cross_validation::report(&found, &data, out);
    }
    cluster.imply(&mut options);
    let experiment = Experiment::prepare(&options, &source, &mut progress)?.shared(cluster.link.clone())?;
    let found = match args.resume {
        Some(_) => experiment.find_run(args.out.out.as_deref(), &mut progress)?,
        None => Found::None,
    };
    let outcome = match found {
        Found::Finished { run, epochs } => {
            resume::finished(&run, epochs, out);
            return Ok(());
        }
        Found::Unfinished(unfinished) => unfinished.resume(experiment, &mut progress)?,
        Found::None => experiment.train(
            &Destination { dir: args.out.out.clone(), force: args.out.force, command: command_line() },
            &mut progress,
        )?,
    };
    report(&outcome, &data, out);
    Ok(())
}
