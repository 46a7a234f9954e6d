//! `wellfit lab batchnorm`: twin networks with and without batch normalisation, on the same batches.

use super::{diverged, mean, per_seed, run_info, start_event, stop_event, write_summary};
use crate::args::BatchnormArgs;
use crate::commands::data_show::grid;
use crate::config::{batch_size, positive, require};
use crate::error::CliError;
use crate::opening::open_data;
use crate::output::{self, Output, number};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;
use wellfit::data::{DataError, Dataset, Loader, LoaderOptions, Splits, Transform};
use wellfit::kernels::loss::CrossEntropy;
use wellfit::kernels::optim::Rule;
use wellfit::models::{DropoutKey, Network, Optimizer, Shape, build};
use wellfit::record::{DataInfo, RunWriter, StepRecord};
use wellfit::report::twin_loss_chart;
use wellfit::train::evaluate;

/// The names of the twins, in records and plots.
const NAMES: [&str; 2] = ["normal", "batchnorm"];
/// How many iterations at the end are averaged to compare the twins.
const LAST: usize = 20;

/// The lab's options, as `run.toml` keeps them.
#[derive(Serialize)]
struct Config {
    lab: &'static str,
    epochs: u32,
    batch_size: usize,
    lr: f64,
    seeds: u32,
}

impl Config {
    fn of(args: &BatchnormArgs) -> Self {
        let &BatchnormArgs { epochs, batch_size, lr, seeds, .. } = args;
        Self { lab: "batchnorm", epochs, batch_size, lr, seeds }
    }
}

/// Run the command.
pub fn run(args: &BatchnormArgs, out: Output) -> Result<(), CliError> {
    positive("--lr", args.lr)?;
    require(args.epochs > 0, || "--epochs must be at least 1".to_owned())?;
    require(args.seeds > 0, || "--seeds must be at least 1".to_owned())?;
    batch_size(args.batch_size)?;
    require(args.batch_size > 1, || {
        format!(
            "--batch-size {}: BatchNorm cannot normalise a batch of one image; take 2 or more",
            args.batch_size
        )
    })?;
    let start = Instant::now();
    let Splits { name, train, test, .. } = open_data("fashion-mnist", args.data.as_deref(), false, out)?;
    let Some(test) = test else {
        let problem = "the batch-norm lab needs a test set beside the training set";
        return Err(CliError::Data(DataError::Invalid(problem.to_owned())));
    };
    let mut run = RunWriter::create(args.out.out.as_deref(), "lab-batchnorm", args.out.force)?;
    let networks = Twins::new(&train, args.seed)?.networks;
    let data = DataInfo {
        name,
        fingerprint: train.fingerprint(),
        train: train.len() as u64,
        val: 0,
        test: test.len() as u64,
    };
    run.write_run_toml(&run_info(&run, args.seed, data, &networks, &Config::of(args))?)?;
    run.event(&start_event())?;
    networks.iter().for_each(|network| out.say(network.summary()));
    show_batch(&train, args.seed, &run, out)?;
    let mut results = Vec::new();
    for seed in args.seed..args.seed + u64::from(args.seeds) {
        let first = seed == args.seed;
        results.push(Twins::new(&train, seed)?.train(args, (&train, &test), first, &mut run, out)?);
    }
    run.event(&stop_event(args.epochs))?;
    report(&results, args, &run, start, out)
}

/// The chapter's first look at the data: a batch of four.
fn show_batch(train: &Dataset, seed: u64, run: &RunWriter, out: Output) -> Result<(), CliError> {
    let (picture, label) = grid(train, 4, seed)?;
    let (height, width, channels) = train.native_size().unwrap_or_default();
    out.say(format!("a batch [4, {channels}, {height}, {width}], an image [{channels}, {height}, {width}]"));
    out.say(format!("its label {label}"));
    Ok(picture.save_png(run.path().join("batch.png"))?)
}

/// The two networks with their optimisers.
struct Twins {
    networks: [Network; 2],
    optimizers: [Optimizer; 2],
    seed: u64,
}

/// What one seed came to, for each twin.
struct SeedResult {
    losses: [Vec<f64>; 2],
    accuracy: [f64; 2],
}

impl SeedResult {
    fn last(&self, twin: usize) -> f64 {
        let losses = &self.losses[twin];
        mean(losses[losses.len().saturating_sub(LAST)..].iter().copied())
    }
}

impl Twins {
    fn new(train: &Dataset, seed: u64) -> Result<Self, CliError> {
        let (height, width, channels) = train.native_size().unwrap_or_default();
        let make = |name: &str| -> Result<Network, CliError> {
            let mut network = build(name, Shape::image(height, width, channels), train.classes.len())?;
            network.initialise(seed);
            Ok(network)
        };
        let networks = [make("mlp")?, make("mlp-bn")?];
        let optimizers = [0, 1].map(|twin: usize| Optimizer::new(Rule::SGD, &networks[twin]));
        Ok(Self { networks, optimizers, seed })
    }

    fn train(
        mut self,
        args: &BatchnormArgs,
        (train, test): (&Dataset, &Dataset),
        first: bool,
        run: &mut RunWriter,
        out: Output,
    ) -> Result<SeedResult, CliError> {
        let (height, width, channels) = train.native_size().unwrap_or_default();
        let (mean, std) = (vec![0.0; channels], vec![1.0; channels]);
        let transform = Transform { size: (height, width), channels, hflip: false, vflip: false, mean, std };
        let options = LoaderOptions {
            batch_size: args.batch_size,
            shuffle: true,
            seed: self.seed,
            merge_last_single: true,
            ..LoaderOptions::default()
        };
        let loader = Loader::new(train.clone(), transform.clone(), options)?;
        let mut losses = [Vec::new(), Vec::new()];
        for epoch in 1..=args.epochs {
            for batch in loader.epoch(epoch - 1) {
                let batch = batch?;
                let step = losses[0].len() as u64 + 1;
                let found = self.step(&batch.images, &batch.labels, args.lr)?;
                for (losses, &loss) in losses.iter_mut().zip(&found) {
                    losses.push(loss);
                }
                if found.iter().any(|loss| !loss.is_finite()) {
                    return Err(diverged(run, epoch, step, args.lr));
                }
                if first {
                    let losses =
                        NAMES.iter().map(|name| (*name).to_owned()).zip(found).collect::<BTreeMap<_, _>>();
                    run.step(&StepRecord { epoch, step, lr: args.lr, losses })?;
                }
            }
            if first {
                let path = run.path().join(format!("loss-epoch-{epoch}.png"));
                twin_loss_chart(&losses[0], &losses[1]).draw().save_png(path)?;
                let last = losses.each_ref().map(|losses| losses.last().copied().unwrap_or(f64::NAN));
                out.say(format!(
                    "Epoch {epoch} of {}: loss of the last batch, Normal {:.4}, BatchNorm {:.4}",
                    args.epochs, last[0], last[1]
                ));
            }
        }
        let plain = LoaderOptions { batch_size: 1000, ..LoaderOptions::default() };
        let loader = Loader::new(test.clone(), transform, plain)?;
        let mut accuracy = [0.0; 2];
        for (accuracy, network) in accuracy.iter_mut().zip(&self.networks) {
            let average = evaluate(network, &loader, &CrossEntropy::default(), 0, &mut (), |_, _| {})?;
            *accuracy = average.accuracy();
        }
        Ok(SeedResult { losses, accuracy })
    }

    /// One training step of both twins on the same batch: their losses.
    fn step(&mut self, images: &[f32], labels: &[u32], lr: f64) -> Result<[f64; 2], CliError> {
        let mut losses = [0.0; 2];
        for (twin, loss_of) in losses.iter_mut().enumerate() {
            let (network, optimizer) = (&mut self.networks[twin], &mut self.optimizers[twin]);
            let key = DropoutKey { seed: self.seed, step: optimizer.step as u32 + 1 };
            let tape = network.forward(images, key)?;
            let loss = CrossEntropy::default().loss(tape.outputs(), labels, network.outputs());
            let gradients = network.backward(tape, loss.gradient);
            optimizer.update(network, &gradients, lr);
            *loss_of = loss.value;
        }
        Ok(losses)
    }
}

fn report(
    results: &[SeedResult],
    args: &BatchnormArgs,
    run: &RunWriter,
    start: Instant,
    out: Output,
) -> Result<(), CliError> {
    let loss = [0, 1].map(|twin| mean(results.iter().map(|result| result.last(twin))));
    let accuracy = [0, 1].map(|twin| mean(results.iter().map(|result| result.accuracy[twin])));
    let seeds = if results.len() > 1 { format!(", means of {} seeds", results.len()) } else { String::new() };
    let text = format!(
        "After {} epochs of batches of {} with SGD {}{seeds}:\n\
         Normal     loss of the last {LAST} iterations {:.4}, test accuracy {:.2} %\n\
         BatchNorm  loss of the last {LAST} iterations {:.4}, test accuracy {:.2} %\n\
         Batch normalisation lowers the loss by {:.4} (to {:.0} % of it) and moves test accuracy by {:+.2} points.",
        args.epochs,
        args.batch_size,
        args.lr,
        loss[0],
        100.0 * accuracy[0],
        loss[1],
        100.0 * accuracy[1],
        loss[0] - loss[1],
        100.0 * loss[1] / loss[0],
        100.0 * (accuracy[1] - accuracy[0]),
    );
    let per_seed_values: Vec<Value> = results.iter().zip(args.seed..).map(|(result, seed)| {
        let mut value = json!({ "seed": seed });
        for (twin, name) in NAMES.iter().enumerate() {
            value[name] = json!({ "loss_last20": number(result.last(twin)), "test_accuracy": result.accuracy[twin] });
        }
        value
    }).collect();
    let lines: String = if results.len() > 1 {
        results
            .iter()
            .zip(args.seed..)
            .map(|(result, seed)| {
                format!(
                    "\nseed {seed}: Normal {:.4} {:.2} %, BatchNorm {:.4} {:.2} %",
                    result.last(0),
                    100.0 * result.accuracy[0],
                    result.last(1),
                    100.0 * result.accuracy[1]
                )
            })
            .collect()
    } else {
        String::new()
    };
    let text = text + &lines;
    write_summary(run, &text)?;
    out.say(text);
    let seconds = start.elapsed().as_secs_f64();
    out.say(format!("{seconds:.2} s, pictures and record: {}", run.path().display()));
    let mut value = json!({ "run": output::path(run.path()), "seconds": seconds });
    for (twin, name) in NAMES.iter().enumerate() {
        value[name] = json!({ "loss_last20": number(loss[twin]), "test_accuracy": accuracy[twin] });
    }
    if let Some(seeds) = per_seed(&per_seed_values) {
        value["seeds"] = seeds;
    }
    out.result(&value);
    Ok(())
}
