//! The curves of several runs over each other.

use super::compared::Compared;
use crate::plots::Plots;
use wellfit_base::Shown;
use wellfit_base::words::plural;
use wellfit_plot::{Axis, Chart, LineStyle, Numbers, Paint, Series};
use wellfit_record::EpochRecord;

/// A colour for each run; with more runs they come again, with dots.
const PAINTS: [Paint; 4] = [Paint::TRAIN, Paint::VALIDATION, Paint::TEST, Paint::LEARNING_RATE];

/// `accuracy` and `loss` of each run: of the validation images a line, of the training images a dashed one.
#[must_use]
pub fn charts(runs: &[Compared]) -> Plots {
    let shares = Axis::new("Accuracy", Numbers::Percent);
    let losses = Axis::new("Loss", Numbers::Real);
    let accuracy = chart(runs, "Accuracy", shares, (EpochRecord::train_accuracy, EpochRecord::val_accuracy));
    let loss = chart(runs, "Loss", losses, (EpochRecord::train_loss, EpochRecord::val_loss));
    let charts = vec![("accuracy".to_owned(), accuracy), ("loss".to_owned(), loss)];
    Plots { charts, problems: Vec::new() }
}

type Figure = fn(&EpochRecord) -> f64;

fn chart(runs: &[Compared], title: &str, y: Axis, (train, validation): (Figure, Figure)) -> Chart {
    let mut lines = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let paint = PAINTS[place % PAINTS.len()];
        let marker = (place >= PAINTS.len()).then_some(3.0);
        let points =
            |of: Figure| run.epochs.iter().map(|epoch| (f64::from(epoch.epoch), of(epoch))).collect();
        let name = run.path.shown();
        let solid = Series::new(format!("{name}, validation"), points(validation), paint);
        let dashed = Series::new(format!("{name}, training"), points(train), paint);
        lines.push(Series { marker, ..solid });
        lines.push(Series { style: LineStyle::Dashed, alpha: 0.6, width: 1.5, marker, ..dashed });
    }
    Chart {
        title: format!("{title} of {}", plural(runs.len(), "run")),
        x: Axis::new("Epochs", Numbers::Whole),
        y,
        lines,
        size: (1000, 700),
        ..Chart::default()
    }
}
