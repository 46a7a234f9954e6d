//! What the record says about the machine that computes a run.

use std::collections::BTreeMap;
use wellfit_models::Precision;
use wellfit_record::{Event, now};
use wellfit_simd::{Bf16Unit, InstructionSet};

/// The event that begins a record.
#[must_use]
pub fn start_event() -> Event {
    let versions = BTreeMap::from([("wellfit".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let simd = InstructionSet::current().name();
    let host = format!("{} {} ({simd})", std::env::consts::OS, std::env::consts::ARCH);
    Event::Start { versions, host, threads: wellfit_simd::parallel::threads() as u32, time: now() }
}

/// The instructions that passes of this precision use on this machine, such as `avx512, bf16 by avx512_bf16`.
#[must_use]
pub fn path(precision: Precision) -> String {
    let simd = InstructionSet::current().name();
    match (precision, Bf16Unit::current()) {
        (Precision::F32, _) => simd.to_owned(),
        (Precision::Bf16, Bf16Unit::Widened) => format!("{simd}, bf16 widened to f32"),
        (Precision::Bf16, unit) => format!("{simd}, bf16 by {}", unit.name()),
    }
}
