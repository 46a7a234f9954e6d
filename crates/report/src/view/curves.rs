//! The curves of a run, and the table beside them.

use super::findings::title;
use crate::chart::{Chart, Line, Mark, MarkKind, Unit};
use crate::read::RunReport;
use wellfit_base::figures::{self, duration, short};
use wellfit_diagnose::Name;
use wellfit_record::{EpochRecord, Event, Metric};

/// Rows of a table and points of a curve: more are thinned out evenly, so that the page stays small.
const MOST_ROWS: usize = 250;
const MOST_POINTS: usize = 1500;

/// Some figures of every epoch.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What the columns hold.
    pub head: Vec<String>,
    /// A row an epoch, and whether it is the best one.
    pub rows: Vec<(bool, Vec<String>)>,
    /// How many epochs there are, where the table leaves some out.
    pub of: Option<usize>,
}

/// Accuracy, loss and learning rate.
pub fn charts(run: &RunReport) -> Vec<Chart> {
    let epochs = thinned(&run.epochs, MOST_POINTS);
    if epochs.is_empty() {
        return Vec::new();
    }
    let line = |name: &str, class: &str, of: fn(&EpochRecord) -> f64| Line {
        name: name.to_owned(),
        class: class.to_owned(),
        values: epochs.iter().map(|epoch| Some(of(epoch)).filter(|value| value.is_finite())).collect(),
    };
    let marks = marks(run);
    let best = run.best.as_ref().map_or(u32::MAX, |best| best.epoch);
    let chart = |id, title: &str, unit, lines| Chart {
        id,
        title: title.to_owned(),
        unit,
        epochs: epochs.iter().map(|epoch| epoch.epoch).collect(),
        lines,
        marks: marks.clone(),
        chosen: epochs.iter().position(|epoch| epoch.epoch == best).unwrap_or(epochs.len() - 1),
    };
    let mut charts = vec![
        chart(
            "accuracy",
            "Accuracy",
            Unit::Percent,
            vec![
                line("training", "train", EpochRecord::train_accuracy),
                line("validation", "val", EpochRecord::val_accuracy),
            ],
        ),
        chart(
            "loss",
            "Loss",
            Unit::Loss,
            vec![
                line("training", "train", EpochRecord::train_loss),
                line("validation", "val", EpochRecord::val_loss),
            ],
        ),
    ];
    charts.push(chart("rate", "Learning rate", Unit::Rate, vec![line("rate", "lr", |epoch| epoch.lr)]));
    charts
}

/// What happened at which epoch.
fn marks(run: &RunReport) -> Vec<Mark> {
    let mark = |epoch, kind, label: &str, text| Mark { epoch, kind, label: label.to_owned(), text };
    let mut marks = Vec::new();
    if let Some(best) = &run.best {
        let text = format!("epoch {} is the best: its weights are kept", best.epoch);
        marks.push(mark(best.epoch, MarkKind::Best, "best", text));
    }
    let found = run.diagnosis.iter().flat_map(|diagnosis| diagnosis.findings.iter().enumerate());
    for (place, finding) in found.filter(|(_, finding)| finding.name != Name::Healthy) {
        if let Some(epoch) = finding.onset {
            let text = format!("{} from epoch {epoch}", title(finding.name));
            marks.push(mark(epoch, MarkKind::Finding, &(place + 1).to_string(), text));
        }
    }
    for event in &run.events {
        match event {
            Event::LrChange { epoch, from, to, .. } => {
                let text = format!(
                    "after epoch {epoch} the learning rate went from {} to {}",
                    short(*from),
                    short(*to)
                );
                marks.push(mark(*epoch, MarkKind::Rate, "", text));
            }
            Event::Requested { request, epoch, step, .. } => {
                let text = format!("asked to {request}: done after step {step}, in epoch {epoch}");
                marks.push(mark(*epoch, MarkKind::Rate, "", text));
            }
            Event::Resumed { epoch, .. } => {
                marks.push(mark(
                    *epoch,
                    MarkKind::Resumed,
                    "",
                    format!("the run was resumed after epoch {epoch}"),
                ));
            }
            Event::Checkpoint { name, epoch, .. } if name == "best" => {
                let text = format!("checkpoint of epoch {epoch}, the best until then");
                marks.push(mark(*epoch, MarkKind::Checkpoint, "", text));
            }
            _ => {}
        }
    }
    let ends =
        (run.epochs.first().map_or(0, |epoch| epoch.epoch), run.epochs.last().map_or(0, |epoch| epoch.epoch));
    marks.retain(|mark| (ends.0..=ends.1).contains(&mark.epoch));
    marks
}

/// All metrics of every epoch.
pub fn table(run: &RunReport) -> Table {
    let rows = thinned(&run.epochs, MOST_ROWS);
    let metrics: Vec<Metric> = Metric::ALL
        .into_iter()
        .filter(|metric| run.epochs.iter().any(|epoch| metric.of(epoch).is_some()))
        .collect();
    let head = ["epoch".to_owned()]
        .into_iter()
        .chain(metrics.iter().map(|metric| in_words(metric.name())))
        .chain(["learning rate".to_owned(), "time".to_owned()]);
    let best = run.best.as_ref().map(|best| best.epoch);
    let row = |epoch: &EpochRecord| {
        let value = |metric: &Metric| {
            metric.of(epoch).map_or_else(String::new, |value| figures::metric(metric.name(), value))
        };
        let cells = [epoch.epoch.to_string()]
            .into_iter()
            .chain(metrics.iter().map(value))
            .chain([short(epoch.lr), duration(epoch.seconds)]);
        (best == Some(epoch.epoch), cells.collect())
    };
    Table {
        head: head.collect(),
        of: (rows.len() < run.epochs.len()).then_some(run.epochs.len()),
        rows: rows.iter().map(row).collect(),
    }
}

fn in_words(name: &str) -> String {
    name.replace("train_", "training ").replace("val_", "validation ").replace('_', " ")
}

/// At most `most` of the epochs, evenly spread, the last one with them.
fn thinned(epochs: &[EpochRecord], most: usize) -> Vec<EpochRecord> {
    let step = epochs.len().div_ceil(most).max(1);
    let kept = epochs.iter().enumerate().filter(|(at, _)| (epochs.len() - 1 - at).is_multiple_of(step));
    kept.map(|(_, epoch)| *epoch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_thinned_out_and_keep_their_end() {
        let epochs: Vec<EpochRecord> =
            (1..=1000).map(|epoch| EpochRecord { epoch, ..EpochRecord::default() }).collect();
        let kept = thinned(&epochs, 250);
        assert_eq!((kept.len(), kept[0].epoch, kept[249].epoch), (250, 4, 1000));
        assert_eq!(thinned(&epochs[..3], 250).len(), 3);
        assert!(thinned(&[], 250).is_empty());
    }
}
