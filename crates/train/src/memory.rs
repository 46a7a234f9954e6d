//! How much memory a run takes.

use crate::fit::FitConfig;
use wellfit_models::Network;

/// A buffer takes a free block of up to twice its size, and blocks of a step wait for the next one: what the
/// passes need grows by this much in practice (measured on ResNets and MLPs, see `tests/memory.rs`).
const POOL: f64 = 1.1;

/// Bytes that [`fit`](crate::fit::fit) takes at most to train `network` in batches of `batch`, besides the
/// network that it is given: the steps, the optimiser's memory, the best weights, and a checkpoint while it
/// is written. The batches that a loader has ready come on top. An estimate, within 15 % of what a process
/// really takes.
#[must_use]
pub fn memory_need(network: &Network, config: &FitConfig, batch: usize) -> u64 {
    // The head alone takes less than all that trains after it.
    let mut whole = None;
    if config.freeze_epochs > 0 {
        whole.insert(network.clone()).unfreeze();
    }
    let network = whole.as_ref().unwrap_or(network);
    let (weights, trained) = (4 * network.parameter_count() as u64, 4 * network.trainable_count() as u64);
    let (frozen, moments) = (weights - trained, config.rule.moments() as u64 * trained);
    // The state is copied for a commit, and that of the best epoch is another copy. Frozen weights have one, and making
    // it takes as much again.
    let saving = 2 * trained + moments + 2 * frozen;
    // The average itself, and the file of it.
    let average = if config.averaging.is_some() || config.swa.is_some() { 2 * trained } else { 0 };
    let accumulated = if config.accumulate > 1 { trained } else { 0 };
    // Sums of two, four, … parts that wait for the next, and the buckets that are sent.
    let shards = config.team.shards();
    let sums = u64::from((shards.count / shards.ranks).ilog2() + u32::from(shards.ranks > 1)) * trained;
    let own = batch.div_ceil(shards.ranks);
    (POOL * network.step_bytes(own) as f64) as u64 + moments + saving + average + accumulated + sums
}
