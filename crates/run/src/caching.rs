//! The cache that the settings ask for.

use crate::error::RunError;
use crate::options::{CacheName, RunSpec};
use wellfit_data::Cache;
use wellfit_data::cache::user_dir;

const MIB: u64 = 1 << 20;
/// The cache in memory takes one part in this many of what the run leaves free.
const SHARE: u64 = 4;
/// In memory, where the system does not say how much is free.
const UNKNOWN: u64 = 1024 * MIB;
/// On disk.
const DISK: u64 = 10 * 1024 * MIB;

/// Open it; `left` are the bytes of memory that the run does not need.
pub(crate) fn open_cache(spec: &RunSpec, left: Option<u64>) -> Result<Cache, RunError> {
    let budget = |default| spec.cache_size.map_or(default, |mib| mib.saturating_mul(MIB));
    match spec.cache {
        CacheName::Off => Ok(Cache::off()),
        CacheName::Ram => Ok(Cache::memory(budget(left.map_or(UNKNOWN, |left| left / SHARE)))),
        CacheName::Disk => {
            let dir = spec.cache_dir.clone().or_else(|| user_dir().map(|dir| dir.join("results")));
            let dir = dir.ok_or_else(|| {
                let problem = "`cache` disk: this user has no home: give `cache_dir`";
                RunError::setting("cache_dir", problem.to_owned())
            })?;
            Cache::disk(&dir, budget(DISK))
                .map_err(|error| RunError::Output(format!("`cache` disk: {error}")))
        }
    }
}
