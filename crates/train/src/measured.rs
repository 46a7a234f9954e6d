//! What is measured of training steps.

use crate::metrics::{Average, Scored};
use crate::statistics::{PlainLoss, Sample};
use crate::step::StepObserver;
use wellfit_kernels::loss::Loss;
use wellfit_models::Parameter;

/// Takes a step's outputs into the average of the pass.
pub(crate) struct Measured<'a> {
    pub average: &'a mut Average,
    pub labels: &'a [u32],
    /// The cross-entropy beside another loss, where it is recorded.
    pub plain: Option<PlainLoss<'a>>,
    /// What is seen of the step itself, where it is recorded.
    pub sample: Option<&'a mut Sample>,
}

impl StepObserver for Measured<'_> {
    fn scored(&mut self, outputs: &[f32], loss: &Loss) {
        self.average.add(&Scored { outputs, labels: self.labels, loss });
        if let Some(plain) = &mut self.plain {
            plain.add(outputs);
        }
    }

    fn watches_update(&self) -> bool {
        self.sample.as_ref().is_some_and(|sample| sample.watched)
    }

    fn clipped(&mut self, norm: f64, factor: f64) {
        if let Some(sample) = &mut self.sample {
            sample.norm = Some((norm, factor));
        }
    }

    fn moved(&mut self, place: usize, before: &[f32], parameter: &Parameter, gradient: &[f32]) {
        if let Some(sample) = &mut self.sample {
            sample.moved(place, before, parameter, gradient);
        }
    }
}
