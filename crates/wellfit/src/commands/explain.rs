//! `wellfit explain`: which parts of images speak for a class, by Grad-CAM.

use crate::commands::folder;
use crate::commands::predict::inputs::Inputs;
use crate::error::CliError;
use crate::explain_args::ExplainArgs;
use crate::output::{self, Output, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::base::words::plural;
use wellfit::data::{DataError, ImageRef};
use wellfit::run::figures::percent;
use wellfit::run::{Classifier, Explanation, explanation_sheet};

/// Images on a sheet; further ones get another sheet.
const SHEET: usize = 12;

/// Run the command.
pub fn run(args: &ExplainArgs, out: Output) -> Result<(), CliError> {
    let mut progress = Progress::new(out, false);
    let classifier = Classifier::open_with(&args.run, &args.file.hints()?, &mut progress)?;
    let class = args.class.as_deref().map(|name| class_named(name, &classifier.classes)).transpose()?;
    let mut inputs = Inputs::new(&args.images, args.table.columns());
    let (mut files, mut values) = (Vec::new(), Vec::new());
    let (mut failed, mut done): (Vec<String>, usize) = (Vec::new(), 0);
    loop {
        let batch = inputs.batch(SHEET);
        if batch.is_empty() {
            break;
        }
        let images: Vec<ImageRef> = batch.iter().filter_map(|input| input.clone().ok()).collect();
        let bad = batch.into_iter().filter_map(Result::err);
        failed.extend(bad.map(|(path, reason)| format!("cannot use {}: {reason}", path.shown())));
        let mut sheet = Vec::new();
        for (image, outcome) in images.iter().zip(classifier.explain(&images, class)?) {
            let path = &image.name;
            match outcome {
                Ok(explanation) => {
                    say(path, &explanation, &classifier.classes, out);
                    values.push(value(path, &explanation, &classifier.classes));
                    sheet.push((name(path), explanation));
                }
                Err(DataError::Image(problem)) => {
                    failed.push(format!("cannot use {}: {}", path.shown(), problem.reason()));
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        if !sheet.is_empty() {
            let title = format!("What {} looks at", classifier.network.name);
            let number = files.len() + 1;
            let file =
                if number == 1 { "explanation.png".to_owned() } else { format!("explanation-{number}.png") };
            files.push((args.out.join(file), explanation_sheet(&sheet, &classifier.classes, &title)?));
        }
        done += sheet.len();
    }
    if done == 0 {
        let reason =
            if failed.is_empty() { "there are no images to explain".to_owned() } else { failed.join("\n") };
        return Err(DataError::Invalid(reason).into());
    }
    let result = json!({ "out": output::path(&args.out), "explanations": values });
    // First, as it describes the others.
    files.insert(0, (args.out.join("explanation.json"), format!("{result:#}\n").into_bytes()));
    let borrowed: Vec<(&PathBuf, &[u8])> = files.iter().map(|(path, bytes)| (path, &bytes[..])).collect();
    folder::write(&args.out, &borrowed, args.force)?;
    out.say(format!("Pictures and maps of {}: {}", plural(done, "image"), args.out.shown()));
    out.result(&result);
    failed.iter().for_each(|problem| out.warn(problem));
    if failed.is_empty() {
        return Ok(());
    }
    Err(CliError::Partly(format!(
        "{} could not be explained; the others were",
        plural(failed.len(), "image")
    )))
}

/// The output that a class's name means; upper and lower case are the same where nothing has the name itself.
fn class_named(name: &str, classes: &[String]) -> Result<usize, CliError> {
    let exact = classes.iter().position(|class| class == name);
    let alike = || classes.iter().position(|class| class.to_lowercase() == name.to_lowercase());
    exact.or_else(alike).ok_or_else(|| {
        let part = name.to_lowercase();
        let near: Vec<&str> =
            classes.iter().filter(|class| class.to_lowercase().contains(&part)).map(String::as_str).collect();
        let (known, what) = if near.is_empty() {
            (classes.iter().map(String::as_str).collect(), "there are")
        } else {
            (near, "like it are")
        };
        let more = if known.len() > 10 { ", …" } else { "" };
        let shown: Vec<&str> = known.into_iter().take(10).collect();
        CliError::Usage(format!("--class: there is no class ‘{name}’; {what} {}{more}", shown.join(", ")))
    })
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.shown(), |name| name.to_string_lossy().into_owned())
}

fn share(explanation: &Explanation) -> f64 {
    explanation.prediction.probabilities.get(explanation.class).map_or(f64::NAN, |&share| f64::from(share))
}

fn say(path: &Path, explanation: &Explanation, classes: &[String], out: Output) {
    let class = classes.get(explanation.class).map_or("", String::as_str);
    out.say(format!("{}: {}  {}", path.shown(), shown(class), percent(share(explanation))));
}

/// The class, its probability and the map, row by row.
fn value(path: &Path, explanation: &Explanation, classes: &[String]) -> Value {
    let class = |place: usize| classes.get(place);
    let predicted = explanation.prediction.ranks().first().copied().unwrap_or((0, f32::NAN));
    json!({
        "image": output::path(path),
        "class": class(explanation.class),
        "probability": number(share(explanation)),
        "predicted": class(predicted.0),
        "predicted_probability": number(f64::from(predicted.1)),
        "map": explanation.map.chunks_exact(explanation.size.1).collect::<Vec<&[f32]>>(),
    })
}
