//! What is measured of training steps.

use crate::metrics::{Average, Scored};
use crate::step::StepObserver;
use wellfit_kernels::loss::Loss;

/// Takes a step's outputs into the average of the pass.
pub(crate) struct Measured<'a> {
    pub average: &'a mut Average,
    pub labels: &'a [u32],
}

impl StepObserver for Measured<'_> {
    fn scored(&mut self, outputs: &[f32], loss: &Loss) {
        self.average.add(&Scored { outputs, labels: self.labels, loss });
    }
}
