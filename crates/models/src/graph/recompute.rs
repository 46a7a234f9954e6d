//! BatchNorm's running statistics, computed anew for weights that no batch has passed.

use super::{Network, Norm};

impl Network {
    /// Forget the running statistics of the layers that normalise by batches, and let each be the mean over the batches
    /// that `passes` shows the network in training mode: torch's `update_bn`, which is for averaged weights. The counts of
    /// batches stay as they were, as training is not told by these passes.
    ///
    /// # Errors
    /// As `passes`; the statistics are then what they were.
    pub fn recompute_statistics<E>(
        &mut self,
        passes: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.norms.clone();
        for norm in self.norms.iter_mut().filter(|norm| !norm.frozen) {
            norm.mean.fill(0.0);
            norm.variance.fill(1.0);
            (norm.batches, norm.cumulative) = (0, true);
        }
        let result = passes(self);
        for (norm, before) in self.norms.iter_mut().zip(before) {
            if result.is_err() {
                *norm = before;
            } else {
                let Norm { batches, cumulative, .. } = before;
                (norm.batches, norm.cumulative) = (batches, cumulative);
            }
        }
        result
    }
}
