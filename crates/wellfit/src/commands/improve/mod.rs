//! `wellfit improve`: what findings advise, tested by paired runs and adopted, round by round.

mod words;

use crate::commands::prove::interrupted;
use crate::error::CliError;
use crate::improve_args::ImproveArgs;
use crate::opening::source;
use crate::output::{Output, command_line};
use crate::progress::Progress;
use wellfit::run::{Destination, Improve, Validation, improve};

/// Run the command.
pub fn run(args: &ImproveArgs, out: Output) -> Result<(), CliError> {
    let ask = Improve {
        settings: args.settings.over_file(args.config.as_deref())?,
        budget: args.budget,
        metric: args.metric.clone(),
        delta: args.delta,
        alpha: args.alpha,
    };
    let source = source(&args.data, &args.place, Validation::Split);
    let place = Destination { dir: args.out.clone(), force: false, command: command_line() };
    let mut progress = Progress::new(out, args.verbose);
    let improved =
        improve(&ask, &source, &place, args.resume.is_some(), &mut progress).map_err(interrupted)?;
    words::report(&improved, &args.data, out);
    Ok(())
}
