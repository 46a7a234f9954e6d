//! Several networks that learn at the same time from the same batches, for a fair comparison of techniques.
//!
//! The trainers share nothing but the batches, so each ends with the bits it would have alone.

use crate::step::{Objective, StepOutcome, Trainer};
use wellfit_data::{DataError, Epoch};
use wellfit_models::ModelError;

/// Does `work` for each of `items`, all at the same time on the threads of the current pool; the results in order.
pub fn at_once<T: Send, R: Send>(items: &mut [T], work: &(impl Fn(&mut T) -> R + Sync)) -> Vec<R> {
    match items {
        [] => Vec::new(),
        [only] => vec![work(only)],
        [others @ .., last] => {
            let (last, mut results) = rayon::join(|| work(last), || at_once(others, work));
            results.push(last);
            results
        }
    }
}

/// One step of each trainer on the same batch; see [`Trainer::step`].
///
/// # Errors
/// As [`Trainer::step`], that of the first trainer that fails.
pub fn step<O: Objective>(
    trainers: &mut [Trainer<O>],
    inputs: &[f32],
    targets: &O::Targets,
    lr: f64,
) -> Result<Vec<StepOutcome>, ModelError> {
    at_once(trainers, &|trainer: &mut Trainer<O>| trainer.step(inputs, targets, lr)).into_iter().collect()
}

/// `count` steps of each trainer on the same batch. Trainers do not wait for each other between steps. Returns the
/// outcomes of each trainer's steps.
///
/// # Errors
/// As [`step`].
pub fn steps<O: Objective>(
    trainers: &mut [Trainer<O>],
    count: u32,
    inputs: &[f32],
    targets: &O::Targets,
    lr: f64,
) -> Result<Vec<Vec<StepOutcome>>, ModelError> {
    let all = |trainer: &mut Trainer<O>| (0..count).map(|_| trainer.step(inputs, targets, lr)).collect();
    at_once(trainers, &all).into_iter().collect()
}

/// An epoch: all trainers learn from a batch while the next one is loaded. After each batch `done` gets the
/// outcome of each trainer's step, and may end the epoch with an error.
///
/// # Errors
/// When a batch cannot be loaded; as [`step`]; any error of `done`.
pub fn epoch<O, E>(
    trainers: &mut [Trainer<O>],
    mut batches: Epoch,
    lr: f64,
    mut done: impl FnMut(&[StepOutcome]) -> Result<(), E>,
) -> Result<(), E>
where
    O: Objective<Targets = [u32]>,
    E: From<DataError> + From<ModelError>,
{
    let mut next = batches.next();
    while let Some(batch) = next.transpose()? {
        let learn = || step(trainers, &batch.images, &batch.labels, lr);
        let (outcomes, following) = rayon::join(learn, || batches.next());
        next = following;
        done(&outcomes?)?;
    }
    Ok(())
}
