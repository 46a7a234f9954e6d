//! `wellfit compare`: runs side by side.

use crate::commands::folder;
use crate::compare_args::CompareArgs;
use crate::error::CliError;
use crate::output::{self, Output, number};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::run::PictureFormat;
use wellfit::run::compare::{Basis, Compared, Comparison, Difference, charts, compare};
use wellfit::run::figures::{loss, percent};

/// Run the command.
pub fn run(args: &CompareArgs, out: Output) -> Result<(), CliError> {
    let found = compare(&args.runs)?;
    found.warnings.iter().for_each(|warning| out.warn(warning));
    let pictures = charts(&found.runs).files(&[PictureFormat::Png, PictureFormat::Svg], args.dark)?;
    let files: Vec<(PathBuf, Vec<u8>)> =
        pictures.into_iter().map(|(name, bytes)| (args.out.join(name), bytes)).collect();
    let borrowed: Vec<(&PathBuf, &[u8])> = files.iter().map(|(path, bytes)| (path, &bytes[..])).collect();
    folder::write(&args.out, &borrowed, args.force)?;
    show(&found, out);
    out.say(format!("Curves: {}", args.out.shown()));
    out.result(&json!({
        "runs": found.runs.iter().map(run_value).collect::<Vec<_>>(),
        "settings": settings_value(&found),
        "differences": differences_value(&found),
        "warnings": found.warnings,
        "pictures": files.iter().map(|(path, _)| output::path(path)).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// The tables: figures, settings, differences.
fn show(found: &Comparison, out: Output) {
    let mut rows = vec![["run", "model", "epochs", "best", "val loss", "val acc"].map(str::to_owned)];
    rows.extend(found.runs.iter().map(|run| {
        [
            run.path.shown().to_string(),
            run.info.model.name.clone(),
            run.epochs.len().to_string(),
            run.best.epoch.to_string(),
            loss(run.best.val_loss()),
            percent(run.best.val_accuracy()),
        ]
    }));
    out.table(&rows, 2..6);
    out.say("");
    show_settings(found, out);
    out.say("");
    show_differences(found, out);
}

/// A line a setting and run: with many runs a column for each would not fit.
fn show_settings(found: &Comparison, out: Output) {
    if found.settings.is_empty() {
        out.say("All settings are the same.");
        return;
    }
    let mut rows = vec![["setting", "run", "value"].map(str::to_owned)];
    for setting in &found.settings {
        for (place, (run, value)) in found.runs.iter().zip(&setting.values).enumerate() {
            let name = if place == 0 { setting.name.clone() } else { String::new() };
            let value = value.clone().unwrap_or_else(|| "not set".to_owned());
            rows.push([name, run.path.shown().to_string(), value]);
        }
    }
    out.table(&rows, 0..0);
}

fn show_differences(found: &Comparison, out: Output) {
    let first = found.runs[0].path.shown().to_string();
    let head = ["run", "against", "metric", "difference", "95 % interval", "images", "fixed", "broken", "p"];
    let mut rows = vec![head.map(str::to_owned)];
    for (run, differences) in found.runs[1..].iter().zip(&found.differences) {
        for (place, difference) in differences.iter().enumerate() {
            let names =
                if place == 0 { [run.path.shown().to_string(), first.clone()] } else { Default::default() };
            rows.push(row(names, difference));
        }
    }
    out.table(&rows, 3..9);
    let differences = || found.differences.iter().flatten();
    if differences().any(|difference| difference.basis == Basis::Unpaired) {
        out.say(
            "Accuracies are compared without single images, which gives wide intervals: train with --record-answers for narrow ones.",
        );
    }
    if differences().any(|difference| difference.basis == Basis::Nothing) {
        out.say("A loss without an interval has none: the losses of single images are not recorded, or of other images.");
    }
    out.say(
        "Intervals are about other validation images for these very trainings. Another seed gives other trainings: \
         wellfit prove compares over seeds.",
    );
}

fn row([run, against]: [String; 2], of: &Difference) -> [String; 9] {
    let digits = |x: f64| match of.metric {
        "val_accuracy" => format!("{:+.2} %", 100.0 * x),
        _ => format!("{x:+.4}"),
    };
    let none = || "-".to_owned();
    let images = match of.basis {
        Basis::Paired { images } => format!("{} paired", plural(images, "image")),
        Basis::Unpaired => "not paired".to_owned(),
        Basis::Nothing => none(),
    };
    let flips = |what: &dyn Fn(&wellfit::proof::Flips) -> String| of.flips.as_ref().map_or_else(none, what);
    [
        run,
        against,
        of.metric.to_owned(),
        digits(of.difference()),
        of.interval.map_or_else(none, |i| format!("{} to {}", digits(i.low), digits(i.high))),
        images,
        flips(&|flips| flips.fixed.to_string()),
        flips(&|flips| flips.broken.to_string()),
        flips(&|flips| format!("{:.2}", flips.p())),
    ]
}

fn run_value(run: &Compared) -> Value {
    json!({
        "run": output::path(&run.path),
        "data": run.info.data.name,
        "model": run.info.model.name,
        "epochs": run.epochs.len(),
        "best_epoch": run.best.epoch,
        "best_by": run.best_by.name(),
        "val_loss": number(run.best.val_loss()),
        "val_accuracy": number(run.best.val_accuracy()),
        "val_cross_entropy": run.cross_entropy.map(number),
    })
}

/// The values of each setting that differs, in the order of the runs.
fn settings_value(found: &Comparison) -> Value {
    let rows = found.settings.iter().map(|row| (row.name.clone(), json!(row.values)));
    Value::Object(rows.collect::<Map<String, Value>>())
}

fn differences_value(found: &Comparison) -> Vec<Value> {
    let of = |run: &Compared, difference: &Difference| {
        let images = match difference.basis {
            Basis::Paired { images } => Some(images),
            Basis::Unpaired | Basis::Nothing => None,
        };
        json!({
            "run": output::path(&run.path),
            "against": output::path(&found.runs[0].path),
            "metric": difference.metric,
            "first": number(difference.first),
            "other": number(difference.other),
            "difference": number(difference.difference()),
            "interval": difference.interval.map(|i| [number(i.low), number(i.high)]),
            "paired_images": images,
            "clear": difference.is_clear(),
            "fixed": difference.flips.map(|flips| flips.fixed),
            "broken": difference.flips.map(|flips| flips.broken),
            "p": difference.flips.map(wellfit::proof::Flips::p),
        })
    };
    let runs = found.runs[1..].iter().zip(&found.differences);
    runs.flat_map(|(run, differences)| differences.iter().map(move |difference| of(run, difference)))
        .collect()
}
