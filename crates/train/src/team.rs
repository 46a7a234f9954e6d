//! How the processes of a run share its batches.

use std::sync::Arc;
use wellfit_cluster::{Link, Lost, Wire};
use wellfit_data::Shards;

/// Into how many parts each batch is cut, and the other processes that compute some.
///
/// The gradients, BatchNorm's statistics and dropout's masks are those of the parts, so the bits of a run depend on their
/// number, and not on that of the processes.
#[derive(Debug, Clone)]
pub struct Team {
    /// Parts of a batch: a power of two, and no fewer than there are processes.
    pub shards: usize,
    /// Whether BatchNorm takes the statistics of the whole batch, and not of each part.
    pub sync_batch_norm: bool,
    /// How gradients are sent to the other processes.
    pub reduce: Wire,
    /// The other processes, where there are some.
    pub link: Option<Arc<Link>>,
}

impl Default for Team {
    /// One process, and batches as a whole.
    fn default() -> Self {
        Self { shards: 1, sync_batch_norm: false, reduce: Wire::F32, link: None }
    }
}

impl Team {
    /// The parts of a batch, and which of them are this process' own.
    #[must_use]
    pub fn shards(&self) -> Shards {
        let (rank, ranks) = self.link.as_ref().map_or((0, 1), |link| (link.rank(), link.size()));
        Shards { count: self.shards.max(ranks), rank, ranks }
    }

    /// The sum over all processes.
    ///
    /// # Errors
    /// When one is gone.
    pub(crate) fn sum(&self, values: Vec<f32>) -> Result<Vec<f32>, Lost> {
        match &self.link {
            None => Ok(values),
            Some(link) => link.sum(values).wait(),
        }
    }
}
