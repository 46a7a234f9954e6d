//! `wellfit resume`: continues a run that was interrupted, or that is to train more epochs.

use crate::args::ResumeArgs;
use crate::commands::outcome::report;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::json;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::run::{Changes, Options, Resumed, resume};

/// Run the command.
pub fn run(args: &ResumeArgs, out: Output) -> Result<(), CliError> {
    let options = Options { epochs: args.epochs, ..Options::default() };
    let changes = Changes { data: args.data.clone(), dir: args.data_dir.clone(), options };
    go_on(&args.run, &changes, Progress::new(out, args.verbose), out)
}

/// Continue a run.
pub fn go_on(run: &Path, changes: &Changes, mut progress: Progress, out: Output) -> Result<(), CliError> {
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
