//! The three experiments.

pub mod batchnorm;
pub mod dropout;
mod picture_set;
pub mod transfer;
mod verdict;

use crate::error::CliError;
use crate::output::command_line;
use serde::Serialize;
use serde_json::Value;
use wellfit::base::words::plural;
use wellfit::models::Network;
use wellfit::record::{DataInfo, Event, ModelInfo, RunInfo, RunWriter, StepRecord, StopReason, now};

/// The line of `steps.jsonl` of a step of both networks.
pub fn step_record(names: [&str; 2], epoch: u32, step: u64, lr: f64, losses: [f64; 2]) -> StepRecord {
    StepRecord { epoch, step, lr, losses: names.map(str::to_owned).into_iter().zip(losses).collect() }
}

/// What `run.toml` says of a lab's run. It has no classes and no preprocessing: a lab keeps no weights.
pub fn run_info(
    run: &RunWriter,
    seed: u64,
    data: DataInfo,
    networks: [&Network; 2],
    config: &impl Serialize,
) -> Result<RunInfo, CliError> {
    let parameters = networks.iter().map(|network| network.parameter_count() as u64).sum();
    let config = toml::Value::try_from(config)
        .map_err(|error| CliError::Output(format!("cannot write run.toml: {error}")))?;
    Ok(RunInfo {
        name: run.name(),
        command: command_line(),
        created: now(),
        wellfit_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        lr_scheduler: false,
        early_stopping: false,
        model_file: None,
        classes: Vec::new(),
        data,
        model: ModelInfo {
            name: networks.map(|network| network.name.as_str()).join(", "),
            parameters,
            trainable: parameters,
        },
        transform: toml::Table::new().into(),
        config,
    })
}

/// The event that ends a lab's record.
pub fn stop_event(epochs: u32) -> Event {
    stop(StopReason::Finished, format!("all {} done", plural(epochs as usize, "epoch")), epochs)
}

/// A loss that is NaN or infinite ends the lab: the record says so, and the caller gets the error.
pub fn diverged(run: &mut RunWriter, epoch: u32, step: u64, lr: f64) -> CliError {
    let message =
        format!("a loss became NaN or infinite in epoch {epoch}, step {step}: try a smaller --lr than {lr}");
    match run.event(&stop(StopReason::Diverged, message.clone(), epoch)) {
        Ok(()) => CliError::Diverged(message),
        Err(error) => error.into(),
    }
}

fn stop(reason: StopReason, message: String, epoch: u32) -> Event {
    Event::Stop { reason, message, epoch, best_epoch: None, best_value: None, time: now() }
}

/// Write a lab's summary beside its pictures.
pub fn write_summary(run: &RunWriter, text: &str) -> Result<(), CliError> {
    Ok(run.write_file("summary.txt", format!("{text}\n").as_bytes())?)
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
