//! `wellfit replay --family`: every patience, delta and semantics on one record, and the best of them on others.

mod found;
mod picture;
mod tables;

use self::found::Found;
use super::source::{self, Metrics};
use crate::args::ReplayArgs;
use crate::commands::folder;
use crate::config::require;
use crate::error::CliError;
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit::base::Shown;
use wellfit::policy::family::{
    Known, RateMember, Recorded, StoppingMember, best_member, rate_family, stopping_family,
};
use wellfit::policy::{PlateauConfig, Semantics, direction};
use wellfit::run::{PictureFormat, Plots};

/// Whose rules are tried: torch has no early stopping of its own, so its rows are the recipe's.
const SEMANTICS: [Semantics; 3] = [Semantics::Torch, Semantics::Keras, Semantics::Lightning];
/// Whose rules of a plateau scheduler: Lightning uses torch's.
const RATE_SEMANTICS: [Semantics; 2] = [Semantics::Torch, Semantics::Keras];
/// The least changes that are tried where none are given.
const MIN_DELTAS: [f64; 3] = [0.0, 0.001, 0.01];
/// The folder of the pictures where none is named.
const PICTURES: &str = "replay";
/// The most patiences that are tried where none are given.
const MOST_PATIENCE: u32 = 30;

/// Run the command.
pub fn run(args: &ReplayArgs, out: Output) -> Result<(), CliError> {
    require(args.early_stopping.is_none() && args.lr_scheduler.is_none() && args.schedule.is_none(), || {
        "--family tries all early stopping and plateau schedulers: leave --early-stopping, --lr-scheduler and --schedule out, \
         and choose by --patiences and --min-deltas"
            .to_owned()
    })?;
    let records = source::read_all(args, out)?;
    let (patiences, deltas) = (patiences(args, &records)?, deltas(args)?);
    let found = records
        .into_iter()
        .map(|metrics| families(metrics, &deltas, &patiences))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = found.first() else { return Ok(()) };
    let best = best_member(&first.stopping);
    tables::show(&found, best, out);
    let place = args.place.out.as_deref().unwrap_or(Path::new(PICTURES));
    let pictures = Plots { charts: picture::charts(first), problems: Vec::new() }
        .files(&[PictureFormat::Png, PictureFormat::Svg], false)?;
    let files: Vec<(PathBuf, Vec<u8>)> =
        pictures.into_iter().map(|(name, bytes)| (place.join(name), bytes)).collect();
    let borrowed: Vec<(&PathBuf, &[u8])> = files.iter().map(|(path, bytes)| (path, &bytes[..])).collect();
    folder::write(place, &borrowed, args.place.force)?;
    out.say(format!("Pictures: {}", place.shown()));
    out.result(&json!({
        "records": found.iter().map(value).collect::<Vec<_>>(),
        "best": best.map(|best| best_value(&found, best)),
        "pictures": files.iter().map(|(path, _)| output::path(path)).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// The patiences that are asked for; else all that can make a difference.
fn patiences(args: &ReplayArgs, records: &[Metrics]) -> Result<Vec<u32>, CliError> {
    let longest = records.iter().map(|record| record.epochs.len() as u32).max().unwrap_or(1);
    let Some(text) = &args.family.patiences else {
        return Ok((1..=longest.saturating_sub(1).clamp(1, MOST_PATIENCE)).collect());
    };
    let bad = || CliError::Usage(format!("--patiences {text}: give numbers such as 3,5,10, or from 1-20"));
    let mut found = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = from.trim().parse().ok().zip(to.trim().parse().ok()).ok_or_else(bad)?;
        if from > to || to > 10_000 {
            return Err(bad());
        }
        found.extend(from..=to);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn deltas(args: &ReplayArgs) -> Result<Vec<f64>, CliError> {
    let Some(text) = &args.family.min_deltas else { return Ok(MIN_DELTAS.to_vec()) };
    let number = |part: &str| part.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
    let found: Option<Vec<f64>> = text.split(',').map(number).collect();
    found.ok_or_else(|| CliError::Usage(format!("--min-deltas {text}: give numbers from 0, such as 0,0.001")))
}

fn families(metrics: Metrics, deltas: &[f64], patiences: &[u32]) -> Result<Found, CliError> {
    let mode = direction(&metrics.name).map_err(|error| CliError::Usage(error.to_string()))?;
    let record = Recorded {
        epochs: &metrics.epochs,
        mode,
        rates: metrics.rates.as_deref(),
        is_whole: metrics.is_whole(),
        digit: metrics.digit(),
    };
    let base = PlateauConfig::textbook(Semantics::Torch);
    let bad = |error: wellfit::policy::PolicyError| CliError::Usage(error.to_string());
    let stopping = stopping_family(&record, &SEMANTICS, deltas, patiences).map_err(bad)?;
    let rates = rate_family(&record, &RATE_SEMANTICS, &base, patiences).map_err(bad)?;
    let best = record.best_until(u32::MAX);
    Ok(Found { best, stopping, rates, metrics })
}

fn value(found: &Found) -> Value {
    let seconds = |saved: u32| found.metrics.seconds_of_last(saved);
    json!({
        "record": found.metrics.place,
        "metric": found.metrics.name,
        "epochs": found.metrics.epochs.len(),
        "whole": found.metrics.is_whole(),
        "best_epoch": found.best.0,
        "best": number(found.best.1),
        "early_stopping": found.stopping.iter().map(|m| member_value(m, seconds(m.saved))).collect::<Vec<_>>(),
        "lr_scheduler": found.rates.iter().map(rate_value).collect::<Vec<_>>(),
    })
}

fn member_value(member: &StoppingMember, seconds: Option<f64>) -> Value {
    json!({
        "semantics": member.config.semantics,
        "min_delta": member.config.min_delta,
        "patience": member.config.patience,
        "stop_epoch": member.stop,
        "best_epoch": member.best.0,
        "best": number(member.best.1),
        "epochs_saved": member.saved,
        "seconds_saved": seconds.map(number),
        "given_up": number(member.given_up),
        "known": known_word(member.known),
        "tied": member.is_tied,
    })
}

fn rate_value(member: &RateMember) -> Value {
    json!({
        "semantics": member.config.semantics,
        "patience": member.config.patience,
        "factor": member.config.factor,
        "lowered_after": member.lowered,
        "known": known_word(member.known),
        "known_until": match member.known { Known::Until(epoch) => Some(epoch), _ => None },
    })
}

fn known_word(known: Known) -> &'static str {
    match known {
        Known::Exact => "exact",
        Known::Bound => "bound",
        Known::Until(_) => "unknown",
    }
}

/// The best policy of the first record, and what it does on the others.
fn best_value(found: &[Found], best: usize) -> Value {
    let of = |record: &Found| {
        let member = &record.stopping[best];
        json!({
            "record": record.metrics.place,
            "stop_epoch": member.stop,
            "epochs_saved": member.saved,
            "regret": number(member.given_up),
            "known": known_word(member.known),
        })
    };
    let member = &found[0].stopping[best];
    json!({
        "semantics": member.config.semantics,
        "min_delta": member.config.min_delta,
        "patience": member.config.patience,
        "in_sample": of(&found[0]),
        "others": found[1..].iter().map(of).collect::<Vec<_>>(),
    })
}
