//! `wellfit replay --branch`: trains what the record of a run cannot tell.

use super::source::{Metrics, of_run};
use super::{policies, replayed};
use crate::args::ReplayArgs;
use crate::error::CliError;
use crate::output::{self, Output, command_line, number};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::path::Path;
use wellfit::base::Shown;
use wellfit::base::figures::loss;
use wellfit::base::words::plural;
use wellfit::policy::family::Recorded;
use wellfit::policy::{Mode, direction};
use wellfit::run::{Branched, Destination, Outcome, branch};

/// Run the command, of the one run whose record is `metrics`. The replay is that of the new run's metrics, so it is exact.
pub fn run(args: &ReplayArgs, metrics: &Metrics, out: Output) -> Result<(), CliError> {
    let [run] = args.run.as_slice() else { return Ok(()) };
    let place = &args.place;
    let place = Destination { dir: place.out.clone(), force: place.force, command: command_line() };
    let mut progress = Progress::new(out, false);
    let asked = policies::of_a_run(args, metrics)?;
    match branch(run, &asked, args.branch.data.as_deref(), &place, &mut progress)? {
        Branched::Known { epochs } => {
            let mut result = replayed(args, metrics, out)?;
            let run_epochs = plural(epochs as usize, "epoch");
            out.say(format!("Nothing is left to train: {} has the {run_epochs} of such a run.", run.shown()));
            result["branch"] = Value::Null;
            out.result(&result);
        }
        Branched::Trained { common, outcome } => {
            let new = of_run(&outcome.run, args.column.as_deref(), out)?;
            let mut result = replayed(args, &new, out)?;
            out.say(compared(run, metrics, &new, common, &outcome));
            result["branch"] = value(metrics, &new, common, &outcome);
            out.result(&result);
        }
    }
    Ok(())
}

/// The best epoch of a record, and its metric.
fn best(metrics: &Metrics) -> (u32, f64) {
    let mode = direction(&metrics.name).unwrap_or(Mode::Min);
    let recorded = Recorded { epochs: &metrics.epochs, mode, rates: None, is_whole: true, digit: None };
    recorded.best_until(u32::MAX)
}

/// What the policies changed, in a sentence or two.
fn compared(from: &Path, old: &Metrics, new: &Metrics, common: u32, outcome: &Outcome) -> String {
    let count = |metrics: &Metrics| plural(metrics.epochs.len(), "epoch");
    let best = |metrics: &Metrics| {
        let (epoch, value) = best(metrics);
        format!("best {} {} at epoch {epoch} of {}", metrics.name, loss(value), metrics.epochs.len())
    };
    let (from, run) = (from.shown(), outcome.run.shown());
    let trained = plural(new.epochs.len().saturating_sub(common as usize), "epoch");
    format!(
        "{run} has {}; {trained} of them were trained, the others are those of {from}.\n{run}: {}. {from}: {}.",
        count(new),
        best(new),
        best(old)
    )
}

fn value(old: &Metrics, new: &Metrics, common: u32, outcome: &Outcome) -> Value {
    let of = |metrics: &Metrics| {
        let (epoch, value) = best(metrics);
        json!({ "epoch": epoch, "metric": number(value), "epochs": metrics.epochs.len() })
    };
    json!({
        "run": output::path(&outcome.run),
        "taken_over": common,
        "trained": new.epochs.len().saturating_sub(common as usize),
        "stop_reason": outcome.stop_reason,
        "best": of(new),
        "before": of(old),
    })
}
