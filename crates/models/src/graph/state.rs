//! Weights out, and an optimiser's moments in and out, under torch's names and in torch's layouts. Weights come in by
//! `Network::load` in `loading`.

use crate::loading::finite::check_finite;
use crate::graph::{Norm, Parameter};
use crate::{ModelError, Network, Optimizer};
use std::collections::BTreeMap;
use wellfit_weights::{Array, Data, WeightFile};

impl Network {
    /// The state dict, as torch names and lays it out: weights, running statistics and
    /// `num_batches_tracked`.
    #[must_use]
    pub fn state(&self) -> WeightFile {
        self.state_where(|_| true)
    }

    /// The part of [`state`](Self::state) that training leaves as it is.
    #[must_use]
    pub fn frozen_state(&self) -> WeightFile {
        self.state_where(|frozen| frozen)
    }

    /// The part of [`state`](Self::state) that training changes.
    #[must_use]
    pub fn trained_state(&self) -> WeightFile {
        self.state_where(|frozen| !frozen)
    }

    fn state_where(&self, wanted: impl Fn(bool) -> bool) -> WeightFile {
        let mut arrays: Vec<(String, Array)> = Vec::new();
        for parameter in self.parameters.iter().filter(|parameter| wanted(!parameter.trainable)) {
            let data = Data::F32(parameter.to_torch(&parameter.value));
            arrays.push((parameter.name.clone(), Array { shape: parameter.shape.clone(), data }));
        }
        // Statistics go where the layer's weights go.
        let moves = |norm: &&Norm| {
            let weights = |parameter: &&Parameter| parameter.name.strip_suffix(".weight") == Some(&norm.name);
            !norm.frozen || self.parameters.iter().find(weights).is_some_and(|parameter| parameter.trainable)
        };
        for norm in self.norms.iter().filter(|norm| wanted(!moves(norm))) {
            let vector =
                |values: &[f32]| Array { shape: vec![values.len()], data: Data::F32(values.to_vec()) };
            arrays.push((format!("{}.running_mean", norm.name), vector(&norm.mean)));
            arrays.push((format!("{}.running_var", norm.name), vector(&norm.variance)));
            let count = Array { shape: Vec::new(), data: Data::I64(vec![norm.batches]) };
            arrays.push((format!("{}.num_batches_tracked", norm.name), count));
        }
        WeightFile { arrays, ..WeightFile::default() }
    }
}

impl Optimizer {
    /// The optimiser's moments, as arrays `<moment>.<parameter>` in torch's layouts.
    #[must_use]
    pub fn state(&self, network: &Network) -> WeightFile {
        let mut file = WeightFile::default();
        for (parameter, moments) in network.parameters.iter().zip(&self.moments) {
            for (place, moment) in moments.iter().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let array =
                    Array { shape: parameter.shape.clone(), data: Data::F32(parameter.to_torch(moment)) };
                file.arrays.push((format!("{place}.{}", parameter.name), array));
            }
        }
        file.metadata.insert("step".to_owned(), self.step.to_string());
        if self.since > 0 {
            file.metadata.insert("since".to_owned(), self.since.to_string());
        }
        file
    }

    /// Take over what [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When a tensor is missing, of another shape, or not finite.
    pub fn load(&mut self, network: &Network, file: &WeightFile) -> Result<(), ModelError> {
        let given: BTreeMap<&str, &Array> = file.arrays.iter().map(|(n, a)| (n.as_str(), a)).collect();
        check_finite(given.iter().map(|(name, array)| (*name, *array)))?;
        for (parameter, moments) in network.parameters.iter().zip(&mut self.moments) {
            for (place, moment) in moments.iter_mut().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let name = format!("{place}.{}", parameter.name);
                let found = given.get(name.as_str()).filter(|array| array.shape == parameter.shape);
                let Some(values) = found.and_then(|array| array.as_f32()) else {
                    return Err(ModelError::MomentMissing { name, shape: parameter.shape.clone() });
                };
                parameter.permute(values, moment);
            }
        }
        let number = |key| file.metadata.get(key).and_then(|number| number.parse().ok()).unwrap_or(0);
        self.step = number("step");
        self.since = number("since").min(self.step);
        Ok(())
    }
}
