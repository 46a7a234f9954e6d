//! The record of a run of ours.

use super::asked::Asked;
use super::curves::Curves;
use super::facts::Facts;
use super::formats::Format;
use super::probed;
use super::recorded;
use super::series::Series;
use crate::error::LogError;
use std::collections::BTreeMap;
use std::path::Path;
use wellfit_base::Shown;
use wellfit_policy::{EarlyStoppingConfig, PlateauConfig, Semantics};
use wellfit_record::{EpochRecord, Event, Metric, RunDir, RunInfo, StepRecord, StopReason, epochs};

/// The curves of the run in that directory.
///
/// # Errors
/// If its record cannot be read.
pub fn of_run(path: &Path, asked: &Asked) -> Result<Curves, LogError> {
    let run = RunDir::open(path)?;
    let info: RunInfo = run.read_run_toml()?;
    let log = run.events()?;
    let records = epochs(&log.rows);
    let mut curves =
        Curves::new(&path.shown(), Format::Wellfit, records.iter().map(|record| record.epoch).collect());
    curves.notes.extend(log.problems.iter().map(ToString::to_string));
    for (series, metric) in [
        (Series::TrainLoss, Metric::TRAIN_LOSS),
        (Series::TrainAccuracy, Metric::TRAIN_ACCURACY),
        (Series::ValLoss, Metric::VAL_LOSS),
        (Series::ValAccuracy, Metric::VAL_ACCURACY),
    ] {
        curves.set(series, records.iter().map(|record| metric.of(record)).collect());
    }
    curves.set(Series::Lr, records.iter().map(|record| Some(record.lr)).collect());
    if records.iter().map(|record| record.train_seconds).sum::<f64>() >= SHORT {
        curves.set(Series::DataWaitShare, records.iter().map(wait_share).collect());
    }
    let loss = |step: &StepRecord| step.losses.get(StepRecord::LOSS).copied();
    curves.step_losses = run.steps()?.rows.iter().filter_map(loss).collect();
    curves.facts = facts(&info, &log.rows);
    if let Some(log) = run.statistics()? {
        curves.notes.extend(log.problems.iter().map(ToString::to_string));
        recorded::add(&log.rows, &mut curves);
    }
    probed::add(&run.dir()?, &mut curves);
    asked.add_to(&mut curves.facts);
    if curves.epochs.is_empty() {
        let problem = format!("{} has recorded no epoch: there is nothing to look at", path.shown());
        return Err(LogError::Invalid(problem));
    }
    Ok(curves)
}

/// Seconds of training in which nobody minds waiting.
const SHORT: f64 = 10.0;

fn wait_share(record: &EpochRecord) -> Option<f64> {
    (record.train_seconds > 0.0).then(|| record.data_wait_seconds / record.train_seconds)
}

fn facts(info: &RunInfo, events: &[Event]) -> Facts {
    let settings = settings(&info.config);
    let stop = events.iter().rev().find_map(|event| match event {
        Event::Stop { reason, .. } => Some(*reason),
        _ => None,
    });
    let whole = |name: &str| settings.get(name).and_then(|text| text.parse().ok());
    Facts {
        n_val: Some(info.data.val).filter(|count| *count > 0),
        n_train: Some(info.data.train).filter(|count| *count > 0),
        classes: Some(info.classes.len() as u64).filter(|count| *count > 1),
        early_stopping: info.early_stopping.then(|| EarlyStoppingConfig {
            patience: whole("patience").unwrap_or(EarlyStoppingConfig::default().patience),
            ..EarlyStoppingConfig::default()
        }),
        plateau: info.lr_scheduler.then(|| {
            let textbook = PlateauConfig::textbook(Semantics::Torch);
            PlateauConfig { patience: whole("lr_patience").unwrap_or(textbook.patience), ..textbook }
        }),
        stop: stop.filter(|reason| *reason != StopReason::Unknown),
        most_epochs: whole("epochs"),
        trains_as_it_validates: Some(trains_as_it_validates(&settings)),
        settings,
        ..Facts::default()
    }
}

/// The settings as text, those that are a number, a word or a switch.
fn settings(config: &toml::Value) -> BTreeMap<String, String> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(on) => Some(on.to_string()),
        _ => None,
    };
    let pairs = config.as_table().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// Settings that make training harder than validation, where they are neither 0, off nor absent.
const HARDER: [&str; 19] = [
    "augment",
    "hflip",
    "vflip",
    "random_resized_crop",
    "color_jitter",
    "grayscale",
    "rotation",
    "translate",
    "zoom",
    "shear",
    "randaugment",
    "trivial_augment",
    "erasing",
    "mixup",
    "cutmix",
    "stochastic_depth",
    "dropout",
    "label_smoothing",
    "ema",
];

fn trains_as_it_validates(settings: &BTreeMap<String, String>) -> bool {
    let off = ["0", "false", "off", "none", ""];
    !HARDER.iter().any(|name| settings.get(*name).is_some_and(|value| !off.contains(&value.as_str())))
}
