//! The figures for people.

use crate::output::Output;
use wellfit::policy::classification::{BINS, ClassScores, Interval};
use wellfit::run::figures::{count, loss, percent};
use wellfit::run::{Evaluation, Judgement};

/// With more classes than this, only the worst ones are listed.
const MOST_CLASSES: usize = 30;
/// Pairs of confused classes that are listed.
const MOST_PAIRS: usize = 5;

/// Print them.
pub fn say(found: &Evaluation, judgement: &Judgement, classes: &[String], out: Output) {
    out.say(format!(
        "Loss: {}, Acc: {} (95 % interval {})",
        loss(found.loss),
        percent(found.accuracy),
        interval(judgement.accuracy)
    ));
    let top5 = judgement.top5_accuracy.map(|share| format!(", top-5 accuracy: {}", percent(share)));
    let auc = if judgement.auc.is_nan() { String::new() } else { format!(", AUC: {:.4}", judgement.auc) };
    out.say(format!(
        "Macro-F1: {} (95 % interval {}), balanced accuracy: {}{auc}{}",
        percent(judgement.macro_f1),
        interval(judgement.macro_f1_interval),
        percent(judgement.balanced_accuracy),
        top5.unwrap_or_default()
    ));
    table(judgement, classes, out);
    pairs(judgement, classes, out);
    out.say(calibration(judgement));
}

/// `79.1 to 93.0 %`.
fn interval(interval: Interval) -> String {
    format!("{:.1} to {}", 100.0 * interval.low, percent(interval.high))
}

/// A row for each class that has images or was answered.
fn table(judgement: &Judgement, classes: &[String], out: Output) {
    let there = |(_, scores): &(&String, ClassScores)| scores.support + scores.predicted > 0;
    let mut shown: Vec<(&String, ClassScores)> =
        classes.iter().zip(judgement.confusion.scores()).filter(there).collect();
    let all = shown.len();
    if all > MOST_CLASSES {
        shown.sort_by(|(_, a), (_, b)| a.f1.total_cmp(&b.f1));
        shown.truncate(MOST_CLASSES);
        out.say(format!(
            "The {MOST_CLASSES} classes with the lowest F1 of {} (all: --json, --out DIR):",
            count(all as u64)
        ));
    }
    let head = ["  class", "right", "", "precision", "recall", "F1"].map(str::to_owned);
    let row = |(class, scores): (&String, ClassScores)| {
        let share = |share: f64, of: u64| if of > 0 { percent(share) } else { "–".to_owned() };
        [
            format!("  {class}"),
            scores.right.to_string(),
            format!("of {}", scores.support),
            share(scores.precision, scores.predicted),
            share(scores.recall, scores.support),
            percent(scores.f1),
        ]
    };
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(shown.into_iter().map(row)).collect();
    out.table(&rows, 1..6);
}

/// What is most often mistaken for what.
fn pairs(judgement: &Judgement, classes: &[String], out: Output) {
    let confused = judgement.confusion.confused();
    if confused.is_empty() {
        return;
    }
    out.say("Most often confused:");
    let name = |class: u32| classes.get(class as usize).map_or("", String::as_str);
    let row = |&(class, predicted, images): &(u32, u32, u64)| {
        [format!("  {}", count(images)), format!("× {} taken for {}", name(class), name(predicted))]
    };
    out.table(&confused.iter().take(MOST_PAIRS).map(row).collect::<Vec<_>>(), 0..1);
}

/// How far probabilities can be relied on.
fn calibration(judgement: &Judgement) -> String {
    let calibration = &judgement.calibration;
    let error = format!("Expected calibration error: {} ({BINS} bins)", percent(calibration.ece));
    match (calibration.temperature, calibration.ece_after) {
        (Some(temperature), Some(after)) => {
            format!("{error}; outputs divided by {temperature:.2} would give {}", percent(after))
        }
        _ => format!("{error}; no temperature can be fitted to these answers"),
    }
}
