//! `wellfit train`: from a folder to a run with plots and the best weights.

use crate::args::TrainArgs;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{self, Output, command_line, number};
use crate::progress::Progress;
use serde_json::json;
use wellfit::run::{Destination, Experiment, Outcome, Validation};

/// Run the command.
pub fn run(args: &TrainArgs, validation: Validation, out: Output) -> Result<(), CliError> {
    let mut progress = Progress::new(out, args.verbose);
    let options = args.settings.over_file(args.config.as_deref())?;
    let source = source(&args.data, args.data_dir.as_deref(), validation);
    let experiment = Experiment::prepare(&options, &source, &mut progress)?;
    let unfinished = match args.resume {
        Some(_) => experiment.find_unfinished(args.out.out.as_deref(), &mut progress)?,
        None => None,
    };
    let outcome = match unfinished {
        Some(unfinished) => unfinished.resume(experiment, &mut progress)?,
        None => experiment.train(
            &Destination { dir: args.out.out.clone(), force: args.out.force, command: command_line() },
            &mut progress,
        )?,
    };
    report(&outcome, &args.data, out);
    Ok(())
}

/// The result for programs, and what can be done next.
pub fn report(outcome: &Outcome, data: &str, out: Output) {
    let best = &outcome.best;
    out.result(&json!({
        "run": output::path(&outcome.run),
        "epochs": outcome.epochs.len(),
        "stop_reason": outcome.stop_reason,
        "best": {
            "epoch": best.epoch,
            "by": outcome.best_by.name(),
            "val_loss": number(best.val_loss()),
            "val_accuracy": number(best.val_accuracy()),
        },
        "seconds": outcome.seconds,
        "data_wait_share": number(outcome.data_wait_share),
    }));
    if outcome.test_is_untouched {
        out.say(format!("test/ is untouched: wellfit evaluate {} {data}", outcome.run.display()));
    }
}
