//! The end of a run, trained or resumed.

use crate::commands::diagnose::weightiest;
use crate::output::{self, Output, number};
use serde_json::json;
use wellfit::base::Shown;
use wellfit::base::shown::shown;
use wellfit::diagnose::{Asked, diagnose, log};
use wellfit::run::Outcome;

/// The result for programs, and what can be done next.
pub fn report(outcome: &Outcome, data: &str, out: Output) {
    let best = &outcome.best;
    out.result(&json!({
        "run": output::path(&outcome.run),
        "epochs": outcome.epochs.len(),
        "stop_reason": outcome.stop_reason,
        "best": {
            "epoch": best.epoch,
            "by": outcome.best_by.name(),
            "val_loss": number(best.val_loss()),
            "val_accuracy": number(best.val_accuracy()),
        },
        "seconds": outcome.seconds,
        "data_wait_share": number(outcome.data_wait_share),
    }));
    tell_weightiest(outcome, out);
    if outcome.test_is_untouched {
        out.say(format!("test/ is untouched: wellfit evaluate {} {}", outcome.run.shown(), shown(data)));
    }
}

/// What the run's curves say, a line each; `wellfit diagnose` says more. A record that cannot be read again has been reported
/// by what wrote it.
fn tell_weightiest(outcome: &Outcome, out: Output) {
    let Ok(curves) = log::of_path(&outcome.run, &Asked::default()) else { return };
    let lines = weightiest(&diagnose(&curves));
    lines.iter().for_each(|line| out.say(line));
    if !lines.is_empty() {
        out.say(format!("more of this: wellfit diagnose {}", outcome.run.shown()));
    }
}
