//! What a run of ours recorded for its diagnosis: `statistics.jsonl`.

use super::curves::Curves;
use super::series::Series;
use crate::statistics::median;
use std::collections::BTreeMap;
use wellfit_record::{EpochStatistics, Statistics, StepStatistics};

/// Adds the series and facts that these lines have.
pub fn add(lines: &[Statistics], curves: &mut Curves) {
    let (mut steps, mut epochs): (BTreeMap<u32, Vec<&StepStatistics>>, BTreeMap<u32, &EpochStatistics>) =
        Default::default();
    let mut head = None;
    for line in lines {
        match line {
            Statistics::Run(row) => head = Some(row),
            Statistics::Step(row) => steps.entry(row.epoch).or_default().push(row),
            Statistics::Epoch(row) => drop(epochs.insert(row.epoch, row)),
            Statistics::Unknown => {}
        }
    }
    add_steps(&steps, curves);
    add_epochs(&epochs, curves);
    let Some(head) = head else { return };
    curves.facts.class_counts = Some(head.train_images.clone()).filter(|counts| !counts.is_empty());
    let best = best_epoch(curves).and_then(|epoch| epochs.get(&epoch));
    if let Some(row) = best.filter(|row| row.val_right.len() == head.val_images.len()) {
        let pairs =
            row.val_right.iter().zip(&head.val_images).map(|(&right, &images)| (right.min(images), images));
        curves.facts.class_answers = Some(pairs.collect());
    }
}

/// The epoch of the least validation loss.
fn best_epoch(curves: &Curves) -> Option<u32> {
    let points = curves.points(Series::ValLoss);
    points.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch)
}

/// Of the steps of an epoch: means; of α, which has wild values, the median; of silent units the last.
fn add_steps(steps: &BTreeMap<u32, Vec<&StepStatistics>>, curves: &mut Curves) {
    let ends = |row: &&StepStatistics, last: bool| {
        let mut norms = row.gradients.iter().copied().flatten();
        if last { norms.next_back() } else { norms.next() }
    };
    let mut set = |series: Series, of: &dyn Fn(&[&StepStatistics]) -> Option<f64>| {
        let values = curves.epochs.iter().map(|epoch| of(steps.get(epoch)?)).collect();
        curves.set(series, values);
    };
    set(Series::GradNorm, &|rows| mean(rows.iter().filter_map(|row| row.grad_norm)));
    set(Series::ClippedShare, &|rows| {
        mean(rows.iter().filter_map(|row| row.clipped).map(|clipped| f64::from(u8::from(clipped))))
    });
    set(Series::Alpha, &|rows| median(rows.iter().filter_map(|row| row.alpha)));
    set(Series::FirstLayerGradient, &|rows| mean(rows.iter().filter_map(|row| ends(row, false))));
    set(Series::LastLayerGradient, &|rows| mean(rows.iter().filter_map(|row| ends(row, true))));
    set(Series::DeadUnits, &|rows| {
        let last = rows.iter().rev().find(|row| !row.dead.is_empty())?;
        last.dead.iter().copied().flatten().reduce(f64::max)
    });
}

fn add_epochs(rows: &BTreeMap<u32, &EpochStatistics>, curves: &mut Curves) {
    let of = |curves: &Curves, value: fn(&EpochStatistics) -> Option<f64>| -> Vec<Option<f64>> {
        curves.epochs.iter().map(|epoch| value(rows.get(epoch)?)).collect()
    };
    let judged = of(curves, |row| row.train_eval_loss);
    curves.set(Series::TrainEvalLoss, judged);
    let judged = of(curves, |row| row.train_eval_accuracy);
    curves.set(Series::TrainEvalAccuracy, judged);
    let plain = [of(curves, |row| row.train_cross_entropy), of(curves, |row| row.val_cross_entropy)];
    // Both or neither: the two curves are compared.
    if plain.iter().flatten().all(Option::is_some) && !rows.is_empty() {
        let [train, val] = plain;
        curves.set(Series::TrainLoss, train);
        curves.set(Series::ValLoss, val);
        curves.notes.push(
            "losses are plain cross-entropies, not the loss that was trained: they can be compared with those of other \
             runs"
                .to_owned(),
        );
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}
