//! `wellfit predict`: classes for images, as a table, CSV or JSON.
//!
//! * `inputs` which images: files, folders, patterns, a list on standard input; `collection` those of other forms of data
//! * `rows` CSV and JSON lines
//!
//! Files are read in batches, each once, on all threads. A file that cannot be used is named, and the others go on.

mod collection;
pub mod inputs;
mod rows;

use crate::args::{PredictArgs, STDOUT};
use crate::bar::Bar;
use crate::commands::int8;
use crate::config::require;
use crate::error::CliError;
use crate::output::Output;
use crate::progress::Progress;
use inputs::{Input, Inputs};
use rows::{Format, Row, Rows};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::data::{DataError, ImageRef};
use wellfit::run::figures::{count, percent};
use wellfit::run::{Classifier, Prediction, Predictor};

/// Run the command.
pub fn run(args: &PredictArgs, out: Output) -> Result<(), CliError> {
    check(args, out)?;
    let out = Output { rows: on_stdout(args), ..out };
    let mut progress = Progress::new(out, false);
    let classifier = &int8::classifier(&args.run, &args.file, &args.numbers, &args.device, &mut progress)?;
    let mut inputs = Inputs::new(&args.images, args.table.columns());
    let rows = rows(args, classifier)?;
    // Where images are printed one by one, they show the progress themselves.
    let bar = (rows.is_some() || out.json)
        .then(|| Bar::new(out, "Classifying", "images", inputs.total().map(|total| total as u64)));
    let mut report =
        Report { args, classifier, out, rows, bar, predictions: Vec::new(), done: 0, failed: 0, last: None };
    let predictor = classifier.predictor()?;
    loop {
        let batch = inputs.batch(Predictor::BATCH);
        if batch.is_empty() || report.rows.as_ref().is_some_and(Rows::closed) {
            break;
        }
        report.batch(&predictor, &batch)?;
    }
    report.end()
}

/// Whether rows go to standard output.
fn on_stdout(args: &PredictArgs) -> bool {
    [&args.csv, &args.jsonl].into_iter().flatten().any(|path| path == Path::new(STDOUT))
}

fn unusable(path: &Path, reason: &str) -> CliError {
    DataError::Invalid(format!("cannot use {}: {reason}", path.shown())).into()
}

/// Refuse what cannot be before anything is read.
fn check(args: &PredictArgs, out: Output) -> Result<(), CliError> {
    require(args.top > 0, || "--top must be at least 1".to_owned())?;
    require(args.csv.is_none() || args.jsonl.is_none(), || "--csv and --jsonl: choose one".to_owned())?;
    require(!(out.json && on_stdout(args)), || {
        "--json and rows both go to standard output: give --csv or --jsonl a FILE".to_owned()
    })?;
    require(!args.force || args.csv.is_some() || args.jsonl.is_some(), || {
        "--force belongs to the FILE of --csv or --jsonl".to_owned()
    })?;
    int8::check(&args.numbers, &args.device)
}

fn rows(args: &PredictArgs, classifier: &Classifier) -> Result<Option<Rows>, CliError> {
    let kinds = [(Format::Csv, &args.csv), (Format::JsonLines, &args.jsonl)];
    let Some((format, path)) = kinds.into_iter().find_map(|(format, path)| Some((format, path.as_deref()?)))
    else {
        return Ok(None);
    };
    let path = Some(path).filter(|path| *path != Path::new(STDOUT));
    Rows::new(format, path, args.force, args.top.min(classifier.classes.len())).map(Some)
}

/// Takes the predictions.
struct Report<'a> {
    args: &'a PredictArgs,
    classifier: &'a Classifier,
    out: Output,
    rows: Option<Rows>,
    bar: Option<Bar>,
    /// Those of `--json`, whose one object is printed at the end.
    predictions: Vec<Value>,
    done: usize,
    failed: usize,
    /// The last that failed, and why.
    last: Option<(PathBuf, String)>,
}

impl Report<'_> {
    fn batch(&mut self, predictor: &Predictor<'_>, batch: &[Input]) -> Result<(), CliError> {
        let images: Vec<ImageRef> = batch.iter().filter_map(|input| input.clone().ok()).collect();
        let mut predictions = predictor.images(&images)?.into_iter();
        self.done += batch.len();
        for input in batch {
            match input {
                Ok(image) => match predictions.next() {
                    Some(Ok(prediction)) => self.one(&image.name, Ok(&prediction))?,
                    Some(Err(DataError::Image(problem))) => self.failed(&image.name, &problem.reason())?,
                    Some(Err(problem)) => return Err(problem.into()),
                    None => {}
                },
                Err((name, reason)) => self.failed(name, reason)?,
            }
        }
        if let Some(bar) = &mut self.bar {
            bar.set(self.done as u64);
        }
        self.rows.as_mut().map_or(Ok(()), Rows::flush)
    }

    fn failed(&mut self, path: &Path, reason: &str) -> Result<(), CliError> {
        // One file alone is the error itself.
        if self.args.images.len() > 1 || path != self.args.images[0] {
            let warn = || self.out.warn(format!("cannot use {}: {reason}", path.shown()));
            self.bar.as_ref().map_or_else(warn, |bar| bar.above(warn));
        }
        self.failed += 1;
        self.last = Some((path.to_owned(), reason.to_owned()));
        self.one(path, Err(reason))
    }

    fn one(&mut self, path: &Path, prediction: Result<&Prediction, &str>) -> Result<(), CliError> {
        let classes = &self.classifier.classes;
        let row: Row<'_> = prediction.map(|prediction| prediction.top(classes, self.args.top));
        if let Some(rows) = &mut self.rows {
            rows.write(path, &row)?;
        } else if let (Ok(top), false) = (&row, self.out.json) {
            say(path, top, self.out);
        }
        if self.out.json {
            let mut value = rows::value(path, &row);
            if let Ok(prediction) = prediction {
                value["logits"] = json!(prediction.logits);
            }
            self.predictions.push(value);
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), CliError> {
        self.bar = None;
        let Self { done, failed, .. } = self;
        if failed < done || done == 0 {
            self.out.result(&json!({ "predictions": self.predictions }));
        }
        match self.last {
            None => Ok(()),
            Some((path, reason)) if done == 1 => Err(unusable(&path, &reason)),
            Some(_) if failed == done => {
                let none = format!("none of {} files could be classified", count(done as u64));
                Err(DataError::Invalid(none).into())
            }
            Some(_) => Err(CliError::Partly(format!(
                "{} of {} files could not be classified; the others were",
                count(failed as u64),
                count(done as u64)
            ))),
        }
    }
}

/// Print the most likely classes.
fn say(path: &Path, top: &[(&str, f32)], out: Output) {
    out.say(path.shown());
    let top: Vec<_> = top.iter().map(|(class, probability)| (shown(class), probability)).collect();
    let width = top.iter().map(|(class, _)| class.chars().count()).max().unwrap_or(0);
    for (place, (class, probability)) in top.iter().enumerate() {
        out.say(format!("{:>4}. {class:width$}  {:>8}", place + 1, percent(f64::from(**probability))));
    }
}
