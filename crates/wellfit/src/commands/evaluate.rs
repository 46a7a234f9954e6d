//! `wellfit evaluate`: loss and accuracy of a run's best weights.

use crate::args::EvaluateArgs;
use crate::commands::int8;
use crate::config::batch_size;
use crate::error::CliError;
use crate::opening::open_data;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use wellfit::data::DataError;
use wellfit::record::{Event, RunWriter, TEST, now};
use wellfit::run::figures::{loss, percent};
use wellfit::run::{Classifier, Evaluation};

/// Run the command.
pub fn run(args: &EvaluateArgs, out: Output) -> Result<(), CliError> {
    batch_size(args.batch_size)?;
    int8::check(&args.numbers, &args.device)?;
    let engine = super::engine(&args.device)?;
    let mut progress = Progress::new(out, false);
    let opened = Classifier::open_with(&args.run, &args.file.hints(), &mut progress)?.on(engine);
    let floats = int8::stored(opened, &args.numbers);
    let splits = open_data(&args.data, args.data_dir.as_deref(), args.skip_bad, out)?;
    let (part, data) = match (splits.test, splits.val) {
        (Some(test), _) => ("test", test),
        (None, Some(val)) => ("val", val),
        (None, None) => ("all", splits.train),
    };
    if data.classes != floats.classes {
        return Err(CliError::Data(DataError::Invalid(format!(
            "{} has the classes {}, but {} was trained on {}: give data with the same classes",
            args.data,
            data.classes.join(", "),
            args.run.display(),
            floats.classes.join(", "),
        ))));
    }
    let quantised = int8::quantised(&floats, &args.run, &args.numbers, &mut progress)?;
    let classifier = quantised.as_ref().unwrap_or(&floats);
    let found = classifier.evaluate(&data, args.batch_size, &mut progress)?;
    out.say(format!("{} ({part}, {} images)", splits.name, found.images));
    out.say(format!("Loss: {}, Acc: {}", loss(found.loss), percent(found.accuracy)));
    let width = data.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let mut per_class: Vec<Value> = Vec::new();
    for (class, &(count, right)) in data.classes.iter().zip(&found.classes) {
        let share = right as f64 / count as f64;
        out.say(format!("  {class:width$}  {right:>6} of {count:<6} {:>7}", percent(share)));
        per_class.push(json!({ "class": class, "images": count, "accuracy": number(share) }));
    }
    let mut result = json!({
        "run": output::path(&args.run),
        "part": part,
        "precision": int8::name(classifier, &args.device),
        "images": found.images,
        "loss": number(found.loss),
        "accuracy": number(found.accuracy),
        "classes": per_class,
    });
    if quantised.is_none() && args.numbers.precision.is_none() {
        record(args, part, &found, out)?;
    }
    if quantised.is_some() {
        let before = floats.evaluate(&data, args.batch_size, &mut progress)?;
        result["f32"] = int8::cost(&before, &found, out);
    }
    out.result(&result);
    Ok(())
}

/// Write a run's figures on test/ into its record, for `wellfit runs`.
fn record(args: &EvaluateArgs, part: &str, found: &Evaluation, out: Output) -> Result<(), CliError> {
    if part != TEST || !args.run.join("run.toml").is_file() {
        return Ok(());
    }
    let (images, time) = (found.images as u64, now());
    let (part, loss, accuracy) = (part.to_owned(), found.loss, found.accuracy);
    match RunWriter::resume(&args.run) {
        Ok(mut run) => Ok(run.event(&Event::Evaluated { part, images, loss, accuracy, time })?),
        // It is under way, or belongs to someone else: the figures are printed all the same.
        Err(problem) => {
            out.warn(format!("not in the record of the run: {problem}"));
            Ok(())
        }
    }
}
