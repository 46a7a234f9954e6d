//! `wellfit evaluate`: how good a run's best weights are.
//!
//! * `words` the figures for people
//! * `files` what `--out` writes

mod files;
mod words;

pub use files::write as write_files;

use crate::args::EvaluateArgs;
use crate::commands::int8;
use crate::config::batch_size;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Map, Value, json};
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::base::words::plural;
use wellfit::data::Need;
use wellfit::record::{Event, RunWriter, TEST, now};
use wellfit::run::{Classifier, Evaluation, Validation, evaluation_json, evaluation_pictures, judged};

/// Run the command.
pub fn run(args: &EvaluateArgs, out: Output) -> Result<(), CliError> {
    batch_size(args.batch_size)?;
    int8::check(&args.numbers, &args.device)?;
    let engine = super::engine(&args.device)?;
    let mut progress = Progress::new(out, false);
    let opened = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?.on(engine);
    let floats = int8::stored(opened, &args.numbers);
    let source = source(&args.data, &args.place, Validation::Split);
    let splits = source.open_for(Need::Test, args.skip_bad, floats.preprocessing.depth, &mut progress)?;
    let name = shown(&splits.name).into_owned();
    let judged = judged(&args.run, &source, splits, &mut progress)?;
    let all_seen = judged.unseen.is_empty();
    let data = if all_seen { &judged.trained_on } else { &judged.unseen };
    let quantised = int8::quantised(&floats, &args.run, &args.numbers, &mut progress)?;
    let classifier = quantised.as_ref().unwrap_or(&floats);
    let found = classifier.evaluate(data, args.batch_size, &mut progress)?;
    let judgement = found.judgement(classifier.classes.len());
    out.say(format!("{name} ({}, {})", judged.part, plural(found.images, "image")));
    words::say(&found, &judgement, &classifier.classes, out);
    let mut result = json!({
        "run": output::path(&args.run),
        "part": judged.part,
        "precision": int8::name(classifier, &args.device),
        "trained_on": judged.trained_on.len(),
    });
    let figures = evaluation_json((&found, &judgement), data, &classifier.classes);
    if all_seen {
        // There is no figure of images that are new to the network.
        add(&mut result, figures.keys().map(|key| (key.clone(), Value::Null)).collect());
        add(&mut result, Map::from_iter([("images".to_owned(), 0.into())]));
        result["with_trained_on"] = Value::Object(figures);
    } else {
        add(&mut result, figures);
        if out.json && !judged.trained_on.is_empty() {
            let seen = classifier.evaluate(&judged.trained_on, args.batch_size, &mut ())?;
            result["with_trained_on"] = of_both(&found, &seen);
        }
    }
    if quantised.is_some() {
        let before = floats.evaluate(data, args.batch_size, &mut progress)?;
        result["f32"] = int8::cost(&before, &found, out);
    }
    if let Some(directory) = &args.out {
        let (answers, classes) = (found.answers(), &classifier.classes);
        let pictures = evaluation_pictures(classifier, (&answers, &judgement), data, &name)?;
        files::write((directory, args.force), &result, &answers, data, classes, pictures)?;
        out.say(format!("Figures, answers and pictures: {}", directory.shown()));
    }
    if quantised.is_none() && args.numbers.precision.is_none() && args.numbers.tta.is_none() && !all_seen {
        record(args, judged.part, &found, out)?;
    }
    out.result(&result);
    Ok(())
}

/// Add the entries of `more`.
fn add(to: &mut Value, more: Map<String, Value>) {
    if let Value::Object(map) = to {
        map.extend(more);
    }
}

/// Loss and accuracy of both.
fn of_both(one: &Evaluation, other: &Evaluation) -> Value {
    let images = one.images + other.images;
    let mean = |of: fn(&Evaluation) -> f64| {
        number((of(one) * one.images as f64 + of(other) * other.images as f64) / images as f64)
    };
    json!({ "images": images, "loss": mean(|found| found.loss), "accuracy": mean(|found| found.accuracy) })
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
