//! Other diagnosticians' published thresholds on the same curves, as far as the curves have what they look at.

use wellfit_diagnose::statistics::median;
use wellfit_diagnose::{Curves, Name, Series};

/// Their names, as the table has them.
pub const BASELINES: [&str; 3] = ["SageMaker Debugger", "AUTOTRAINER", "runmedic"];

/// Whether one of them finds it; `None` where it has no rule for it, or the curves lack what its rule needs.
pub fn finds(baseline: &str, name: Name, curves: &Curves) -> Option<bool> {
    match (baseline, name) {
        ("SageMaker Debugger", Name::DeadUnits) => dead(curves, 0.5),
        ("SageMaker Debugger", Name::ClassImbalance) => {
            let counts = curves.facts.class_counts.as_ref()?;
            Some(*counts.iter().max()? as f64 > 10.0 * *counts.iter().min()? as f64)
        }
        ("AUTOTRAINER", Name::DeadUnits) => dead(curves, 0.7),
        ("AUTOTRAINER", Name::VanishingGradients) => {
            let (first, last) = gradients(curves)?;
            Some(first / last < 1e-3 && first < 1e-4)
        }
        ("AUTOTRAINER", Name::ExplodingGradients) => {
            gradients(curves).map(|(first, last)| first / last > 70.0)
        }
        ("AUTOTRAINER", Name::LrTooHigh) => {
            let accuracy = values(curves, Series::TrainAccuracy)?;
            let swings = accuracy.windows(2).filter(|pair| (pair[1] - pair[0]).abs() >= 0.03);
            let turns = accuracy.windows(3).filter(|three| {
                let (there, back) = (three[1] - three[0], three[2] - three[1]);
                there * back < 0.0 && there.abs() >= 0.03 && back.abs() >= 0.03
            });
            Some(swings.count() > 0 && turns.count() as f64 >= 0.2 * accuracy.len() as f64)
        }
        ("AUTOTRAINER", Name::GeneralizationGap) => {
            let (train, val) = (values(curves, Series::TrainAccuracy)?, values(curves, Series::ValAccuracy)?);
            Some(train.last()? - val.last()? > 0.1)
        }
        ("runmedic", Name::Overfitting) => {
            let (val, train) = (values(curves, Series::ValLoss)?, values(curves, Series::TrainLoss)?);
            let (place, least) = lowest(&val);
            Some(*val.last()? >= 1.05 * least && train.last()? < train.get(place)?)
        }
        ("runmedic", Name::NotLearning) => {
            let train = values(curves, Series::TrainLoss)?;
            let chance = (curves.facts.classes? as f64).ln();
            Some((train.last()? - chance).abs() <= 0.02 * chance)
        }
        ("runmedic", Name::Diverged) => {
            let train = curves.values(Series::TrainLoss);
            if train.iter().flatten().any(|value| !value.is_finite()) {
                return Some(true);
            }
            let train = values(curves, Series::TrainLoss)?;
            let least = lowest(&train).1;
            Some((train.last()? - least) >= 0.5 * (train[0] - least) && train[0] > least)
        }
        ("runmedic", Name::LossSpikes) => {
            let norms = values(curves, Series::GradNorm)?;
            let typical = median(norms.iter().copied())?;
            Some(norms.iter().any(|norm| *norm > 10.0 * typical))
        }
        _ => None,
    }
}

fn values(curves: &Curves, series: Series) -> Option<Vec<f64>> {
    let values: Vec<f64> = curves.points(series).into_iter().map(|(_, value)| value).collect();
    (!values.is_empty()).then_some(values)
}

fn lowest(values: &[f64]) -> (usize, f64) {
    values.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f64::NAN))
}

fn dead(curves: &Curves, least: f64) -> Option<bool> {
    values(curves, Series::DeadUnits)?.last().map(|share| *share >= least)
}

fn gradients(curves: &Curves) -> Option<(f64, f64)> {
    let typical = |series| median(values(curves, series)?);
    Some((typical(Series::FirstLayerGradient)?, typical(Series::LastLayerGradient)?))
}
