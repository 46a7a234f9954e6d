//! What the runs of a trial are worth, from their records.

use super::pair::Trial;
use super::plan::JUDGED;
use crate::classifier::Classifier;
use crate::error::RunError;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_proof::trial::PairId;
use wellfit_proof::{Cost, Flips, PairResult, judged_by_halves};
use wellfit_record::{Event, Metric, RunDir, answers, best_epoch, epochs};

/// What a run is worth.
#[derive(Debug, Clone)]
pub(super) struct Worth {
    pub value: f64,
    /// Image by image, where the metric is a mean over them.
    pub per_image: Option<Vec<f64>>,
    pub cost: Cost,
    /// Of its epochs, those that were trained for the baseline already.
    pub shared: u32,
}

/// A finished pair.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub result: PairResult,
    /// The images that changed sides, where single ones are judged.
    pub flips: Option<Flips>,
    /// Both arms, the baseline first.
    pub arms: [Worth; 2],
}

impl Trial<'_> {
    /// The result of a finished pair.
    pub fn measure(&self, id: PairId) -> Result<Found, RunError> {
        let metric = Metric::named(&self.design.metric).unwrap_or(JUDGED);
        let [own, other] = [0, id.technique + 1].map(|arm| self.run(id.pair, arm));
        let (baseline, treated) = (worth(&own, metric)?, worth(&other, metric)?);
        let both = baseline.per_image.as_ref().zip(treated.per_image.as_ref());
        let per_image: Option<Vec<f64>> =
            both.map(|(own, other)| own.iter().zip(other).map(|(own, other)| other - own).collect());
        let flips = both.map(|(own, other)| Flips::count(&right(own), &right(other))).transpose()?;
        let result = PairResult {
            baseline: baseline.value,
            treated: treated.value,
            same_bits: same_bits(&own, &other)?,
            per_image,
            cost: Cost {
                epochs: treated.cost.epochs - baseline.cost.epochs,
                seconds: treated.cost.seconds - baseline.cost.seconds,
                images: treated.cost.images - baseline.cost.images,
            },
        };
        Ok(Found { result, flips, arms: [baseline, treated] })
    }
}

/// Whether each image was answered rightly.
pub(super) fn right(values: &[f64]) -> Vec<bool> {
    values.iter().map(|value| *value > 0.5).collect()
}

pub(super) fn worth(dir: &Path, metric: Metric) -> Result<Worth, RunError> {
    let run = RunDir::open(dir)?;
    let (outcome, events) = (run.outcome()?, run.events()?.rows);
    let trained = f64::from(outcome.epochs);
    let shared = events.iter().find_map(|event| match event {
        Event::Branched { epoch, .. } => Some(*epoch),
        _ => None,
    });
    let shared = shared.unwrap_or(0);
    let cost =
        Cost { epochs: trained, seconds: outcome.seconds, images: trained * outcome.info.data.train as f64 };
    if metric == JUDGED {
        let missing = || {
            RunError::Output(format!(
                "{}: the answers of an epoch are missing: it was resumed without `record_answers`. Remove this run and give the \
                 same command again",
                dir.shown()
            ))
        };
        let found =
            answers(&events, outcome.epochs).into_iter().collect::<Option<Vec<_>>>().ok_or_else(missing)?;
        let values: Vec<Vec<f64>> = found
            .into_iter()
            .map(|right| right.into_iter().map(|right| f64::from(u8::from(right))).collect())
            .collect();
        let per_image = judged_by_halves(&values, metric.mode())?;
        let value = per_image.iter().sum::<f64>() / per_image.len() as f64;
        return Ok(Worth { value, per_image: Some(per_image), cost, shared });
    }
    let value = best_epoch(&epochs(&events), metric).map_or(f64::NAN, |epoch| epoch.value(metric));
    Ok(Worth { value, per_image: None, cost, shared })
}

/// Whether the best weights of two runs are the same.
fn same_bits(own: &Path, other: &Path) -> Result<bool, RunError> {
    let [own, other] =
        [own, other].map(|dir| Classifier::open(dir).map(|classifier| classifier.network.state()));
    let (own, other) = (own?, other?);
    Ok(own.arrays == other.arrays)
}
