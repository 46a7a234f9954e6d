//! The results in the order of the trials, and the epochs of each.

use super::draw::{Plane, line};
use super::figure::Figure;
use super::file::{State, Study, Trial};
use super::scale::Scale;

/// The size of these pictures.
const SIZE: (f64, f64) = (720.0, 310.0);
/// So many trials have a line of their own.
const MOST_LINES: usize = 200;
/// So many epochs of a trial are drawn.
const MOST_POINTS: usize = 100;

/// Result after result, and the best so far.
pub fn history(study: &Study) -> Figure {
    let complete: Vec<(&Trial, f64)> = study.drawn(State::Complete).collect();
    let pruned: Vec<(&Trial, f64)> = study.drawn(State::Pruned).collect();
    let first = complete.iter().chain(&pruned).map(|(trial, _)| trial.number).min().unwrap_or(0);
    let last = study.trials.iter().map(|trial| trial.number).max().unwrap_or(0);
    let values = complete.iter().chain(&pruned).map(|(_, value)| *value);
    let plane = Plane::new(Scale::of_counts(first, last), Scale::of_values(study, values), SIZE);
    let mut figure = plane.figure("Results in their order".to_owned(), ("trial", &study.metric));
    let groups = [("pruned", &pruned), ("tried", &complete)];
    let dots = groups.into_iter().flat_map(|(class, found)| found.iter().map(move |one| (class, one)));
    let dots = dots.filter_map(|(class, (trial, value))| {
        Some((class, plane.shares(f64::from(trial.number), *value)?, *trial))
    });
    plane.dots(&mut figure, dots.collect(), study);
    let best = best_so_far(study, &complete, last);
    figure.add(
        "line s-val",
        line(best.iter().filter_map(|(x, y)| plane.at(*x, *y))),
        "the best so far".to_owned(),
    );
    figure.legend = vec![("s-train", "trained to the end".to_owned())];
    if !pruned.is_empty() {
        figure.legend.push(("s-mark", "ended early".to_owned()));
    }
    figure.legend.push(("s-val", "the best so far".to_owned()));
    figure.description = match study.best() {
        Some((trial, _)) => {
            format!("Results of {} trials; the best is {}.", study.trials.len(), study.told(trial))
        }
        None => "No trial has a result.".to_owned(),
    };
    figure
}

/// The corners of a line that rises, or falls, where a trial is better than all before.
fn best_so_far(study: &Study, complete: &[(&Trial, f64)], last: u32) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (trial, value) in complete {
        let number = f64::from(trial.number);
        match corners.last().copied() {
            Some((_, best)) if study.cost(*value) >= study.cost(best) => {}
            Some((_, best)) => corners.extend([(number, best), (number, *value)]),
            None => corners.push((number, *value)),
        }
    }
    corners.extend(corners.last().map(|(_, best)| (f64::from(last), *best)));
    corners
}

/// The metric of each trial, epoch by epoch. Of many trials the latest.
pub fn curves(study: &Study) -> Option<Figure> {
    let latest = study.trials.iter().rev().filter(|trial| trial.epochs.len() > 1);
    let mut drawn: Vec<&Trial> = latest.take(MOST_LINES).collect();
    let points = |trial: &Trial| -> Vec<(f64, f64)> {
        let point =
            |(epoch, value): &(u32, Option<f64>)| Some((f64::from(*epoch), value.filter(|v| v.is_finite())?));
        // The last epoch always.
        let step = trial.epochs.len().div_ceil(MOST_POINTS);
        let kept = trial.epochs.iter().rev().step_by(step).rev();
        kept.filter_map(point).collect()
    };
    let last = drawn.iter().filter_map(|trial| trial.epochs.last()).map(|point| point.0).max()?;
    let values = drawn.iter().flat_map(|trial| points(trial)).map(|point| point.1);
    let plane = Plane::new(Scale::of_counts(1, last), Scale::of_values(study, values), SIZE);
    let mut figure = plane.figure("Epochs of all trials".to_owned(), ("epoch", &study.metric));
    // Those that ended early lie behind, the best in front of all.
    let best = study.best().map(|(trial, _)| trial.number);
    let rank = |trial: &&Trial| match trial.state {
        _ if Some(trial.number) == best => 2,
        State::Complete => 1,
        _ => 0,
    };
    drawn.sort_by_key(rank);
    for trial in drawn {
        let class = ["line thin s-mark", "line thin s-train", "line s-val"][rank(&trial)];
        let path = line(points(trial).into_iter().filter_map(|(x, y)| plane.at(x, y)));
        figure.add(class, path, study.told(trial));
    }
    figure.legend = vec![
        ("s-train", "trained to the end".to_owned()),
        ("s-mark", "ended early or failed".to_owned()),
        ("s-val", "the best".to_owned()),
    ];
    figure.description = format!("{} of the trials after each of up to {last} epochs.", study.metric);
    Some(figure)
}
