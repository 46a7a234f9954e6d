//! `wellfit probe`: what a run's record cannot tell.

use crate::error::CliError;
use crate::output::{self, Output};
use crate::probe_args::ProbeArgs;
use crate::progress::Progress;
use serde_json::json;
use wellfit::base::words::plural;
use wellfit::base::{Shown, atomic};
use wellfit::policy::classification::wilson;
use wellfit::run::figures::percent;
use wellfit::run::{GapProbe, LabelProbe, Probe, duplicate_summary, probe};

/// Suspects that are named.
const NAMED: usize = 20;

/// Run the command.
pub fn run(args: &ProbeArgs, out: Output) -> Result<(), CliError> {
    let found = probe(&args.run, &mut Progress::new(out, false))?;
    out.say(format!(
        "{}: {} of {}",
        args.run.shown(),
        plural(found.labels.images.len(), "image"),
        found.labels.part
    ));
    match &found.gap {
        Some(gap) => say_gap(gap, out),
        None => out.say("The gap: of a single run only; probe one of the folds"),
    }
    say_labels(&found.labels, out);
    say_duplicates(&found, out);
    let mut result = found.to_json();
    if let Some(path) = &args.probabilities {
        atomic::replace(path, found.labels.csv().as_bytes()).map_err(CliError::write(path.clone()))?;
        out.say(format!("Probabilities: {}", path.shown()));
    }
    let files = if args.no_files { Vec::new() } else { found.write()? };
    for file in &files {
        out.say(format!("File: {}", args.run.join(file).shown()));
    }
    result["files"] = json!(files.iter().map(|file| output::path(&args.run.join(file))).collect::<Vec<_>>());
    out.result(&result);
    Ok(())
}

/// The losses as a table, then what the gap consists of.
fn say_gap(found: &GapProbe, out: Output) {
    let (losses, accuracies) = (&found.losses, &found.accuracies);
    let row = |name: &str, loss: Option<f64>, accuracy: Option<f64>| {
        let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        [name.to_owned(), text(loss), text(accuracy)]
    };
    let head = ["The gap", "loss", "accuracy"].map(str::to_owned);
    out.table(
        &[
            head,
            row("train, as recorded", losses.train_recorded, accuracies.train_recorded),
            row("train, evaluation mode", Some(losses.train), Some(accuracies.train)),
            row("train, BatchNorm re-estimated", losses.train_reestimated, accuracies.train_reestimated),
            row("val", Some(losses.val), Some(accuracies.val)),
            row("val, BatchNorm re-estimated", losses.val_reestimated, accuracies.val_reestimated),
            row("val, BatchNorm of the batch", losses.val_batch, accuracies.val_batch),
        ],
        1..3,
    );
    let gap = losses.gap();
    out.say(format!("val - train = {:+.4}, of which", gap.gap));
    let part = |value: f64, what: &str| [format!("  {value:+.4}"), what.to_owned()];
    let mut rows = vec![part(
        gap.measurement,
        "measurement: training's figure is of augmented images, dropout, earlier weights",
    )];
    if found.batches.is_some() {
        rows.push(part(
            gap.batch_norm_lag,
            "BatchNorm's running statistics, against statistics estimated anew",
        ));
        rows.push(part(
            gap.batch_or_shift,
            "statistics of training images, against those of the batch: other images, small batches",
        ));
    }
    rows.push(part(gap.rest, "the rest: images that training saw are answered better"));
    out.table(&rows, 0..1);
}

/// How many suspects, and the first of them.
fn say_labels(found: &LabelProbe, out: Output) {
    let images = found.images.len();
    if found.suspects.is_empty() {
        out.say(format!("Labels: none of {images} is suspect"));
        return;
    }
    out.say(format!("Labels: {} of {images} are probably wrong", found.suspects.len()));
    let row = |suspect: &wellfit::diagnose::probes::Suspect| {
        [
            found.class(suspect.label).to_owned(),
            format!("{:.4}", suspect.of_label),
            found.class(suspect.guess).to_owned(),
            format!("{:.4}", suspect.of_guess),
            found.image(suspect.image),
        ]
    };
    let head = ["  label", "probability", "looks like", "probability", "image"].map(str::to_owned);
    let rows: Vec<[String; 5]> = found.suspects.iter().take(NAMED).map(row).collect();
    let rows = rows.into_iter().map(|mut row| {
        row[0].insert_str(0, "  ");
        row
    });
    out.table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), 1..2);
}

/// How many there are, and what the accuracy is without them.
fn say_duplicates(found: &Probe, out: Output) {
    if found.duplicates.sets.is_empty() {
        out.say("Duplicates: none");
        return;
    }
    out.say(format!("Duplicates: {}", duplicate_summary(&found.duplicates)));
    let parts = &found.duplicates.parts;
    for b in 1..parts.len() {
        for a in 0..b {
            let shared = found.duplicates.shared(a, b).count();
            if shared > 0 {
                out.warn(format!(
                    "{} of {} show what images of {} show",
                    plural(shared, "image"),
                    parts[b],
                    parts[a]
                ));
            }
        }
    }
    let all = found.labels.right.len() as u64;
    let right = found.labels.right.iter().filter(|right| **right).count() as u64;
    if let Some((images, rest)) =
        found.labels.without(&found.duplicates).filter(|(images, _)| (1..all).contains(images))
    {
        let (with, without) = (right as f64 / all as f64, rest as f64 / images as f64);
        let interval = wilson(rest, images);
        out.say(format!(
            "Accuracy on {}: {} on all {all} images, {} on the {images} that are there once ({} to {})",
            found.labels.part,
            percent(with),
            percent(without),
            percent(interval.low),
            percent(interval.high)
        ));
    }
}
