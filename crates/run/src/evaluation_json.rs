//! The figures of an evaluation for programs.

use crate::classifier::{Answer, Evaluation, Judgement};
use crate::results::{LARGEST_MATRIX, largest_losses};
use serde_json::{Map, Value, json};
use std::path::Path;
use wellfit_data::Dataset;
use wellfit_policy::classification::{Bin, ClassScores, Interval};

/// Images in the list of the largest losses.
const WORST: usize = 20;

/// All figures of the answers to `data`; NaN and infinities are null.
#[must_use]
pub fn evaluation_json(
    (found, judgement): (&Evaluation, &Judgement),
    data: &Dataset,
    classes: &[String],
) -> Map<String, Value> {
    let name = |class: u32| classes.get(class as usize).map_or("", String::as_str);
    let confused: Vec<Value> = judgement
        .confusion
        .confused()
        .into_iter()
        .map(|(class, predicted, images)| {
            json!({ "class": name(class), "predicted": name(predicted), "images": images })
        })
        .collect();
    let calibration = &judgement.calibration;
    // An image without a file is known by its place in the data.
    let top_loss = |answer: &Answer| {
        json!({
            "file": data.path(answer.image).map(whole_path),
            "image": answer.image,
            "label": name(answer.class),
            "predicted": name(answer.predicted),
            "probability": number(answer.probability),
            "loss": number(answer.loss),
        })
    };
    let value = json!({
        "images": found.images,
        "loss": number(found.loss),
        "accuracy": number(found.accuracy),
        "accuracy_interval_95": interval(judgement.accuracy),
        "macro_f1": number(judgement.macro_f1),
        "macro_f1_interval_95": interval(judgement.macro_f1_interval),
        "weighted_f1": number(judgement.weighted_f1),
        "balanced_accuracy": number(judgement.balanced_accuracy),
        "auc": number(judgement.auc),
        "top5_accuracy": judgement.top5_accuracy.map(number),
        "classes": of_classes(judgement, classes),
        "confused": confused,
        "confusion_matrix": matrix(judgement),
        "class_names": classes,
        "top_losses": largest_losses(&found.answers(), WORST).iter().map(top_loss).collect::<Vec<_>>(),
        "calibration": {
            "ece": number(calibration.ece),
            "temperature": calibration.temperature,
            "ece_with_temperature": calibration.ece_after.map(number),
            "bins": calibration.bins.iter().map(bin).collect::<Vec<_>>(),
        },
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A number; NaN and infinities, which JSON lacks, as null.
fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

fn interval(interval: Interval) -> Value {
    json!([number(interval.low), number(interval.high)])
}

fn bin(bin: &Bin) -> Value {
    let mean = |value: f64| if bin.samples > 0 { number(value) } else { Value::Null };
    json!({ "images": bin.samples, "confidence": mean(bin.confidence), "accuracy": mean(bin.accuracy) })
}

/// The classes that have images or were answered.
fn of_classes(judgement: &Judgement, classes: &[String]) -> Vec<Value> {
    let of = |(class, scores): (&String, ClassScores)| {
        let ClassScores { precision, recall, f1, support, predicted, right } = scores;
        let accuracy = if support > 0 { number(recall) } else { Value::Null };
        json!({
            "class": class, "images": support, "predicted": predicted, "right": right, "accuracy": accuracy,
            "precision": precision, "recall": recall, "f1": f1,
        })
    };
    let there = |(_, scores): &(&String, ClassScores)| scores.support + scores.predicted > 0;
    classes.iter().zip(judgement.confusion.scores()).filter(there).map(of).collect()
}

/// Rows are classes, columns what their images were taken for, in the order of `class_names`.
fn matrix(judgement: &Judgement) -> Value {
    let confusion = &judgement.confusion;
    let count = confusion.classes();
    // The zeros of a larger matrix would fill the disk; `confused` says the same.
    if count > LARGEST_MATRIX {
        return Value::Null;
    }
    let mut rows = vec![vec![0; count]; count];
    for (class, predicted, images) in confusion.pairs() {
        rows[class as usize][predicted as usize] = images;
    }
    json!(rows)
}

/// The path from the root on: the same whether the run was begun with a relative path or resumed from elsewhere.
fn whole_path(path: &Path) -> String {
    std::path::absolute(path).as_deref().unwrap_or(path).to_string_lossy().into_owned()
}
