//! The three experiments.

pub mod batchnorm;
pub mod dropout;
pub mod transfer;

use serde_json::Value;
use std::collections::BTreeMap;
use wellfit::record::{Event, RunWriter, now};

/// The event that begins a record.
pub fn start_event() -> Event {
    let versions = BTreeMap::from([("wellfit".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let simd = wellfit::kernels::simd::InstructionSet::current().name();
    let host = format!("{} {} ({simd})", std::env::consts::OS, std::env::consts::ARCH);
    Event::Start { versions, host, threads: wellfit::kernels::parallel::threads() as u32, time: now() }
}

/// The event that ends a lab's record.
pub fn stop_event(epochs: u32) -> Event {
    Event::Stop {
        reason: "finished".to_owned(),
        message: format!("all {epochs} epochs done"),
        epoch: epochs,
        best_epoch: None,
        best_value: None,
        time: now(),
    }
}

/// Write a lab's summary beside its pictures.
pub fn write_summary(run: &RunWriter, text: &str) -> Result<(), crate::error::CliError> {
    let path = run.path().join("summary.txt");
    std::fs::write(&path, format!("{text}\n")).map_err(crate::error::CliError::write(path))
}

/// The mean of some numbers.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// Each seed's result in a list, when there is more than one.
pub fn per_seed(results: &[Value]) -> Option<Value> {
    (results.len() > 1).then(|| Value::Array(results.to_vec()))
}
