//! The picture of a trial: each pair's difference, and the interval of their mean.

use wellfit_plot::{Axis, Chart, Numbers, Paint, Scatter, Series};
use wellfit_proof::{Design, Measured, Outcome};

/// A dot for each pair's difference, in a column a technique; beside the column the mean with its interval.
pub(super) fn differences(design: &Design, measured: &[Measured], outcome: &Outcome) -> Chart {
    let colours = [Paint::TRAIN, Paint::VALIDATION];
    let (mut lines, mut scatters) = (Vec::new(), Vec::new());
    let columns = measured.len() as f64;
    lines.push(Series {
        width: 0.8,
        alpha: 0.6,
        ..Series::new("", vec![(0.5, 0.0), (columns + 0.5, 0.0)], colours[0])
    });
    for (place, (one, judged)) in measured.iter().zip(&outcome.techniques).enumerate() {
        let x = place as f64 + 1.0;
        let points: Vec<(f64, f64)> =
            one.pairs.iter().take(judged.pairs).map(|pair| (x, pair.treated - pair.baseline)).collect();
        let name = if place == 0 { "a pair" } else { "" };
        scatters.push(Scatter { alpha: 0.7, ..Scatter::new(name, points, colours[0]) });
        let name = if place == 0 { "mean and its interval" } else { "" };
        let beside = x + 0.15;
        lines.push(Series {
            marker: Some(4.0),
            ..Series::new(name, vec![(beside, judged.mean_difference)], colours[1])
        });
        if let Some([low, high]) = judged.interval {
            lines.push(Series {
                width: 2.5,
                ..Series::new("", vec![(beside, low), (beside, high)], colours[1])
            });
        }
    }
    let names: Vec<String> = outcome
        .techniques
        .iter()
        .enumerate()
        .map(|(place, one)| format!("{} {}: {}", place + 1, one.name, one.verdict))
        .collect();
    Chart {
        title: format!("What techniques change: {}", design.metric),
        subtitle: names.join(", "),
        x: Axis { range: Some((0.5, columns + 0.5)), ..Axis::new("technique", Numbers::Whole) },
        y: Axis::new("treated minus baseline", Numbers::Real),
        lines,
        scatters,
        size: (1000, 700),
        ..Chart::default()
    }
}
