//! `wellfit resume`: continues a run that was interrupted.

use crate::args::ResumeArgs;
use crate::commands::train::report;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::json;
use wellfit::run::{MovedData, Resumed, resume};

/// Run the command.
pub fn run(args: &ResumeArgs, out: Output) -> Result<(), CliError> {
    let moved = MovedData { data: args.data.clone(), dir: args.data_dir.clone() };
    match resume(&args.run, &moved, &mut Progress::new(out, args.verbose))? {
        Resumed::Finished => {
            out.say(format!("{} is finished: there is nothing to resume", args.run.display()));
            out.result(&json!({ "run": output::path(&args.run), "finished": true }));
        }
        Resumed::Completed(outcome) => report(&outcome, &outcome.data, out),
    }
    Ok(())
}
