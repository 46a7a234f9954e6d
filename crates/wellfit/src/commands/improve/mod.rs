//! `wellfit improve`: what findings advise, tested by paired runs and adopted, round by round.

mod words;

use crate::commands::prove::interrupted;
use crate::error::CliError;
use crate::improve_args::ImproveArgs;
use crate::output::{Output, command_line};
use crate::progress::Progress;
use wellfit::run::{Destination, Improve, improve};

/// Run the command.
pub fn run(args: &ImproveArgs, out: Output) -> Result<(), CliError> {
    let ask = Improve {
        settings: args.several.options()?,
        budget: args.budget,
        metric: args.proof.metric.clone(),
        delta: args.proof.delta,
        alpha: args.proof.alpha,
    };
    let source = args.several.source(&args.data);
    let place = Destination { dir: args.out.clone(), force: false, command: command_line() };
    let mut progress = Progress::new(out, args.several.verbose);
    let improved =
        improve(&ask, &source, &place, args.resume.is_some(), &mut progress).map_err(interrupted)?;
    words::report(&improved, &args.data, out);
    Ok(())
}
