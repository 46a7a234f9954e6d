//! `wellfit predict`: a ranked table of classes for each image.

use crate::args::PredictArgs;
use crate::commands::int8;
use crate::config::require;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::progress::Progress;
use serde_json::{Value, json};
use wellfit::run::{Classifier, Prediction};

/// Images that are classified at a time.
const BATCH: usize = 32;

/// Run the command.
pub fn run(args: &PredictArgs, out: Output) -> Result<(), CliError> {
    require(args.top > 0, || "--top must be at least 1".to_owned())?;
    int8::check(&args.numbers, &args.device)?;
    let engine = super::engine(&args.device)?;
    let mut progress = Progress::new(out, false);
    let opened = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?.on(engine);
    let floats = int8::stored(opened, &args.numbers);
    let quantised = int8::quantised(&floats, &args.run, &args.numbers, &mut progress)?;
    let classifier = quantised.as_ref().unwrap_or(&floats);
    let mut predictions: Vec<Value> = Vec::new();
    for paths in args.images.chunks(BATCH) {
        for (path, prediction) in paths.iter().zip(classifier.predict_files(paths)?) {
            out.say(format!("{}", path.display()));
            let top = top(&prediction, &classifier.classes, args.top, out);
            predictions.push(json!({ "image": output::path(path), "top": top, "logits": prediction.logits }));
        }
    }
    out.result(&json!({ "predictions": predictions }));
    Ok(())
}

/// Print the most likely classes; give them for programs.
fn top(prediction: &Prediction, classes: &[String], count: usize, out: Output) -> Vec<Value> {
    let mut ranks = prediction.ranks();
    ranks.truncate(count);
    let width = ranks.iter().map(|&(class, _)| classes[class].chars().count()).max().unwrap_or(0);
    for (place, &(class, probability)) in ranks.iter().enumerate() {
        let share = 100.0 * probability;
        out.say(format!("{:>4}. {:width$}  {share:6.2} %", place + 1, classes[class]));
    }
    let row =
        |&(class, probability): &(usize, f32)| json!({ "class": classes[class], "probability": probability });
    ranks.iter().map(row).collect()
}
