//! The line of a training: what the benchmark reads.

use crate::conditions::Condition;
use crate::sets::Parts;
use serde_json::{Value, json};
use wellfit_record::{EpochStatistics, Metric, RunDir, Statistics, StepRecord, answers, epochs};

/// The id that a line has.
pub fn id_of(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["id"].as_str().map(str::to_owned)
}

/// Numbers of five digits, `null` for none that is finite.
fn numbers<'a>(values: impl IntoIterator<Item = Option<f64>> + 'a) -> Value {
    values.into_iter().map(|value| value.map_or(Value::Null, |value| digits(value, 5))).collect()
}

fn digits(value: f64, count: usize) -> Value {
    format!("{value:.*e}", count - 1).parse::<f64>().map_or(Value::Null, |value| json!(value))
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let sum: Option<f64> = values.iter().copied().sum();
    sum.map(|sum| sum / values.len().max(1) as f64)
}

fn share(right: &[bool]) -> Option<f64> {
    Some(right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64)
}

/// Right answers of each class.
fn by_class(right: &[bool], labels: &[u32], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for (_, &label) in right.iter().zip(labels).filter(|(right, _)| **right) {
        counts[label as usize] += 1;
    }
    counts
}

fn counts(labels: &[u32], classes: usize) -> Vec<u64> {
    by_class(&vec![true; labels.len()], labels, classes)
}

/// The line of a training that was recorded there; none without an epoch.
pub fn line(condition: &Condition, parts: &Parts, run: &RunDir, diverged: bool) -> Option<String> {
    let events = run.events().unwrap().rows;
    let records = epochs(&events);
    let statistics = run.statistics().unwrap()?.rows;
    let of_epochs: Vec<&EpochStatistics> = statistics
        .iter()
        .filter_map(|line| if let Statistics::Epoch(row) = line { Some(row) } else { None })
        .collect();
    let steps: Vec<Value> = statistics
        .iter()
        .filter_map(|line| match line {
            // Lines of all other steps have the norm only; the rules take the mean of those of an epoch.
            Statistics::Step(row) if !row.weights.is_empty() => serde_json::to_value(row).ok(),
            _ => None,
        })
        .map(|mut row| {
            for unused in ["weights", "updates", "zeros"] {
                drop(row.as_object_mut()?.remove(unused));
            }
            Some(row)
        })
        .collect::<Option<_>>()?;
    let right = answers(&events, records.len() as u32);
    if records.is_empty() || of_epochs.len() < records.len() || right.iter().any(Option::is_none) {
        return None;
    }
    let right: Vec<Vec<bool>> = right.into_iter().flatten().collect();
    let classes = parts.train.classes.len();
    let visible = parts.visible;
    let labels = &parts.judge.labels;
    let of =
        |metric: Metric| -> Vec<Option<f64>> { records.iter().map(|record| metric.of(record)).collect() };
    let smoothed = condition.smoothing > 0.0;
    let train_loss = if smoothed {
        of_epochs.iter().map(|row| row.train_cross_entropy).collect()
    } else {
        of(Metric::TRAIN_LOSS)
    };
    let loss = |hidden: bool| -> Vec<Option<f64>> {
        let part = |row: &&EpochStatistics| {
            let (seen, held) = row.val_losses.split_at(visible);
            mean(if hidden { held } else { seen })
        };
        of_epochs.iter().map(part).collect()
    };
    let accuracy = |hidden: bool| -> Vec<Option<f64>> {
        right.iter().map(|right| share(if hidden { &right[visible..] } else { &right[..visible] })).collect()
    };
    let per_class = |hidden: bool| -> Vec<Vec<u64>> {
        let cut = |right: &Vec<bool>| {
            let part = if hidden { visible..right.len() } else { 0..visible };
            by_class(&right[part.clone()], &labels[part], classes)
        };
        right.iter().map(cut).collect()
    };
    let losses = run.steps().map(|log| log.rows).unwrap_or_default();
    let losses: Vec<Value> = losses
        .iter()
        .filter_map(|row| row.losses.get(StepRecord::LOSS).map(|value| digits(*value, 3)))
        .collect();
    let line = json!({
        "id": condition.id(), "set": condition.set, "net": condition.net, "provocation": condition.provocation,
        "strength": condition.strength, "seed": condition.seed, "twin": condition.twin_id(),
        "settings": condition.settings(), "classes": classes, "n_train": parts.train.labels.len(),
        "n_val": visible, "n_test": labels.len() - visible, "diverged": diverged,
        "train_images": counts(&parts.train.labels, classes),
        "val_images": counts(&labels[..visible], classes), "test_images": counts(&labels[visible..], classes),
        "train_loss": numbers(train_loss), "train_accuracy": numbers(of(Metric::TRAIN_ACCURACY)),
        "val_loss": numbers(loss(false)), "val_accuracy": numbers(accuracy(false)),
        "test_loss": numbers(loss(true)), "test_accuracy": numbers(accuracy(true)),
        "train_eval_loss": numbers(of_epochs.iter().map(|row| row.train_eval_loss)),
        "train_eval_accuracy": numbers(of_epochs.iter().map(|row| row.train_eval_accuracy)),
        "lr": numbers(records.iter().map(|record| Some(record.lr))),
        "val_right": per_class(false), "test_right": per_class(true).last(),
        "steps": steps, "step_losses": losses,
    });
    Some(line.to_string())
}
