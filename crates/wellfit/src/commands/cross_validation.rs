//! The end of a cross-validation: the table of its folds, and the answer to each image by the network that had not seen it.

use crate::commands::evaluate::write_files;
use crate::error::CliError;
use crate::labs::mean;
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::run::figures::{duration, loss, percent};
use wellfit::run::{CrossValidation, FoldResult, evaluation_json, evaluation_pictures};

/// Print the table, write the answers into the directory, and give all of it for programs.
pub fn report(found: &CrossValidation, data: &str, out: Output) -> Result<(), CliError> {
    let (directory, classes) = (found.group.path(), &found.ensemble.classes);
    let judgement = found.out_of_fold.judgement(classes.len());
    table(&found.folds, out);
    let (mean, deviation) = spread(&found.folds);
    let interval = judgement.accuracy;
    out.say(format!("Mean of the folds: {} ± {} (standard deviation)", percent(mean), percent(deviation)));
    out.say(format!(
        "Out of fold, {}: {} right, 95 % interval {:.1} to {}. Each fold also chose its best epoch, which flatters it a \
         little.",
        plural(found.out_of_fold.images, "image"),
        percent(found.out_of_fold.accuracy),
        100.0 * interval.low,
        percent(interval.high)
    ));
    let answers = found.out_of_fold.answers();
    let mut result = json!({
        "run": output::path(directory),
        "folds": found.folds.iter().map(value).collect::<Vec<Value>>(),
        "mean_accuracy": number(mean),
        "standard_deviation": number(deviation),
    });
    result["out_of_fold"] =
        Value::Object(evaluation_json((&found.out_of_fold, &judgement), &found.images, classes));
    let pictures = evaluation_pictures(&found.ensemble, (&answers, &judgement), &found.images, &found.name)?;
    write_files((directory, true), &result, &answers, &found.images, classes, pictures)?;
    let name = directory.shown();
    out.say(format!("Answers to all images: {}", directory.join("predictions.csv").shown()));
    out.say(format!(
        "The folds together are an ensemble, the mean of their probabilities: wellfit predict {name} IMAGE"
    ));
    if found.rest_is_untouched {
        out.say(format!(
            "The part of {data} that no fold has seen judges it: wellfit evaluate {name} {data}"
        ));
    }
    out.result(&result);
    Ok(())
}

/// A row a fold.
fn table(folds: &[FoldResult], out: Output) {
    let head = ["fold", "images", "best epoch", "loss", "accuracy", "time"].map(str::to_owned);
    let row = |(number, fold): (usize, &FoldResult)| {
        [
            number.to_string(),
            fold.images.to_string(),
            format!("{} of {}", fold.best.epoch, fold.epochs),
            loss(fold.loss),
            percent(fold.accuracy),
            duration(fold.seconds),
        ]
    };
    let rows: Vec<[String; 6]> = std::iter::once(head).chain((1..).zip(folds).map(row)).collect();
    out.table(&rows, 0..6);
}

/// The mean of the folds' accuracies and their sample standard deviation (of n − 1).
fn spread(folds: &[FoldResult]) -> (f64, f64) {
    let centre = mean(folds.iter().map(|fold| fold.accuracy));
    let squares: f64 = folds.iter().map(|fold| (fold.accuracy - centre).powi(2)).sum();
    (centre, (squares / folds.len().saturating_sub(1) as f64).sqrt())
}

fn value(fold: &FoldResult) -> Value {
    json!({
        "run": output::path(&fold.run),
        "images": fold.images,
        "epochs": fold.epochs,
        "best_epoch": fold.best.epoch,
        "loss": number(fold.loss),
        "accuracy": number(fold.accuracy),
        "seconds": fold.seconds,
    })
}
