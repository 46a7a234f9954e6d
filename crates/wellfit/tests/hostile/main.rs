//! Hostile command lines and file-system objects, through the real binary: no panic, no waiting, nothing half-made, nothing
//! foreign touched, nothing raw on a terminal.
//!
//! Everything tried follows from its number, so a failure can be had again. `cargo test` tries a part; `just hostile` all:
//! `WELLFIT_HOSTILE` is the number of command lines, and objects are all tried with it. docs/hostile-files.md has results.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod lines;
mod objects;
mod paths;
mod scene;
mod streams;
mod watched;
mod words;

/// The number of command lines to try: the given one, unless `WELLFIT_HOSTILE` says another.
fn asked_for(usual: usize) -> usize {
    std::env::var("WELLFIT_HOSTILE").map_or(usual, |number| number.parse().unwrap())
}

/// Whether everything is to be tried.
fn everything() -> bool {
    std::env::var_os("WELLFIT_HOSTILE").is_some()
}
