//! The cache that `--cache` asks for.

use crate::args::CacheName;
use crate::config::TrainConfig;
use crate::error::CliError;
use wellfit::data::Cache;
use wellfit::data::cache::user_dir;

const MIB: u64 = 1 << 20;
/// In memory, this part of what the run leaves.
const SHARE: u64 = 4;
/// In memory, where the system does not tell what is free.
const UNKNOWN: u64 = 1024 * MIB;
/// On disk.
const DISK: u64 = 10 * 1024 * MIB;

/// Open it; `left` are the bytes of memory that the run does not need.
pub fn open_cache(config: &TrainConfig, left: Option<u64>) -> Result<Cache, CliError> {
    let budget = |default| config.cache_size.map_or(default, |mib| mib.saturating_mul(MIB));
    match config.cache {
        CacheName::Off => Ok(Cache::off()),
        CacheName::Ram => Ok(Cache::memory(budget(left.map_or(UNKNOWN, |left| left / SHARE)))),
        CacheName::Disk => {
            let dir = config.cache_dir.clone().or_else(|| user_dir().map(|dir| dir.join("results")));
            let dir = dir.ok_or_else(|| {
                CliError::Usage("--cache disk: this user has no home: give --cache-dir".to_owned())
            })?;
            Cache::disk(&dir, budget(DISK))
                .map_err(|error| CliError::Output(format!("--cache disk: {error}")))
        }
    }
}
