//! The loss before the first step.

use super::Concern;
use crate::error::RunError;
use crate::experiment::Experiment;
use wellfit_gpu::Device;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_models::DropoutKey;

/// How many times the loss of knowing nothing the first loss may be, and by how much it may be above: with two classes half of it
/// is what the random answers of a large fresh network cost now and then.
const TOO_HIGH: f64 = 1.5;
const MARGIN: f64 = 1.0;
/// Images that tell the loss well enough.
const ENOUGH: usize = 32;

/// A first loss that is far above that of knowing nothing: H, the entropy of the class shares, or ln K, since a fresh head
/// answers all classes alike. On classes of different size H is below ln K, and no first loss would be right.
///
/// Some images of the first batch go through a copy of the network as in training, so BatchNorm normalises by them. The
/// processor computes: where another device trains, that would take longer than the warning is worth.
pub(super) fn concern(experiment: &Experiment) -> Result<Option<Concern>, RunError> {
    if experiment.spec.device().is_ok_and(|device| device != Device::Cpu) {
        return Ok(None);
    }
    // This batch alone: an epoch would read ahead, and leave in the cache what chance decides.
    let mut first = experiment.train.plan(0).into_iter().next().unwrap_or_default();
    first.truncate(ENOUGH);
    let Some(batch) = experiment.train.load(vec![first]).next().transpose()? else { return Ok(None) };
    let mut network = experiment.network.clone();
    let key = DropoutKey { seed: experiment.spec.seed, step: 0, row: 0 };
    let outputs = network.outputs();
    let tape = network.forward(&batch.images, key)?;
    let loss = CrossEntropy::default().loss(tape.outputs(), &batch.labels[..], outputs).value;
    let (alike, entropy) = (libm::log(outputs as f64), entropy(&experiment.parts.train.class_counts()));
    let knowing_nothing = alike.max(entropy);
    if loss <= (TOO_HIGH * knowing_nothing).max(knowing_nothing + MARGIN) {
        return Ok(None);
    }
    let sentence = format!(
        "before the first step the loss of a batch is {loss:.2}, but answering all {outputs} classes alike would have \
         {knowing_nothing:.2}: the network begins by being sure of wrong answers"
    );
    let advice = if experiment.spec.weights.is_some() {
        "look at `scaling`, which must be that of the `weights`, and whether their classes have the same order"
    } else {
        "look at `scaling`: pixels should be near 0, a few units wide"
    };
    let values = [
        ("loss", loss),
        ("entropy", entropy),
        ("ln_classes", alike),
        ("factor", TOO_HIGH),
        ("margin", MARGIN),
    ];
    Ok(Some(Concern::new("first-loss-too-high", sentence).of(&values).advise(advice)))
}

/// H = −Σ p ln p of the shares of the classes.
fn entropy(counts: &[usize]) -> f64 {
    let all: usize = counts.iter().sum();
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all as f64);
    shares.map(|share| -share * libm::log(share)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_is_that_of_the_shares() {
        assert!((entropy(&[5, 5, 0]) - 2.0_f64.ln()).abs() < 1e-15);
        let expected = -(0.9 * 0.9_f64.ln() + 0.1 * 0.1_f64.ln());
        assert!((entropy(&[90, 10]) - expected).abs() < 1e-15);
        assert_eq!(entropy(&[7]), 0.0);
    }
}
