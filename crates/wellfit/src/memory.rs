//! Whether something fits into the machine's memory.

use crate::error::CliError;

/// Refuse what takes more bytes than are free.
pub fn check_bytes(what: &str, need: u64) -> Result<(), CliError> {
    Ok(wellfit::run::memory::check_bytes(what, need)?)
}
