//! The one look at the test part in the end: the settings given against those that came out.

use crate::classifier::Classifier;
use crate::error::RunError;
use crate::observer::Observer;
use serde::{Deserialize, Serialize};
use std::path::Path;
use wellfit_data::Dataset;
use wellfit_policy::classification::wilson;
use wellfit_proof::Flips;

/// What the test part says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinalLook {
    /// Which look of this improvement it was, from 1.
    pub look: usize,
    /// Test images.
    pub images: usize,
    /// The first run; none where its loss became NaN, or where it is the final one.
    pub first: Option<OnTest>,
    /// The final run.
    pub last: OnTest,
    /// The images that the final run fixed and broke.
    pub fixed: Option<u64>,
    /// The images that it broke.
    pub broken: Option<u64>,
    /// McNemar's exact p of the two networks.
    pub mcnemar_p: Option<f64>,
}

/// How good a run's best weights are on the test part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnTest {
    /// The share of right answers.
    pub accuracy: f64,
    /// Wilson's interval of it.
    pub interval: [f64; 2],
    /// The mean recall of the classes.
    pub balanced_accuracy: f64,
}

/// Judge the runs' best weights on the test part.
pub(super) fn look(
    (first, last): (Option<&Path>, &Path),
    test: &Dataset,
    (look, batch_size): (usize, usize),
    observer: &mut dyn Observer,
) -> Result<FinalLook, RunError> {
    let mut judged = |run: &Path| -> Result<(OnTest, Vec<bool>), RunError> {
        let found = Classifier::open(run)?.evaluate(test, batch_size, observer)?;
        let right = found.right.iter().filter(|right| **right).count() as u64;
        let interval = wilson(right, test.len() as u64);
        let shown = found.classes.iter().filter(|(images, _)| *images > 0);
        let recalls: Vec<f64> = shown.map(|(images, right)| *right as f64 / *images as f64).collect();
        let of = OnTest {
            accuracy: right as f64 / test.len().max(1) as f64,
            interval: [interval.low, interval.high],
            balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len().max(1) as f64,
        };
        Ok((of, found.right))
    };
    let (of_last, right) = judged(last)?;
    let before = first.map(judged).transpose()?;
    let flips = before.as_ref().map(|(_, before)| Flips::count(before, &right)).transpose()?;
    Ok(FinalLook {
        look,
        images: test.len(),
        first: before.map(|(of, _)| of),
        last: of_last,
        fixed: flips.map(|flips| flips.fixed),
        broken: flips.map(|flips| flips.broken),
        mcnemar_p: flips.map(Flips::p),
    })
}
