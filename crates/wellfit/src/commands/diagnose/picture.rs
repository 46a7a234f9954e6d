//! A picture of what a diagnosis says: the curves that its weightiest finding is about, with the findings at their epochs.

use crate::error::CliError;
use std::path::Path;
use wellfit::base::words::plural;
use wellfit::base::{Shown, atomic};
use wellfit::diagnose::{Curves, Diagnosis, Name, Series};
use wellfit::plot::{self, Axis, Chart, Look, Mark, Numbers, Paint};

/// Findings that are marked at most: more could not be read.
const MOST_MARKS: usize = 4;

/// Refuses, before anything is read, a file that could not be written.
pub fn check(path: &Path, force: bool) -> Result<(), CliError> {
    kind(path)?;
    if path.exists() && !force {
        return Err(CliError::Output(format!("{} exists: give --force or another --picture", path.shown())));
    }
    Ok(())
}

/// Writes the picture.
pub fn save(path: &Path, curves: &Curves, diagnosis: &Diagnosis) -> Result<(), CliError> {
    let chart = chart(curves, diagnosis);
    let bytes = match kind(path)? {
        Kind::Png => chart.draw(Look::SCREEN).to_png_bytes()?,
        Kind::Svg => chart.svg(Look::SCREEN.theme).into_bytes(),
    };
    atomic::replace(path, &bytes).map_err(CliError::write(path.to_owned()))
}

#[derive(Clone, Copy)]
enum Kind {
    Png,
    Svg,
}

fn kind(path: &Path) -> Result<Kind, CliError> {
    match path.extension().map(|end| end.to_string_lossy().to_lowercase()).as_deref() {
        Some("png") => Ok(Kind::Png),
        Some("svg") => Ok(Kind::Svg),
        _ => Err(CliError::Usage(format!("--picture {}: the name must end in .png or .svg", path.shown()))),
    }
}

fn chart(curves: &Curves, diagnosis: &Diagnosis) -> Chart {
    let findings = &diagnosis.findings;
    let about = findings.first().map_or(LOSSES, |finding| about(finding.name));
    let paints = [Paint::TRAIN, Paint::VALIDATION];
    let lines = about.iter().zip(paints).filter(|(series, _)| curves.has(**series)).map(|(series, paint)| {
        let point = |(epoch, value)| {
            (f64::from(epoch), if is_exponent(*series) { libm::log10(value) } else { value })
        };
        let points = curves.points(*series).into_iter().map(point).collect();
        plot::Series::new(words(*series), points, paint)
    });
    let names: Vec<&str> = findings.iter().map(|finding| finding.name.name()).collect();
    let marks = findings.iter().filter_map(|finding| {
        Some(Mark { x: f64::from(finding.onset?), label: finding.name.name().to_owned() })
    });
    Chart {
        title: names.join(", "),
        subtitle: format!("{}, {}", curves.source, plural(diagnosis.epochs, "epoch")),
        x: Axis::new("Epochs", Numbers::Whole),
        y: axis(about[0]),
        lines: lines.collect(),
        marks: marks.take(MOST_MARKS).collect(),
        size: (800, 500),
        ..Chart::default()
    }
}

const LOSSES: [Series; 2] = [Series::TrainLoss, Series::ValLoss];

/// The curves on which a finding is seen.
const fn about(name: Name) -> [Series; 2] {
    match name {
        Name::ExplodingGradients | Name::VanishingGradients => {
            [Series::FirstLayerGradient, Series::LastLayerGradient]
        }
        Name::DeadUnits => [Series::DeadUnits, Series::TrainAccuracy],
        Name::BatchNormStatistics => [Series::ValLossReestimated, Series::ValLoss],
        Name::GeneralizationGap
        | Name::ValidationAboveTrain
        | Name::ClassImbalance
        | Name::ValidationTooSmall => [Series::TrainAccuracy, Series::ValAccuracy],
        Name::WaitingForData => [Series::DataWaitShare, Series::TrainAccuracy],
        _ => LOSSES,
    }
}

/// Norms of gradients lie powers of ten apart.
const fn is_exponent(series: Series) -> bool {
    matches!(series, Series::FirstLayerGradient | Series::LastLayerGradient)
}

fn axis(series: Series) -> Axis {
    match series {
        series if is_exponent(series) => Axis::new("Norm of the gradient", Numbers::Exponent),
        Series::TrainAccuracy => Axis::new("Accuracy", Numbers::Percent),
        Series::DeadUnits | Series::DataWaitShare => Axis::new("Share", Numbers::Percent),
        _ => Axis::new("Loss", Numbers::Real),
    }
}

/// A series as a legend names it.
const fn words(series: Series) -> &'static str {
    match series {
        Series::TrainLoss => "train loss",
        Series::ValLoss => "validation loss",
        Series::TrainAccuracy => "train accuracy",
        Series::ValAccuracy => "validation accuracy",
        Series::FirstLayerGradient => "first layer",
        Series::LastLayerGradient => "last layer",
        Series::DeadUnits => "units that are 0 for every image",
        Series::ValLossReestimated => "validation loss, BatchNorm re-estimated",
        Series::DataWaitShare => "waiting for images",
        other => other.name(),
    }
}
