//! The plans of a network, each made once.

use super::{Plan, Request};
use crate::graph::Network;
use std::sync::{Arc, Mutex, PoisonError};
use wellfit_kernels::conv::Algorithm;

/// Plans with what they were made for. A copy of a network makes its own.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<Vec<(Made, Arc<Plan>)>>);

/// All that a plan depends on besides the nodes.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    request: Request,
    nodes: usize,
    algorithm: Algorithm,
    /// What trains and what is frozen.
    flags: Vec<bool>,
}

/// A whole batch and a last smaller one, in training and in evaluation; further ones are made again.
const KEPT: usize = 8;

impl Clone for Plans {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Network {
    /// The plan of a pass.
    #[must_use]
    pub fn plan(&self, request: &Request) -> Arc<Plan> {
        let trains = self.parameters.iter().map(|parameter| parameter.trainable);
        let flags = trains.chain(self.norms.iter().map(|norm| norm.frozen)).collect();
        let made =
            Made { request: request.clone(), nodes: self.nodes.len(), algorithm: self.algorithm, flags };
        let mut plans = self.plans.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = plans.iter().find(|(known, _)| *known == made) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(Plan::new(self, request));
        if plans.len() == KEPT {
            plans.remove(0);
        }
        plans.push((made, Arc::clone(&plan)));
        plan
    }
}
