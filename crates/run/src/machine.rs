//! What the record says about the machine that computes a run.

use std::collections::BTreeMap;
use wellfit_record::{Event, now};
use wellfit_simd::InstructionSet;

/// The event that begins a record.
#[must_use]
pub fn start_event() -> Event {
    let versions = BTreeMap::from([("wellfit".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let simd = InstructionSet::current().name();
    let host = format!("{} {} ({simd})", std::env::consts::OS, std::env::consts::ARCH);
    Event::Start { versions, host, threads: wellfit_simd::parallel::threads() as u32, time: now() }
}
