//! Whether a run fits into the machine's memory, found out before it begins.

use crate::error::RunError;
use crate::experiment::Experiment;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use wellfit_base::file;
use wellfit_gpu::Device;
use wellfit_models::Network;
use wellfit_train::{FitConfig, memory_need};

/// Refuse a run that cannot fit, and say which batch would; else the bytes that it leaves. Where the system does not
/// say how much memory is free, nothing is refused; nor on a GPU, which has its own memory.
pub(crate) fn check(experiment: &Experiment) -> Result<Option<u64>, RunError> {
    let Experiment { spec, engine, network, train, .. } = experiment;
    let Some(free) = available() else { return Ok(None) };
    if spec.device() != Ok(Device::Cpu) {
        return Ok(Some(free));
    }
    let config = spec.fit(Arc::clone(engine), train.batches(), BTreeMap::new())?;
    let largest_batch = train.batch_sizes().into_iter().max().unwrap_or(0);
    let ahead = 3 * spec.workers.max(1) + 1;
    let left = refuse(network, &config, (largest_batch, ahead), free);
    left.map(Some).map_err(|problem| RunError::setting("batch_size", problem))
}

/// Refuse what takes more bytes than are free; `what` names it in the message.
///
/// # Errors
/// If it does.
pub fn check_bytes(what: &str, need: u64) -> Result<(), RunError> {
    match available() {
        Some(free) if need > free => Err(RunError::setting(
            "batch_size",
            format!(
                "{what} takes about {}, but only {} of memory are free: take a smaller `batch_size` or `image_size`",
                gigabytes(need),
                gigabytes(free)
            ),
        )),
        _ => Ok(()),
    }
}

/// What is left of `free` bytes by batches of that size, with so many of them ready ahead; or why they do not fit.
fn refuse(
    network: &Network,
    config: &FitConfig,
    (batch, ahead): (usize, usize),
    free: u64,
) -> Result<u64, String> {
    let image = 4 * network.input.len() as u64;
    let need = |batch: usize| memory_need(network, config, batch) + ahead as u64 * batch as u64 * image;
    if let Some(left) = free.checked_sub(need(batch)) {
        return Ok(left);
    }
    let (name, shape) = (&network.name, network.input);
    let problem = format!(
        "training {name} on images {shape} in batches of {batch} takes about {}, but only {} of memory are free",
        gigabytes(need(batch)),
        gigabytes(free)
    );
    // BatchNorm needs two images.
    let largest = largest(2, batch, |batch| need(batch) <= free);
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

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Bytes this process can still take: what Linux calls available, within the limit of its control group.
fn available() -> Option<u64> {
    let info = system_file("/proc/meminfo")?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let machine = 1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    Some(group_limit().map_or(machine, |limit| limit.min(machine)))
}

/// The text of a file that the system makes up when it is read.
fn system_file(path: &str) -> Option<String> {
    file::read_text(Path::new(path), 1 << 20).ok()
}

/// What the control group leaves, in version 2 and in version 1. In a container its own group is the root.
fn group_limit() -> Option<u64> {
    let groups = system_file("/proc/self/cgroup")?;
    let path_of = |controller: &str| {
        let mut lines = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        lines
            .find(|(names, _)| names.split(',').any(|name| name == controller))
            .map(|(_, path)| path.to_owned())
    };
    let left = |folder: &str, limit: &str, usage: &str| {
        let number = |name: &str| system_file(&format!("{folder}/{name}"))?.trim().parse::<u64>().ok();
        Some(number(limit)?.saturating_sub(number(usage)?))
    };
    let places = [
        ("/sys/fs/cgroup", path_of(""), "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", path_of("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ];
    let folders = places.into_iter().flat_map(|(root, path, limit, usage)| {
        let own = format!("{root}{}", path.unwrap_or_default());
        [left(&own, limit, usage), left(root, limit, usage)]
    });
    folders.flatten().min()
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
