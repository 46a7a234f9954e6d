//! `wellfit replay`: what early stopping and learning-rate rules would have decided on recorded metrics.

mod branch;
mod family;
mod policies;
mod source;
mod words;

use crate::args::ReplayArgs;
use crate::config::require;
use crate::error::CliError;
use crate::output::{Output, number};
use serde_json::{Value, json};
use source::Metrics;
use wellfit::base::shown::shown;
use wellfit::policy::{RateRule, Replay, ReplayedEpoch};

/// Run the command.
pub fn run(args: &ReplayArgs, out: Output) -> Result<(), CliError> {
    if args.family.family {
        return family::run(args, out);
    }
    policies::check(args)?;
    require(!args.branch.branch || args.run.len() == 1, || {
        "--branch goes on from one run: --run RUN".to_owned()
    })?;
    let metrics = source::read(args, out)?;
    if args.branch.branch {
        return branch::run(args, &metrics, out);
    }
    out.result(&replayed(args, &metrics, out)?);
    Ok(())
}

/// Prints the replay on these metrics; the result for programs.
fn replayed(args: &ReplayArgs, metrics: &Metrics, out: Output) -> Result<Value, CliError> {
    let replay = policies::of(args, metrics)?;
    let epochs = replay.run(metrics.epochs.iter().copied())?;
    let left_out = metrics.epochs.len() - epochs.len();
    show(metrics, &replay, &epochs, out);
    Ok(result(metrics, &replay, &epochs, left_out))
}

fn show(metrics: &Metrics, replay: &Replay, epochs: &[ReplayedEpoch], out: Output) {
    out.say(format!("{} from {}", shown(&metrics.name), shown(&metrics.place)));
    if let Some(config) = &replay.early_stopping {
        out.say(words::policy("early stopping", config));
    }
    match &replay.rate {
        RateRule::Constant => {}
        RateRule::Plateau(config) => out.say(words::policy("lr scheduler", config)),
        RateRule::Schedule(schedule) => out.say(words::policy("schedule", schedule)),
    }
    out.say("");
    let head = ["epoch", &metrics.name, "lr", "counter", "best", "decision"].map(str::to_owned);
    let rows = (0..epochs.len()).map(|index| words::row(replay, epochs, index));
    out.table(&[head].into_iter().chain(rows).collect::<Vec<_>>(), 0..5);
    out.say("");
    out.say(words::closing(replay, epochs, metrics.epochs.len()));
}

fn result(metrics: &Metrics, replay: &Replay, epochs: &[ReplayedEpoch], left_out: usize) -> Value {
    let rule = |wanted: bool| match &replay.rate {
        RateRule::Plateau(config) if wanted => json!(config),
        RateRule::Schedule(schedule) if !wanted => json!(schedule),
        _ => Value::Null,
    };
    json!({
        "metric": metrics.name,
        "early_stopping": replay.early_stopping,
        "lr_scheduler": rule(true),
        "schedule": rule(false),
        "epochs": epochs.iter().map(epoch).collect::<Vec<_>>(),
        "left_out": left_out,
    })
}

fn epoch(of: &ReplayedEpoch) -> Value {
    let mut value = json!({
        "epoch": of.epoch,
        "metric": number(of.metric),
        "lr": number(of.lr),
        "lr_next": number(of.lr_next),
        "counter": of.counter(),
        "best": of.best().map(number),
        "stop": of.stop().is_some(),
        "reason": of.stop().map(ToString::to_string),
    });
    // With early stopping, `counter` and `best` are its own; these are the scheduler's.
    if let Some(step) = &of.plateau {
        value["lr_scheduler"] = json!({
            "counter": step.bad_epochs,
            "cooldown": step.cooldown_left,
            "best": step.best.map(number),
        });
    }
    value
}
