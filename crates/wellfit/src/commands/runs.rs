//! `wellfit runs`: a table of runs.

use crate::args::RunsArgs;
use crate::error::CliError;
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use wellfit::record::{RunSummary, list_runs};
use wellfit::run::duration;

/// Run the command.
pub fn run(args: &RunsArgs, out: Output) -> Result<(), CliError> {
    let runs = if args.root.is_dir() { list_runs(&args.root)? } else { Vec::new() };
    if runs.is_empty() {
        out.say(format!("no runs in {}", args.root.display()));
    } else {
        let head =
            ["run", "model", "epochs", "best", "val loss", "val acc", "time", "waiting", "why it stopped"]
                .map(String::from);
        out.table(&[vec![head], runs.iter().map(row).collect()].concat(), 2..8);
    }
    out.result(&json!({ "runs": runs.iter().map(value).collect::<Vec<Value>>() }));
    Ok(())
}

fn row(run: &RunSummary) -> [String; 9] {
    let name = run.name.clone();
    match &run.outcome {
        Err(problem) => {
            let mut row = std::array::from_fn(|_| String::from("-"));
            row[0] = name;
            row[8] = problem.to_string().lines().next().unwrap_or_default().to_owned();
            row
        }
        Ok(outcome) => {
            let best = |of: &dyn Fn(&wellfit::record::EpochRecord) -> String| {
                outcome.best.as_ref().map_or_else(|| "-".to_owned(), of)
            };
            [
                name,
                outcome.info.model.name.clone(),
                // A lab counts no epochs: it has no validation to record one with.
                if outcome.epochs == 0 { "-".to_owned() } else { outcome.epochs.to_string() },
                best(&|e| e.epoch.to_string()),
                best(&|e| format!("{:.4}", e.val_loss())),
                best(&|e| format!("{:.2} %", 100.0 * e.val_accuracy())),
                duration(outcome.seconds),
                format!("{:.1} %", 100.0 * outcome.data_wait_share),
                outcome.state.to_string(),
            ]
        }
    }
}

fn value(run: &RunSummary) -> Value {
    match &run.outcome {
        Err(problem) => json!({ "run": output::path(&run.path), "problem": problem.to_string() }),
        Ok(outcome) => json!({
            "run": output::path(&run.path),
            "model": outcome.info.model.name,
            "epochs": outcome.epochs,
            "best": outcome.best.as_ref().map(|best| json!({
                "epoch": best.epoch,
                "val_loss": number(best.val_loss()),
                "val_accuracy": number(best.val_accuracy()),
            })),
            "state": outcome.state.to_string(),
            "seconds": outcome.seconds,
            "data_wait_share": number(outcome.data_wait_share),
        }),
    }
}
