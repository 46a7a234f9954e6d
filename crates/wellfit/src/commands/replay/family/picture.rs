//! The pictures of a family: the metric with the stops on it, and stops by patience.

use super::found::Found;
use std::collections::BTreeMap;
use wellfit::plot::{Axis, Chart, LineStyle, Mark, Numbers, Paint, Series};
use wellfit::policy::Semantics;
use wellfit::policy::family::StoppingMember;

/// Stops that are marked at most: more could not be read.
const MOST_MARKS: usize = 6;

/// `replay-stops`: the metric of each epoch and where policies stop; `replay-patience`: the stop for each patience.
pub fn charts(found: &Found) -> Vec<(String, Chart)> {
    vec![("replay-stops".to_owned(), stops(found)), ("replay-patience".to_owned(), patience(found))]
}

fn stops(found: &Found) -> Chart {
    let metrics = &found.metrics;
    let points = metrics.epochs.iter().map(|&(epoch, value)| (f64::from(epoch), value)).collect();
    // The recipe's rules without a least change: one family that all readers know.
    let plain = found
        .stopping
        .iter()
        .filter(|member| member.config.semantics == Semantics::Torch && member.config.min_delta == 0.0);
    let mut by_stop: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for member in plain {
        if let Some(stop) = member.stop {
            by_stop.entry(stop).or_default().push(member.config.patience);
        }
    }
    let mark = |(stop, patiences): (&u32, &Vec<u32>)| Mark {
        x: f64::from(*stop),
        label: format!("patience {}", patiences.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    };
    Chart {
        title: format!("Where early stopping ends {}", metrics.place),
        subtitle: format!("best epoch {} with {:.4}; torch's rules, delta 0", found.best.0, found.best.1),
        x: Axis::new("Epochs", Numbers::Whole),
        y: Axis::new(&metrics.name, Numbers::Real),
        lines: vec![Series::new(&metrics.name, points, Paint::VALIDATION)],
        marks: by_stop.iter().take(MOST_MARKS).map(mark).collect(),
        size: (1000, 700),
        ..Chart::default()
    }
}

/// A line for each semantics (colour) and least change (solid, then dashed); none where a policy never stops.
fn patience(found: &Found) -> Chart {
    let paints = [Paint::TRAIN, Paint::VALIDATION, Paint::TEST];
    let alike = |a: &StoppingMember, b: &StoppingMember| {
        (a.config.semantics, a.config.min_delta.to_bits())
            == (b.config.semantics, b.config.min_delta.to_bits())
    };
    let first_delta = found.stopping.first().map_or(0.0, |member| member.config.min_delta);
    let lines = found.stopping.chunk_by(alike).map(|group| {
        let config = &group[0].config;
        let (name, paint) = match config.semantics {
            Semantics::Torch | Semantics::Book => ("torch", paints[0]),
            Semantics::Keras => ("keras", paints[1]),
            Semantics::Lightning => ("lightning", paints[2]),
        };
        let stopped = group.iter().filter_map(|m| Some((f64::from(m.config.patience), f64::from(m.stop?))));
        let line = Series::new(format!("{name}, delta {}", config.min_delta), stopped.collect(), paint);
        let style = if config.min_delta == first_delta { LineStyle::Solid } else { LineStyle::Dashed };
        Series { style, marker: Some(3.0), ..line }
    });
    Chart {
        title: format!("Stop by patience on {}", found.metrics.place),
        subtitle: format!("of {} epochs; the best is {}", found.metrics.epochs.len(), found.best.0),
        x: Axis::new("Patience", Numbers::Whole),
        y: Axis::new("Stops after epoch", Numbers::Whole),
        lines: lines.filter(|line| !line.points.is_empty()).collect(),
        size: (1000, 700),
        ..Chart::default()
    }
}
