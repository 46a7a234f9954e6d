//! The results of the dropout lab.

use crate::args::DropoutArgs;
use crate::error::CliError;
use crate::labs::verdict::{Compared, verdict};
use crate::labs::{mean, per_seed, write_summary};
use crate::output::{self, Output, number};
use serde_json::{Value, json};
use std::time::Instant;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::policy::Mode;
use wellfit::record::RunWriter;
use wellfit::run::duration;

/// Say how the two networks compare: in words, in `summary.txt` and as JSON.
pub fn report(
    results: &[[f64; 2]],
    args: &DropoutArgs,
    run: &RunWriter,
    start: Instant,
    out: Output,
) -> Result<(), CliError> {
    let loss = [0, 1].map(|network: usize| mean(results.iter().map(|result| result[network])));
    let better = results.iter().filter(|[normal, dropout]| dropout < normal).count();
    let lines: String = if results.len() > 1 {
        results
            .iter()
            .zip(args.seed..)
            .map(|([normal, dropout], seed)| {
                format!("\nseed {seed}: {normal:.4} without, {dropout:.4} with dropout")
            })
            .collect()
    } else {
        String::new()
    };
    // A fiftieth of the variance of the noise, which no network can go below.
    let delta = args.noise * args.noise / 50.0;
    let compared =
        Compared { technique: "dropout", metric: ("test_loss", Mode::Min), delta: delta.max(1e-9) };
    let proved = verdict(&compared, results.iter().copied())?;
    let said = proved.as_ref().map_or_else(String::new, |(text, _)| format!("\n{text}."));
    let text = format!(
        "After {} the test loss is {:.4} without and {:.4} with dropout {} ({:+.0} %).\n\
         Dropout is lower for {better} of {}.{lines}{said}",
        plural(args.epochs as usize, "epoch"),
        loss[0],
        loss[1],
        args.p,
        100.0 * (loss[1] / loss[0] - 1.0),
        plural(results.len(), "seed"),
    );
    write_summary(run, &text)?;
    out.say(text);
    let seconds = start.elapsed().as_secs_f64();
    out.say(format!("{}, pictures and record: {}", duration(seconds), run.path().shown()));
    let one = |result: &[f64; 2]| json!({ "normal": { "test_loss": number(result[0]) }, "dropout": { "test_loss": number(result[1]) } });
    let mut value = one(&loss);
    value["run"] = output::path(run.path());
    value["seconds"] = json!(seconds);
    value["dropout_lower"] = json!(better);
    let seeds: Vec<Value> = results
        .iter()
        .zip(args.seed..)
        .map(|(result, seed)| {
            let mut value = one(result);
            value["seed"] = json!(seed);
            value
        })
        .collect();
    if let Some((_, proved)) = proved {
        value["proof"] = proved;
    }
    if let Some(seeds) = per_seed(&seeds) {
        value["seeds"] = seeds;
    }
    out.result(&value);
    Ok(())
}
