//! `wellfit tune`: search for good settings.

mod asked;
mod helpers;
mod progress;
mod words;

use crate::config::require;
use crate::error::CliError;
use crate::output::Output;
use crate::settings::in_flags;
use crate::signals::Signals;
use crate::tune_args::TuneArgs;
use asked::Asked;
use progress::Trials;
use std::time::{Duration, Instant};
use wellfit::tune::{End, Forest, TuneError, Worker};

/// Run it; `threads` as on the command line.
pub fn run(args: &TuneArgs, threads: usize, out: Output) -> Result<(), CliError> {
    require(args.trials > 0, || "--trials must be at least 1".to_owned())?;
    require(args.jobs > 0, || "--jobs must be at least 1".to_owned())?;
    let helping = helpers::is_one();
    // What a helper has to say is in the study; only its error is heard.
    let out = if helping { Output { json: false, quiet: true, ..out } } else { out };
    let signals = Signals::install()?;
    let mut trials = Trials::new(out, args.several.verbose, signals);
    let asked = Asked::of(args, &mut trials)?;
    if args.show_space {
        out.say(asked.space_text.trim_end());
        return Ok(());
    }
    trials.begin(&asked.plan);
    let budget = args.budget.filter(|_| !helping);
    let deadline = budget.map(|budget| Instant::now() + Duration::from_secs_f64(budget.seconds()));
    let mut worker = Worker::new(&asked.plan, &asked.source, &asked.place, deadline).map_err(told)?;
    words::begun(&asked, &worker.trials().map_err(told)?, out);
    let end = if helping || args.jobs == 1 {
        worker.run(&mut trials).map_err(told)?
    } else {
        helpers::work(args.jobs, threads, &worker, deadline, &mut trials)?
    };
    let known = worker.trials().map_err(told)?;
    if !helping {
        let forest = Forest::grown(&asked.plan.space, &known, asked.plan.seed);
        let page = words::write(&asked, &known, &forest)?;
        words::report(&asked, &known, &forest, page.as_deref(), out);
    }
    match end {
        End::Done => Ok(()),
        End::Budget => {
            out.say("The time is up. The same command goes on");
            Ok(())
        }
        End::Interrupted(reason) => Err(CliError::Interrupted(format!(
            "interrupted by {reason}; what was trained is saved: the same command goes on"
        ))),
    }
}

/// The error of a search, with its exit code.
fn told(error: TuneError) -> CliError {
    match error {
        TuneError::Run(error) => error.into(),
        TuneError::Space(error) => CliError::Usage(format!("--space {error}")),
        TuneError::Plan(problem) => CliError::Usage(in_flags(&problem)),
        TuneError::Storage(error) => CliError::Output(error.to_string()),
        TuneError::Output(problem) => CliError::Output(problem),
    }
}
