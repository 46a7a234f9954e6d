//! Ready-made charts: curves of training, and what the experiments compare.

use crate::theme::recipe;
use crate::{Axis, Chart, LineStyle, Numbers, Paint, Scatter, Series};

/// Accuracy of each epoch (from epoch 1), as fractions 0–1: [`Paint::TRAIN`] and
/// [`Paint::VALIDATION`]. 1000 × 700 pixels, the axis in percent.
#[must_use]
pub fn accuracy_chart(train: &[f64], validation: &[f64]) -> Chart {
    Chart {
        title: "Accuracy".to_owned(),
        y: Axis::new("Accuracy", Numbers::Percent),
        lines: vec![
            Series::counted("train accuracy", train, Paint::TRAIN),
            Series::counted("validation accuracy", validation, Paint::VALIDATION),
        ],
        ..epochs()
    }
}

/// Loss of each epoch (from epoch 1): [`Paint::TRAIN`] and [`Paint::VALIDATION`]. 1000 × 700 pixels.
#[must_use]
pub fn loss_chart(train: &[f64], validation: &[f64]) -> Chart {
    Chart {
        title: "Loss".to_owned(),
        y: Axis::new("Loss", Numbers::Real),
        lines: vec![
            Series::counted("train loss", train, Paint::TRAIN),
            Series::counted("validation loss", validation, Paint::VALIDATION),
        ],
        ..epochs()
    }
}

fn epochs() -> Chart {
    Chart { x: Axis::new("Epochs", Numbers::Whole), size: (1000, 700), ..Chart::default() }
}

/// Loss of each iteration (from 1) of two networks trained on the same batches: without batch
/// normalisation amber, with it blue. 640 × 480 pixels.
#[must_use]
pub fn twin_loss_chart(normal: &[f64], batch_norm: &[f64]) -> Chart {
    Chart {
        title: "Training loss".to_owned(),
        x: Axis::new("Iterations", Numbers::Whole),
        y: Axis::new("Loss", Numbers::Real),
        lines: vec![
            Series::counted("Normal", normal, recipe::AMBER),
            Series::counted("BatchNorm", batch_norm, recipe::BLUE),
        ],
        ..Chart::default()
    }
}

/// Whether probabilities mean what they say (a reliability diagram): for each bin the mean probability of its answers,
/// the share of them that is right, and its share of all answers; the first two are on the diagonal where they do.
/// 640 × 640 pixels.
#[must_use]
pub fn calibration_chart(bins: &[(f64, f64, f64)]) -> Chart {
    let share = |label: &str| Axis { range: Some((0.0, 1.0)), ..Axis::new(label, Numbers::Percent) };
    let right = bins.iter().map(|&(confidence, right, _)| (confidence, right)).collect();
    let images = bins.iter().map(|&(confidence, _, share)| (confidence, share)).collect();
    let ideal = Series::new("as it should be", vec![(0.0, 0.0), (1.0, 1.0)], Paint::MARK);
    let dots = |series: Series| Series { marker: Some(3.0), ..series };
    Chart {
        title: "Calibration".to_owned(),
        x: share("probability of the answer"),
        y: share("share of right answers"),
        lines: vec![
            Series { style: LineStyle::Dashed, ..ideal },
            dots(Series::new("share of all images", images, Paint::TEST)),
            dots(Series::new("right answers", right, Paint::VALIDATION)),
        ],
        size: (640, 640),
        ..Chart::default()
    }
}

/// What the dropout experiment knows at one epoch. Each list of y belongs to the list of x named beside it.
#[derive(Debug, Clone, Copy)]
pub struct DropoutChart<'a> {
    /// Training points: x and y.
    pub train: (&'a [f64], &'a [f64]),
    /// Test points: x and y.
    pub test: (&'a [f64], &'a [f64]),
    /// Where both networks were evaluated, in rising order.
    pub fit_x: &'a [f64],
    /// The plain network's answers at `fit_x`.
    pub fit: &'a [f64],
    /// The answers at `fit_x` of the network with dropout.
    pub fit_dropout: &'a [f64],
    /// Epochs trained.
    pub epoch: usize,
    /// Test loss of the plain network.
    pub loss: f64,
    /// Test loss of the network with dropout.
    pub loss_dropout: f64,
}

/// Training points purple, test points amber, the plain fit a solid blue line, the dropout fit a dashed
/// green one; epoch and losses in the title. 640 × 480 pixels.
///
/// The y axis covers the points and a tenth around them, not the fits, so that the pictures of an
/// animation share it.
#[must_use]
pub fn dropout_chart(data: &DropoutChart<'_>) -> Chart {
    let dots = |name, (x, y): (&[f64], &[f64]), color| Scatter {
        alpha: 0.5,
        ..Scatter::new(name, zip(x, y), color)
    };
    let fit =
        |name, y, color, style| Series { width: 3.0, style, ..Series::new(name, zip(data.fit_x, y), color) };
    let mut chart = Chart {
        title: format!(
            "Epoch {}, Loss={:.4}, Loss with dropout={:.4}",
            data.epoch, data.loss, data.loss_dropout
        ),
        scatters: vec![dots("train", data.train, recipe::PURPLE), dots("test", data.test, recipe::AMBER)],
        ..Chart::default()
    };
    chart.y.range = around(data.train.1.iter().chain(data.test.1));
    chart.lines = vec![
        fit("normal", data.fit, recipe::BLUE, LineStyle::Solid),
        fit("dropout", data.fit_dropout, recipe::GREEN, LineStyle::Dashed),
    ];
    chart
}

fn zip(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

/// The extent of the finite numbers and a tenth of it on both sides; none without numbers.
fn around<'a>(numbers: impl Iterator<Item = &'a f64>) -> Option<(f64, f64)> {
    let (low, high) = numbers
        .filter(|number| number.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &number| (low.min(number), high.max(number)));
    let margin = (high - low) / 10.0;
    (low <= high).then_some((low - margin, high + margin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_their_colours_and_count_from_1() {
        let chart = accuracy_chart(&[0.5, 0.6], &[0.4]);
        assert_eq!((chart.lines[0].color, chart.lines[1].color), (Paint::TRAIN, Paint::VALIDATION));
        assert_eq!(chart.lines[0].points, [(1.0, 0.5), (2.0, 0.6)]);
        assert_eq!((chart.x.numbers, chart.y.numbers), (Numbers::Whole, Numbers::Percent));
        let chart = loss_chart(&[0.5], &[0.4]);
        assert_eq!((chart.lines[0].color, chart.lines[1].color), (Paint::TRAIN, Paint::VALIDATION));
        assert_eq!(chart.size, (1000, 700));
        let chart = twin_loss_chart(&[2.0], &[1.0]);
        assert_eq!((chart.lines[0].name.as_str(), chart.lines[0].color), ("Normal", recipe::AMBER));
        assert_eq!((chart.lines[1].name.as_str(), chart.lines[1].color), ("BatchNorm", recipe::BLUE));
    }

    #[test]
    fn dropout_charts_share_their_axes_whatever_the_fits() {
        let (x, y) = ([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]);
        let chart = |fit: &[f64]| {
            dropout_chart(&DropoutChart {
                train: (&x, &y),
                test: (&x, &[0.0, 0.5, f64::NAN]),
                fit_x: &x,
                fit,
                fit_dropout: &y,
                epoch: 950,
                loss: 0.12344,
                loss_dropout: 0.1111,
            })
        };
        let (tame, wild) = (chart(&y), chart(&[9.0, -9.0, 9.0]));
        assert_eq!(tame.title, "Epoch 950, Loss=0.1234, Loss with dropout=0.1111");
        assert_eq!(tame.y.range, Some((-1.2, 1.2)));
        assert_eq!(tame.y, wild.y);
        let style = |i: usize| (tame.lines[i].color, tame.lines[i].style, tame.lines[i].width);
        assert_eq!(style(0), (recipe::BLUE, LineStyle::Solid, 3.0));
        assert_eq!(style(1), (recipe::GREEN, LineStyle::Dashed, 3.0));
        let dots = |i: usize| (tame.scatters[i].color, tame.scatters[i].alpha);
        assert_eq!((dots(0), dots(1)), ((recipe::PURPLE, 0.5), (recipe::AMBER, 0.5)));
    }
}
