//! The curves of the arms: their mean over the pairs, with a band from the lowest to the highest.

use super::known::Known;
use super::pair::Trial;
use crate::error::RunError;
use crate::sharing::trained;
use wellfit_plot::{Axis, Band, Chart, Numbers, Paint, Series};
use wellfit_proof::trial::PairId;
use wellfit_record::{Metric, Quantity, RunDir};

/// A chart for each arm that is compared with the baseline, under the name of its file.
pub(super) fn curves(trial: &Trial<'_>, known: &Known) -> Result<Vec<(String, Chart)>, RunError> {
    let metric = Metric::named(&trial.design.metric).unwrap_or(Metric::VAL_ACCURACY);
    let mut charts = Vec::new();
    for technique in 0..trial.arms.len() - 1 {
        let pairs = (0..).take_while(|&pair| known.contains_key(&PairId { pair, technique })).count();
        let values = |arm: usize| -> Result<Vec<Vec<f64>>, RunError> {
            let of = |pair| {
                let epochs = trained(&RunDir::open(trial.run(pair, arm))?)?;
                Ok(epochs.iter().map(|epoch| epoch.value(metric)).collect())
            };
            (0..pairs).map(of).collect()
        };
        let arm = &trial.arms[technique + 1];
        let arms = [
            drawn(&trial.arms[0].name, &values(0)?, Paint::TRAIN),
            drawn(&arm.name, &values(technique + 1)?, Paint::VALIDATION),
        ];
        let (bands, lines): (Vec<Band>, Vec<Vec<Series>>) = arms.into_iter().unzip();
        let numbers = if metric.quantity == Quantity::Loss { Numbers::Real } else { Numbers::Percent };
        let chart = Chart {
            title: format!("{} with and without {}", metric.name(), arm.name),
            subtitle: format!("mean of {pairs} pairs; bands: from the lowest to the highest"),
            x: Axis::new("epoch", Numbers::Whole),
            y: Axis::new(metric.name(), numbers),
            bands,
            lines: lines.into_iter().flatten().collect(),
            size: (1000, 700),
            ..Chart::default()
        };
        charts.push((format!("curves-{}", arm.directory), chart));
    }
    Ok(charts)
}

/// The mean of curves, and the area from the lowest to the highest. Where some ended the others go on, so the mean is of those
/// that are there.
fn drawn(name: &str, curves: &[Vec<f64>], color: Paint) -> (Band, Vec<Series>) {
    let longest = curves.iter().map(Vec::len).max().unwrap_or(0);
    let there = |place: usize| curves.iter().filter_map(move |curve| curve.get(place).copied());
    let line = |of: &dyn Fn(usize) -> f64| (0..longest).map(of).collect::<Vec<f64>>();
    let mean = line(&|place| there(place).sum::<f64>() / there(place).count() as f64);
    let low = line(&|place| there(place).fold(f64::INFINITY, f64::min));
    let high = line(&|place| there(place).fold(f64::NEG_INFINITY, f64::max));
    let points = low.iter().zip(&high).enumerate();
    let points = points.map(|(place, (&low, &high))| (place as f64 + 1.0, low, high)).collect();
    let edge = |values: &[f64]| Series { width: 0.7, alpha: 0.5, ..Series::counted("", values, color) };
    let mean = Series { width: 2.0, ..Series::counted(name, &mean, color) };
    (Band { points, color, alpha: 0.15 }, vec![edge(&low), edge(&high), mean])
}
