//! Whether a run fits into the machine's memory, found out before it begins.

use crate::error::RunError;
use crate::experiment::Experiment;
use crate::figures::bytes;
use crate::free_memory::{self, Free};
use std::collections::BTreeMap;
use std::sync::Arc;
use wellfit_gpu::Device;
use wellfit_models::Network;
use wellfit_train::{FitConfig, memory_need};

/// The bytes that a run takes, and those that are free; nothing where the system does not say, or on a GPU.
pub(crate) fn of_run(experiment: &Experiment) -> Result<Option<(u64, u64)>, RunError> {
    let free = free_memory::free();
    Ok(free.zip(check(experiment)?).map(|(free, left)| (free.bytes.saturating_sub(left), free.bytes)))
}

/// Refuse a run that cannot fit, and say which batch would; else the bytes that it leaves. Where the system does not
/// say how much memory is free, and the setting `memory` neither, nothing is refused; nor on a GPU, which has its own memory.
pub(crate) fn check(experiment: &Experiment) -> Result<Option<u64>, RunError> {
    let Experiment { spec, engine, network, train, .. } = experiment;
    let told = spec.memory.map(|mib| Free { bytes: mib << 20, from: "`memory`".to_owned() });
    let Some(free) = told.or_else(free_memory::free) else { return Ok(None) };
    if spec.device() != Ok(Device::Cpu) {
        return Ok(Some(free.bytes));
    }
    let config = spec.fit(Arc::clone(engine), train.batches(), BTreeMap::new())?;
    let largest_batch = train.batch_sizes().into_iter().max().unwrap_or(0);
    let ahead = 3 * spec.workers.max(1) + 1;
    let left = refuse(network, &config, (largest_batch, ahead), &free);
    left.map(Some).map_err(|problem| RunError::setting("batch_size", problem))
}

/// Refuse what takes more bytes than are free; `what` names it in the message.
///
/// # Errors
/// If it does.
pub fn check_bytes(what: &str, need: u64) -> Result<(), RunError> {
    match free_memory::free() {
        Some(free) if need > free.bytes => Err(RunError::setting(
            "batch_size",
            format!(
                "{what} takes about {}, but only {free}: take a smaller `batch_size` or `image_size`",
                bytes(need)
            ),
        )),
        _ => Ok(()),
    }
}

/// What is left of the free bytes by batches of that size, with so many of them ready ahead; or why they do not fit.
fn refuse(
    network: &Network,
    config: &FitConfig,
    (batch, ahead): (usize, usize),
    free: &Free,
) -> Result<u64, String> {
    let image = 4 * network.input.len() as u64;
    let need = |batch: usize| memory_need(network, config, batch) + ahead as u64 * batch as u64 * image;
    if let Some(left) = free.bytes.checked_sub(need(batch)) {
        return Ok(left);
    }
    let (name, shape) = (&network.name, network.input);
    let problem = format!(
        "training {name} on images {shape} in batches of {batch} takes about {}, but only {free}",
        bytes(need(batch))
    );
    // BatchNorm needs two images.
    let largest = largest(2, batch, |batch| need(batch) <= free.bytes);
    Err(match largest {
        Some(batch) => format!("{problem}: the largest batch that fits is `batch_size` {batch}"),
        None => format!("{problem}: not even a batch of 2 fits. Take a smaller `image_size` or `model`"),
    })
}

/// The largest number from `low` up to below `high` that fits, if those below a number that fits do as well.
fn largest(low: usize, high: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if low >= high || !fits(low) {
        return None;
    }
    let (mut good, mut bad) = (low, high);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_that_fits_is_found() {
        for limit in 0..40 {
            let found = largest(2, 37, |batch| batch <= limit);
            let expected = (2..37).rev().find(|&batch| batch <= limit);
            assert_eq!(found, expected, "limit {limit}");
        }
        assert_eq!(largest(2, 2, |_| true), None);
    }
}
