//! The picture of a trial: each pair's difference, and the interval of their mean.

use wellfit_plot::{Axis, Chart, Mark, Numbers, Paint, Scatter, Series};
use wellfit_proof::{Design, Judged, Measured, Outcome};
use wellfit_record::{Metric, Quantity};

/// A dot for each pair's difference, in a column a technique; beside the column the mean with its interval.
pub(super) fn differences(design: &Design, measured: &[Measured], outcome: &Outcome) -> Chart {
    let colours = [Paint::TRAIN, Paint::VALIDATION];
    let (mut lines, mut scatters, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    // Shares are shown in points of a hundred.
    let is_loss = Metric::named(&design.metric).is_some_and(|metric| metric.quantity == Quantity::Loss);
    let (unit, label) =
        if is_loss { (1.0, "treated minus baseline") } else { (100.0, "treated minus baseline, points") };
    let columns = measured.len() as f64;
    lines.push(Series {
        width: 0.8,
        alpha: 0.6,
        ..Series::new("", vec![(0.5, 0.0), (columns + 0.5, 0.0)], colours[0])
    });
    for (place, (one, judged)) in measured.iter().zip(&outcome.techniques).enumerate() {
        let x = place as f64 + 1.0;
        let points: Vec<(f64, f64)> = one
            .pairs
            .iter()
            .take(judged.pairs)
            .map(|pair| (x, unit * (pair.treated - pair.baseline)))
            .collect();
        let name = if place == 0 { "a pair" } else { "" };
        scatters.push(Scatter { alpha: 0.7, ..Scatter::new(name, points, colours[0]) });
        let name = if place == 0 { "mean and its interval" } else { "" };
        let beside = x + 0.06 * columns;
        marks.push(Mark { x, label: judged.name.clone() });
        lines.push(Series {
            marker: Some(4.0),
            ..Series::new(name, vec![(beside, unit * judged.mean_difference)], colours[1])
        });
        if let Some([low, high]) = judged.interval {
            lines.push(Series {
                width: 2.5,
                ..Series::new("", vec![(beside, unit * low), (beside, unit * high)], colours[1])
            });
        }
    }
    let told = |one: &Judged| match outcome.techniques.len() {
        1 => format!("{} in {} pairs", one.verdict, one.pairs),
        _ => format!("{}: {}", one.name, one.verdict),
    };
    let names: Vec<String> = outcome.techniques.iter().map(told).collect();
    Chart {
        title: format!("What techniques change: {}", design.metric),
        subtitle: names.join(", "),
        x: Axis { range: Some((0.5, columns + 0.5)), ..Axis::new("technique", Numbers::Whole) },
        y: Axis::new(label, Numbers::Real),
        lines,
        scatters,
        marks,
        size: (1000, 700),
        ..Chart::default()
    }
}
