//! `wellfit check`: settings and data that cannot work, before anything is trained.

use crate::check_args::CheckArgs;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{Output, number};
use crate::progress::Progress;
use crate::settings::in_flags;
use serde_json::{Map, Value, json};
use wellfit::base::words::plural;
use wellfit::run::check::{Concern, NAMES};
use wellfit::run::{Experiment, Validation};

/// Run the command.
pub fn run(args: &CheckArgs, out: Output) -> Result<(), CliError> {
    let mut options = args.settings.over_file(args.config.as_deref())?;
    if options.folds.flatten().is_some() {
        // The folds are alike; any stands for all.
        options.fold.get_or_insert(Some(1));
    }
    let mut progress = Progress::new(out, args.verbose);
    let source = source(&args.data, &args.place, Validation::Split);
    let experiment = Experiment::prepare(&options, &source, &mut progress)?;
    let model = experiment.spec.model.clone();
    let concerns = experiment.check(&mut progress)?;
    for concern in &concerns {
        out.warn(format!("{}: {}", concern.name, in_flags(&concern.to_string())));
    }
    out.result(&json!({
        "data": args.data,
        "model": model,
        "warnings": concerns.iter().map(value).collect::<Vec<_>>(),
        "looked_for": NAMES,
    }));
    let found = plural(concerns.len(), "warning");
    if concerns.is_empty() {
        let looked = NAMES.len();
        out.say_good(
            format!("Nothing found that cannot work; {looked} things were looked at"),
            "Nothing found",
        );
    } else if args.strict {
        return Err(CliError::Usage(format!("{found}, and --strict was given")));
    } else {
        out.say(format!("{found}; `wellfit train` trains all the same"));
    }
    Ok(())
}

fn value(concern: &Concern) -> Value {
    let values: Map<String, Value> =
        concern.values.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect();
    json!({
        "name": concern.name,
        "sentence": in_flags(&concern.sentence),
        "values": values,
        "advice": concern.advice.as_deref().map(in_flags),
    })
}
