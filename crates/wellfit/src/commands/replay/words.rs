//! The text that a replay prints.

use serde::Serialize;
use serde_json::Value;
use wellfit::base::words::plural;
use wellfit::policy::{
    EarlyStoppingConfig, EarlyStoppingReason, Observation, PlateauConfig, PlateauStep, RateRule, Replay,
    ReplayedEpoch,
};

/// A policy in a line, `early stopping (torch): mode=min, patience=5, …`: the options that are set, whose rules
/// or which kind it is in front.
pub fn policy(name: &str, config: &impl Serialize) -> String {
    let Ok(Value::Object(mut options)) = serde_json::to_value(config) else { return name.to_owned() };
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let kind = options.remove("semantics").or_else(|| options.remove("kind"));
    let kind = kind.map_or_else(String::new, |kind| format!(" ({})", word(&kind)));
    let set = options.iter().filter(|(_, value)| !matches!(value, Value::Null | Value::Bool(false)));
    let set: Vec<String> = set.map(|(key, value)| format!("{key}={}", word(value))).collect();
    let colon = if set.is_empty() { "" } else { ": " };
    format!("{name}{kind}{colon}{}", set.join(", "))
}

/// A number with six digits: rates that were halved in `f32` get long.
fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.5e}").parse().unwrap_or(x);
    format!("{rounded:?}")
}

/// The table's row of the epoch at `index`: epoch, metric, rate, counter, best, decision.
pub fn row(replay: &Replay, epochs: &[ReplayedEpoch], index: usize) -> [String; 6] {
    let epoch = &epochs[index];
    let before = index.checked_sub(1).map(|index| &epochs[index]);
    [
        epoch.epoch.to_string(),
        short(epoch.metric),
        short(epoch.lr),
        epoch.counter().map_or_else(|| "-".to_owned(), |counter| counter.to_string()),
        epoch.best().map_or_else(|| "-".to_owned(), short),
        decision(replay, epoch, before),
    ]
}

fn decision(replay: &Replay, epoch: &ReplayedEpoch, before: Option<&ReplayedEpoch>) -> String {
    let mut words = Vec::new();
    if let (Some(config), Some(seen)) = (&replay.early_stopping, &epoch.early_stopping) {
        words.extend(of_stopping(config, seen, epoch.epoch));
    } else if let (RateRule::Plateau(config), Some(step)) = (&replay.rate, &epoch.plateau) {
        let cooling =
            before.and_then(|before| before.plateau.as_ref()).is_some_and(|step| step.cooldown_left > 0);
        words.extend(of_plateau(config, step, cooling));
    }
    if epoch.lr_next != epoch.lr {
        words.push(format!("lr {} -> {}", short(epoch.lr), short(epoch.lr_next)));
    }
    if let Some(reason) = epoch.stop() {
        words.push(format!("stop: {reason}"));
    }
    words.join(", ")
}

fn counted(counter: u32, patience: u32) -> String {
    format!("counter {counter} of {patience}")
}

fn of_stopping(config: &EarlyStoppingConfig, seen: &Observation, epoch: u32) -> Option<String> {
    // A patience of 0 acts as 1.
    let counter = counted(seen.counter, config.patience.max(1));
    match &seen.stop {
        _ if epoch <= config.start_from_epoch => Some("not watched yet".to_owned()),
        None | Some(EarlyStoppingReason::Patience { .. }) if !seen.improved => Some(counter),
        None if seen.counter > 0 => Some(format!("improved, but not beyond the baseline: {counter}")),
        None => Some("improved".to_owned()),
        // The reason says it already.
        Some(_) => None,
    }
}

fn of_plateau(config: &PlateauConfig, step: &PlateauStep, cooling: bool) -> Option<String> {
    if step.improved {
        Some("improved".to_owned())
    } else if step.reduced {
        None
    } else if step.bad_epochs > 0 {
        Some(counted(step.bad_epochs, config.patience))
    } else if cooling {
        Some("cooldown".to_owned())
    } else {
        Some("patience is over, but lr cannot go lower".to_owned())
    }
}

/// What happened, in a sentence or two. `recorded` is how many epochs there are.
pub fn closing(replay: &Replay, epochs: &[ReplayedEpoch], recorded: usize) -> String {
    let Some(last) = epochs.last() else { return String::new() };
    let mut words = match last.stop() {
        Some(_) => format!("Stopped after epoch {} of {recorded}.", epochs.len()),
        None if replay.early_stopping.is_some() => format!("No stop in {}.", plural(recorded, "epoch")),
        None => format!("{} replayed.", plural(recorded, "epoch")),
    };
    match recorded - epochs.len() {
        0 => {}
        left => words += &format!(" The {} after it would not have been trained.", plural(left, "epoch")),
    }
    let (from, to) = (short(replay.lr), short(last.lr_next));
    let lowered =
        epochs.iter().filter(|epoch| epoch.plateau.as_ref().is_some_and(|step| step.reduced)).count();
    match &replay.rate {
        RateRule::Constant => {}
        RateRule::Plateau(_) if lowered == 0 => words += &format!(" The rate stayed at {from}."),
        RateRule::Plateau(_) => {
            words += &format!(" The rate was lowered {} from {from} to {to}.", plural(lowered, "time"));
        }
        RateRule::Schedule(_) => words += &format!(" The rate ended at {}.", short(last.lr)),
    }
    words
}
