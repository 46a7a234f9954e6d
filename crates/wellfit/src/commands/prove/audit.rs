//! `prove --audit`: whether a pair that is trained again ends with the same bits.

use super::words;
use crate::error::CliError;
use crate::output::{Output, command_line, path};
use crate::progress::Progress;
use serde_json::json;
use std::path::Path;
use wellfit::base::Shown;
use wellfit::run::audit;

/// Run it.
pub fn run(trial: &Path, data: Option<&str>, progress: &mut Progress, out: Output) -> Result<(), CliError> {
    let audit = audit(trial, data, &command_line(), progress)?;
    let word = |same: bool| if same { "the same" } else { "DIFFERENT" };
    for run in &audit.runs {
        let [before, now] = &run.sha256;
        out.say(format!("pair-{}/{}: weights {}", audit.seed, run.arm, word(before == now)));
        out.say(format!("  of the trial  {before}"));
        out.say(format!("  trained now   {now}"));
        out.say(format!("  figures of all epochs: {}", word(run.same_figures)));
    }
    let runs = audit.runs.iter().map(|run| {
        json!({ "arm": run.arm, "sha256": run.sha256[0], "sha256_now": run.sha256[1], "same_figures": run.same_figures })
    });
    let runs: Vec<_> = runs.collect();
    out.result(&json!({
        "trial": path(trial), "audit": path(&audit.dir), "seed": audit.seed, "same": audit.is_same(), "runs": runs,
    }));
    if audit.is_same() {
        out.say(format!("The pair is what it is said to be. Its runs: {}", audit.dir.shown()));
        return Ok(());
    }
    Err(CliError::Different(words::different(&audit.dir, trial)))
}
