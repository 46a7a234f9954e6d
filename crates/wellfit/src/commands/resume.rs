//! `wellfit resume`: continues a run that was interrupted, or that is to train more epochs.

use crate::args::ResumeArgs;
use crate::cluster::Cluster;
use crate::commands::cross_validation;
use crate::commands::outcome::report;
use crate::error::CliError;
use crate::output::{self, Output, command_line};
use crate::progress::Progress;
use serde_json::json;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::run::{Changes, Options, Resumed, folds_in, resume, resume_folds};

/// Run the command.
pub fn run(args: &ResumeArgs, cluster: &Cluster, out: Output) -> Result<(), CliError> {
    let options = Options { epochs: args.epochs, ..Options::default() };
    let link = cluster.link.clone();
    let changes = Changes { data: args.data.clone(), dir: args.data_dir.clone(), link, options };
    go_on(&args.run, &changes, Progress::new(out, args.verbose), out)
}

/// Continue a run.
pub fn go_on(run: &Path, changes: &Changes, mut progress: Progress, out: Output) -> Result<(), CliError> {
    if folds_in(run).is_some() && changes.link.is_none() {
        return go_on_with_folds(run, changes, progress, out);
    }
    match resume(run, changes, &mut progress)? {
        Resumed::Finished { epochs } => finished(run, epochs, out),
        Resumed::Completed(outcome) => report(&outcome, &outcome.data, out),
    }
    Ok(())
}

/// There is nothing to do.
pub fn finished(run: &Path, epochs: u32, out: Output) {
    let (name, more) = (run.shown(), epochs.saturating_mul(2));
    out.say(format!(
        "{name} is finished after {}. To train on, give more: wellfit resume {name} --epochs {more}",
        plural(epochs as usize, "epoch")
    ));
    out.result(&json!({ "run": output::path(run), "finished": true }));
}

/// Continue a cross-validation: its folds one after the other.
fn go_on_with_folds(
    dir: &Path,
    changes: &Changes,
    mut progress: Progress,
    out: Output,
) -> Result<(), CliError> {
    let Some(found) = resume_folds(dir, changes, &command_line(), &mut progress)? else {
        out.say(format!("{} is finished: all its folds are", dir.shown()));
        out.result(&json!({ "run": output::path(dir), "finished": true }));
        return Ok(());
    };
    // As typed, or as the runs name it.
    let data = changes.data.clone().unwrap_or_else(|| found.name.clone());
    cross_validation::report(&found, &data, out)
}
