//! Looks at the test part: on request only, and counted, since a test set that is looked at often enough agrees with anything.

use super::known::{Known, in_order};
use super::pair::Trial;
use crate::classifier::Classifier;
use crate::error::RunError;
use crate::observer::Observer;
use serde_json::json;
use wellfit_base::Shown;
use wellfit_data::DataError;
use wellfit_proof::{Outcome, judge};
use wellfit_record::{RecordError, TrialDir, now};

/// The file that counts the looks, a line each.
const LOOKS: &str = "test-looks.jsonl";
/// What is compared.
const METRIC: &str = "test_accuracy";

/// What a look at the test part showed.
#[derive(Debug, Clone)]
pub struct TestLook {
    /// Which look of this trial it was, from 1.
    pub number: usize,
    /// The same verdicts of the best weights on the test images.
    pub outcome: Outcome,
}

/// How often this trial's test part was looked at.
pub(super) fn count(dir: &TrialDir) -> Result<usize, RunError> {
    Ok(dir.read_file(LOOKS)?.map_or(0, |text| text.lines().count()))
}

/// Count a look at so many test images before it begins: which it is, from 1.
pub(crate) fn noted(
    images: usize,
    read: impl Fn(&str) -> Result<Option<String>, RecordError>,
    write: impl Fn(&str, &[u8]) -> Result<(), RecordError>,
) -> Result<usize, RunError> {
    let before = read(LOOKS)?.unwrap_or_default();
    let number = before.lines().count() + 1;
    let line = json!({ "look": number, "time": now(), "images": images });
    write(LOOKS, format!("{before}{line}\n").as_bytes())?;
    Ok(number)
}

/// Judge the best weights of all runs on the test images. The look counts from its beginning on.
pub(super) fn look(
    trial: &Trial<'_>,
    known: &Known,
    observer: &mut dyn Observer,
) -> Result<TestLook, RunError> {
    let baseline = trial.prepare(0, 0, observer)?;
    let Some(test) = &baseline.parts.test else {
        return Err(RunError::Data(DataError::Invalid(format!(
            "{} has no test part to look at",
            trial.data.source.data
        ))));
    };
    let number =
        noted(test.len(), |name| trial.dir.read_file(name), |name, text| trial.dir.write_file(name, text))?;
    let mut seen = known.clone();
    for (id, found) in &mut seen {
        let arms = [0, id.technique + 1].map(|arm| trial.run(id.pair, arm));
        let mut right = Vec::new();
        for run in &arms {
            let classifier = Classifier::open(run)?;
            right.push(classifier.evaluate(test, baseline.spec.batch_size, observer)?.right);
        }
        for (worth, right) in found.arms.iter_mut().zip(&right) {
            let values: Vec<f64> = right.iter().map(|right| f64::from(u8::from(*right))).collect();
            worth.value = values.iter().sum::<f64>() / values.len().max(1) as f64;
            worth.per_image = Some(values);
        }
        let [own, other] = &found.arms;
        (found.result.baseline, found.result.treated) = (own.value, other.value);
        let both = own.per_image.iter().zip(&other.per_image);
        let mut differences =
            both.map(|(own, other)| own.iter().zip(other).map(|(own, other)| other - own).collect());
        found.result.per_image = differences.next_back();
    }
    let mut design = trial.design.clone();
    (design.metric, design.mode) = (METRIC.to_owned(), wellfit_policy::Mode::Max);
    let outcome = judge(&trial.dir.path().shown().to_string(), &design, &in_order(&design, &seen)?)?;
    Ok(TestLook { number, outcome })
}
