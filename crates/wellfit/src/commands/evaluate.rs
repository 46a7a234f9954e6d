//! `wellfit evaluate`: loss and accuracy of a run's best weights.

use crate::args::EvaluateArgs;
use crate::commands::int8;
use crate::config::batch_size;
use crate::error::CliError;
use crate::opening::source;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use wellfit::data::Need;
use wellfit::record::{Event, RunWriter, TEST, now};
use wellfit::run::figures::{loss, percent};
use wellfit::run::{Classifier, Evaluation, Validation, judged};

/// Run the command.
pub fn run(args: &EvaluateArgs, out: Output) -> Result<(), CliError> {
    batch_size(args.batch_size)?;
    int8::check(&args.numbers, &args.device)?;
    let engine = super::engine(&args.device)?;
    let mut progress = Progress::new(out, false);
    let opened = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?.on(engine);
    let floats = int8::stored(opened, &args.numbers);
    let source = source(&args.data, &args.place, Validation::Split);
    let splits = source.open_for(Need::Test, args.skip_bad, &mut progress)?;
    let name = splits.name.clone();
    let judged = judged(&args.run, &source, splits, &mut progress)?;
    let all_seen = judged.unseen.is_empty();
    let data = if all_seen { &judged.trained_on } else { &judged.unseen };
    let quantised = int8::quantised(&floats, &args.run, &args.numbers, &mut progress)?;
    let classifier = quantised.as_ref().unwrap_or(&floats);
    let found = classifier.evaluate(data, args.batch_size, &mut progress)?;
    out.say(format!("{name} ({}, {} images)", judged.part, found.images));
    out.say(format!("Loss: {}, Acc: {}", loss(found.loss), percent(found.accuracy)));
    let classes = of_classes(&found, &data.classes, out);
    let mut result = json!({
        "run": output::path(&args.run),
        "part": judged.part,
        "precision": int8::name(classifier, &args.device),
        "images": found.images,
        "loss": number(found.loss),
        "accuracy": number(found.accuracy),
        "classes": classes,
        "trained_on": judged.trained_on.len(),
    });
    if all_seen {
        // There is no figure of images that are new to the network.
        let seen = json!({ "images": 0, "loss": null, "accuracy": null, "with_trained_on": figures(&found) });
        result
            .as_object_mut()
            .into_iter()
            .zip(seen.as_object().cloned())
            .for_each(|(to, from)| to.extend(from));
    } else if out.json && !judged.trained_on.is_empty() {
        let seen = classifier.evaluate(&judged.trained_on, args.batch_size, &mut ())?;
        result["with_trained_on"] = figures(&together(&found, &seen));
    }
    if quantised.is_none() && args.numbers.precision.is_none() && !all_seen {
        record(args, judged.part, &found, out)?;
    }
    if quantised.is_some() {
        let before = floats.evaluate(data, args.batch_size, &mut progress)?;
        result["f32"] = int8::cost(&before, &found, out);
    }
    out.result(&result);
    Ok(())
}

/// A line for each class; the same for programs.
fn of_classes(found: &Evaluation, classes: &[String], out: Output) -> Vec<Value> {
    let width = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let of = |(class, &(count, right)): (&String, &(usize, usize))| {
        let share = right as f64 / count as f64;
        out.say(format!("  {class:width$}  {right:>6} of {count:<6} {:>7}", percent(share)));
        json!({ "class": class, "images": count, "accuracy": number(share) })
    };
    let there = classes.iter().zip(&found.classes).filter(|(_, (count, _))| *count > 0);
    there.map(of).collect()
}

/// The figures of both.
fn together(one: &Evaluation, other: &Evaluation) -> Evaluation {
    let images = one.images + other.images;
    let mean = |of: fn(&Evaluation) -> f64| {
        (of(one) * one.images as f64 + of(other) * other.images as f64) / images as f64
    };
    let (loss, accuracy) = (mean(|found| found.loss), mean(|found| found.accuracy));
    Evaluation { images, loss, accuracy, classes: Vec::new(), right: Vec::new() }
}

fn figures(found: &Evaluation) -> Value {
    json!({ "images": found.images, "loss": number(found.loss), "accuracy": number(found.accuracy) })
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
