//! `wellfit runs`: a table of runs.

use crate::args::RunsArgs;
use crate::error::CliError;
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use wellfit::base::Shown;
use wellfit::record::{EpochRecord, RunSummary, list_runs_of_groups};
use wellfit::run::figures::{duration, loss, percent};

/// Run the command.
pub fn run(args: &RunsArgs, out: Output) -> Result<(), CliError> {
    let runs = if args.root.is_dir() { list_runs_of_groups(&args.root)? } else { Vec::new() };
    if runs.is_empty() {
        out.say(format!("no runs in {}", args.root.shown()));
    } else {
        let head = COLUMNS.map(String::from);
        out.fitting_table(&[vec![head], runs.iter().map(row).collect()].concat(), 3..12, &LESS);
    }
    out.result(&json!({ "runs": runs.iter().map(value).collect::<Vec<Value>>() }));
    Ok(())
}

const COLUMNS: [&str; 13] = [
    "run", "date", "model", "lr", "seed", "epochs", "best", "val loss", "val acc", "test acc", "time",
    "waiting", "ended",
];
/// What a narrow terminal does without, the first to go first.
const LESS: [usize; 7] = [11, 6, 7, 2, 10, 12, 4];

fn row(run: &RunSummary) -> [String; 13] {
    let name = run.name.clone();
    let none = || "-".to_owned();
    match &run.outcome {
        Err(problem) => {
            let mut row = std::array::from_fn(|_| none());
            row[0] = name;
            row[12] = problem.to_string().lines().next().unwrap_or_default().to_owned();
            row
        }
        Ok(outcome) => {
            let best = |of: &dyn Fn(&EpochRecord) -> String| outcome.best.as_ref().map_or_else(none, of);
            let info = &outcome.info;
            let rate = info.config.get("lr").and_then(toml::Value::as_float);
            [
                name,
                date(&info.created),
                info.model.name.clone(),
                rate.map_or_else(none, |rate| format!("{rate}")),
                info.seed.to_string(),
                // A lab counts no epochs: it has no validation to record one with.
                if outcome.epochs == 0 { none() } else { outcome.epochs.to_string() },
                best(&|e| e.epoch.to_string()),
                best(&|e| loss(e.val_loss())),
                best(&|e| percent(e.val_accuracy())),
                outcome.test_accuracy.map_or_else(none, percent),
                duration(outcome.seconds),
                percent(outcome.data_wait_share),
                outcome.state.to_string().replace('_', " "),
            ]
        }
    }
}

/// `2026-11-26T21:05:33Z` as `2026-11-26 21:05`, in UTC as it is recorded.
fn date(time: &str) -> String {
    time.get(..16).map_or_else(|| "-".to_owned(), |time| time.replace('T', " "))
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
            "created": outcome.info.created,
            "lr": outcome.info.config.get("lr").and_then(toml::Value::as_float),
            "seed": outcome.info.seed,
            "test_accuracy": outcome.test_accuracy.map(number),
            "state": outcome.state.to_string(),
            "seconds": outcome.seconds,
            "data_wait_share": number(outcome.data_wait_share),
        }),
    }
}
