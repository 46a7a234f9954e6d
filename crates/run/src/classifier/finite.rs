//! Whether a network gives numbers: the one check of its outputs, as [`wellfit_models::Network::load`] has the one of its
//! weights.

use crate::error::RunError;
use wellfit_models::ModelError;

/// Counts outputs that are no numbers.
#[derive(Debug, Default)]
pub(super) struct Finite {
    bad: usize,
    all: usize,
}

impl Finite {
    /// Look at some outputs.
    pub fn count(&mut self, outputs: &[f32]) {
        self.bad += outputs.iter().filter(|output| !output.is_finite()).count();
        self.all += outputs.len();
    }

    /// An error if any was NaN or infinite.
    pub fn check(&self, model: &str) -> Result<(), RunError> {
        match *self {
            Self { bad: 0, .. } => Ok(()),
            Self { bad: count, all: values } => {
                Err(ModelError::OutputNotFinite { model: model.to_owned(), count, values }.into())
            }
        }
    }
}
