//! The results of the batch-norm lab.

use super::NAMES;
use crate::args::BatchnormArgs;
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
use wellfit::run::figures::{self, percent};

/// How many iterations at the end are averaged to compare the networks.
const LAST: usize = 20;

/// The results of one seed, for each network.
pub struct SeedResult {
    /// The loss of every iteration.
    pub losses: [Vec<f64>; 2],
    /// The share of right answers on the test set.
    pub accuracy: [f64; 2],
}

impl SeedResult {
    fn last(&self, network: usize) -> f64 {
        let losses = &self.losses[network];
        mean(losses[losses.len().saturating_sub(LAST)..].iter().copied())
    }
}

/// Say how the two networks compare: in words, in `summary.txt` and as JSON.
pub fn report(
    results: &[SeedResult],
    args: &BatchnormArgs,
    run: &RunWriter,
    start: Instant,
    out: Output,
) -> Result<(), CliError> {
    let loss = [0, 1].map(|network| mean(results.iter().map(|result| result.last(network))));
    let accuracy = [0, 1].map(|network| mean(results.iter().map(|result| result.accuracy[network])));
    let seeds = if results.len() > 1 { format!(", means of {} seeds", results.len()) } else { String::new() };
    let text = format!(
        "After {} of batches of {} with SGD {}{seeds}:\n\
         Normal     loss of the last {LAST} iterations {}, test accuracy {}\n\
         BatchNorm  loss of the last {LAST} iterations {}, test accuracy {}\n\
         Batch normalisation lowers the loss by {} (to {} of it)\n\
         and moves test accuracy by {:+.1} points.",
        plural(args.epochs as usize, "epoch"),
        args.batch_size,
        args.lr,
        figures::loss(loss[0]),
        percent(accuracy[0]),
        figures::loss(loss[1]),
        percent(accuracy[1]),
        figures::loss(loss[0] - loss[1]),
        percent(loss[1] / loss[0]),
        100.0 * (accuracy[1] - accuracy[0]),
    );
    let per_seed_values: Vec<Value> = results.iter().zip(args.seed..).map(|(result, seed)| {
        let mut value = json!({ "seed": seed });
        for (network, name) in NAMES.iter().enumerate() {
            value[name] = json!({ "loss_last20": number(result.last(network)), "test_accuracy": result.accuracy[network] });
        }
        value
    }).collect();
    let lines: String = if results.len() > 1 {
        results
            .iter()
            .zip(args.seed..)
            .map(|(result, seed)| {
                format!(
                    "\nseed {seed}: Normal {} {}, BatchNorm {} {}",
                    figures::loss(result.last(0)),
                    percent(result.accuracy[0]),
                    figures::loss(result.last(1)),
                    percent(result.accuracy[1])
                )
            })
            .collect()
    } else {
        String::new()
    };
    let compared = Compared { technique: "batch-norm", metric: ("test_accuracy", Mode::Max), delta: 0.005 };
    let proved = verdict(&compared, results.iter().map(|result| result.accuracy))?;
    let said = proved.as_ref().map_or_else(String::new, |(text, _)| format!("\n{text}."));
    let text = text + &lines + &said;
    write_summary(run, &text)?;
    out.say(text);
    let seconds = start.elapsed().as_secs_f64();
    out.say(format!("{}, pictures and record: {}", figures::duration(seconds), run.path().shown()));
    let mut value = json!({ "run": output::path(run.path()), "seconds": seconds });
    for (network, name) in NAMES.iter().enumerate() {
        value[name] = json!({ "loss_last20": number(loss[network]), "test_accuracy": accuracy[network] });
    }
    if let Some((_, proved)) = proved {
        value["proof"] = proved;
    }
    if let Some(seeds) = per_seed(&per_seed_values) {
        value["seeds"] = seeds;
    }
    out.result(&value);
    Ok(())
}
