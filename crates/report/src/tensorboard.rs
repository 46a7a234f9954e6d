//! The curves of a run as TensorBoard's event file: scalars as torch's `SummaryWriter` writes them.

use crate::read::RunReport;
use prost::Message;
use wellfit_base::time::seconds;
use wellfit_diagnose::log::tensorboard::{Event, Summary, Value, framed};
use wellfit_record::{EpochRecord, StepRecord};

/// What the first event of a file says.
const VERSION: &str = "brain.Event:2";

/// The name of the event file of a run that began at that time: TensorBoard wants `tfevents` and the seconds in it.
#[must_use]
pub fn file_name(created: &str) -> String {
    format!("events.out.tfevents.{:010.0}.wellfit", seconds(created).unwrap_or(0.0))
}

/// The time of what is told next, in seconds since 1970: that of the beginning and what the epochs took.
#[derive(Debug, Clone, Copy)]
pub struct Clock(f64);

/// The event file of a run: its metrics by epoch, such as `accuracy/validation`, and the loss of each of `steps` as
/// `step/loss`; and the time at its end, where [`epoch_events`] go on.
#[must_use]
pub fn events(run: &RunReport, steps: &[StepRecord]) -> (Vec<u8>, Clock) {
    let begun = seconds(&run.info.created).unwrap_or(0.0);
    let first = Event { wall_time: begun, file_version: Some(VERSION.to_owned()), ..Event::default() };
    let mut file = framed(&first.encode_to_vec());
    let mut clock = Clock(begun);
    for epoch in &run.epochs {
        let own: Vec<&StepRecord> = steps.iter().filter(|step| step.epoch == epoch.epoch).collect();
        file.extend(epoch_events(&mut clock, epoch, &own));
    }
    (file, clock)
}

/// What an event file gets with one more epoch, whose steps these are.
#[must_use]
pub fn epoch_events(clock: &mut Clock, epoch: &EpochRecord, steps: &[&StepRecord]) -> Vec<u8> {
    let (before, took) = (clock.0, epoch.seconds.max(0.0));
    clock.0 += took;
    let mut file = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        // Steps have no time of their own: they are spread over that of their epoch.
        let time = before + took * (place + 1) as f64 / steps.len() as f64;
        file.extend(framed(&event(time, step.step as i64, of_step(step)).encode_to_vec()));
    }
    file.extend(framed(&event(clock.0, i64::from(epoch.epoch), of_epoch(epoch)).encode_to_vec()));
    file
}

fn event(wall_time: f64, step: i64, value: Vec<Value>) -> Event {
    Event { wall_time, step, file_version: None, summary: Some(Summary { value }) }
}

fn value(tag: String, value: f64) -> Value {
    Value { tag, simple_value: Some(value as f32), tensor: None }
}

fn of_step(step: &StepRecord) -> Vec<Value> {
    let tag = |name: &str| {
        if name == StepRecord::LOSS { "step/loss".to_owned() } else { format!("step/loss_{name}") }
    };
    step.losses.iter().map(|(name, loss)| value(tag(name), *loss)).collect()
}

fn of_epoch(epoch: &EpochRecord) -> Vec<Value> {
    let metrics = epoch.metrics.iter().map(|(metric, number)| value(tag(metric.name()), number));
    let others = [
        ("learning_rate", epoch.lr),
        ("time/epoch_seconds", epoch.seconds),
        ("time/data_wait_seconds", epoch.data_wait_seconds),
        ("time/images_per_second", epoch.images_per_second),
    ];
    metrics.chain(others.map(|(name, number)| value(name.to_owned(), number))).collect()
}

/// `loss/validation` of `val_loss`, so that TensorBoard groups training and validation in one row.
fn tag(metric: &str) -> String {
    match metric.split_once('_') {
        Some(("train", rest)) => format!("{rest}/train"),
        Some(("val", rest)) => format!("{rest}/validation"),
        _ => metric.to_owned(),
    }
}
