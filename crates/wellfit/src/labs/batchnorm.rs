//! `wellfit lab batchnorm`: two networks that differ by batch normalisation only, on the same batches.

mod report;

use super::picture_set::PictureSet;
use super::{diverged, run_info, step_record, stop_event};
use crate::args::BatchnormArgs;
use crate::commands::data_show::grid;
use crate::config::{batch_size, positive, require};
use crate::error::CliError;
use crate::opening::open_data;
use crate::output::Output;
use report::{SeedResult, report};
use serde::Serialize;
use std::time::Instant;
use wellfit::data::{
    Augmentations, DataError, Dataset, Depth, Loader, LoaderOptions, Need, Preprocessing, Splits,
};
use wellfit::kernels::loss::CrossEntropy;
use wellfit::models::Network;
use wellfit::plot::twin_loss_chart;
use wellfit::policy::schedule::ScheduleSpec;
use wellfit::record::{DataInfo, RunWriter};
use wellfit::run::DataSource;
use wellfit::run::options::OptimizerName;
use wellfit::run::{RunSpec, SideBySide, start_event};
use wellfit::train::{Trainer, evaluate, lockstep};

/// The names of the two networks, in records and plots.
const NAMES: [&str; 2] = ["normal", "batchnorm"];

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
    let source = DataSource { dir: args.data.clone(), ..DataSource::from("fashion-mnist") };
    let Splits { name, train, test, .. } = open_data(&source, Need::Test, false, Depth::Clip, out)?;
    let Some(test) = test else {
        let problem = "the batch-norm lab needs a test set beside the training set";
        return Err(CliError::Data(DataError::Invalid(problem.to_owned())));
    };
    let mut run = RunWriter::create(args.out.out.as_deref(), "lab-batchnorm", args.out.force)?;
    let first = Pair::new(args, &train, args.seed)?;
    let networks = first.networks();
    let data = DataInfo {
        name,
        fingerprint: train.fingerprint()?,
        train: train.len() as u64,
        val: 0,
        test: test.len() as u64,
    };
    run.event(&start_event())?;
    run.write_run_toml(&run_info(&run, args.seed, data, networks, &Config::of(args))?)?;
    networks.iter().for_each(|network| out.say(network.short_summary()));
    show_batch(&train, args.seed, &run, out)?;
    let (mut results, test) = (Vec::new(), test_batches(&test)?);
    for seed in args.seed..args.seed + u64::from(args.seeds) {
        let show = (seed == args.seed).then_some(out);
        results.push(Pair::new(args, &train, seed)?.train(args, &test, &mut run, show)?);
    }
    run.event(&stop_event(args.epochs))?;
    report(&results, args, &run, start, out)
}

/// A first look at the data: a batch of four.
fn show_batch(train: &Dataset, seed: u64, run: &RunWriter, out: Output) -> Result<(), CliError> {
    let (picture, label) = grid(train, 4, seed, Depth::Clip)?;
    let (height, width, channels) = train.native_size().unwrap_or_default();
    out.say(format!("a batch [4, {channels}, {height}, {width}], an image [{channels}, {height}, {width}]"));
    out.say(format!("its label {label}"));
    Ok(picture.save_png(run.path().join("batch.png"))?)
}

/// The settings of the plain network and of the one with batch normalisation, which get the same batches.
fn specs(args: &BatchnormArgs, seed: u64) -> [RunSpec; 2] {
    ["mlp", "mlp-bn"].map(|model| RunSpec {
        model: model.to_owned(),
        optimizer: OptimizerName::Sgd,
        lr: args.lr.into(),
        schedule: ScheduleSpec::default(),
        epochs: args.epochs,
        batch_size: args.batch_size,
        seed,
        // The thread that asks for a batch makes it, while the networks train.
        workers: 0,
        ..RunSpec::for_idx(28)
    })
}

/// Whole images as they are, scaled to 0–1.
fn preprocessing(data: &Dataset) -> Preprocessing {
    let (height, width, channels) = data.native_size().unwrap_or_default();
    let (mean, std) = (vec![0.0; channels], vec![1.0; channels]);
    Preprocessing::new((height, width), channels, mean, std)
}

/// The test images in order.
fn test_batches(test: &Dataset) -> Result<Loader, CliError> {
    let options = LoaderOptions { batch_size: 1000, workers: 0, ..LoaderOptions::default() };
    Ok(Loader::new(test.clone(), preprocessing(test), Augmentations::none(), options)?)
}

/// Both networks with their trainers, and their batches.
struct Pair(SideBySide);

impl Pair {
    fn new(args: &BatchnormArgs, train: &Dataset, seed: u64) -> Result<Self, CliError> {
        Ok(Self(SideBySide::new(&specs(args, seed), train, &preprocessing(train))?))
    }

    fn networks(&self) -> [&Network; 2] {
        [0, 1].map(|place| &self.0.trainers[place].network)
    }

    /// Train, then test. With `show`, also the record and the pictures.
    fn train(
        mut self,
        args: &BatchnormArgs,
        test: &Loader,
        run: &mut RunWriter,
        show: Option<Output>,
    ) -> Result<SeedResult, CliError> {
        let pictures = PictureSet::default();
        let result = rayon::scope(|scope| {
            let mut losses = [Vec::new(), Vec::new()];
            for epoch in 1..=args.epochs {
                self.epoch(args.lr, epoch, &mut losses, run, show.is_some())?;
                if let Some(out) = show {
                    let path = run.path().join(format!("loss-epoch-{epoch}.png"));
                    pictures.draw(scope, epoch, twin_loss_chart(&losses[0], &losses[1]), path);
                    let last = losses.each_ref().map(|losses| losses.last().copied().unwrap_or(f64::NAN));
                    out.say(format!(
                        "Epoch {epoch} of {}: loss of the last batch, Normal {:.4}, BatchNorm {:.4}",
                        args.epochs, last[0], last[1]
                    ));
                }
            }
            Ok(SeedResult { losses, accuracy: self.test(test)? })
        });
        pictures.pictures()?;
        result
    }

    /// One epoch of both networks.
    fn epoch(
        &mut self,
        lr: f64,
        epoch: u32,
        losses: &mut [Vec<f64>; 2],
        run: &mut RunWriter,
        record: bool,
    ) -> Result<(), CliError> {
        let SideBySide { trainers, batches } = &mut self.0;
        lockstep::epoch(trainers, batches.epoch(epoch - 1), lr, |outcomes| {
            let found = [outcomes[0].loss, outcomes[1].loss];
            losses.iter_mut().zip(found).for_each(|(losses, loss)| losses.push(loss));
            let step = losses[0].len() as u64;
            if found.iter().any(|loss| !loss.is_finite()) {
                return Err(diverged(run, epoch, step, lr));
            }
            if record {
                run.step(&step_record(NAMES, epoch, step, lr, found))?;
            }
            Ok(())
        })
    }

    /// Accuracy on the test set.
    fn test(&mut self, test: &Loader) -> Result<[f64; 2], CliError> {
        let accuracy = |trainer: &mut Trainer<CrossEntropy>| {
            let Trainer { engine, network, objective, .. } = trainer;
            evaluate(&**engine, network, test, objective, 0, &mut (), |_, _| {}).map(|found| found.accuracy())
        };
        let found = lockstep::at_once(&mut self.0.trainers, &accuracy)
            .into_iter()
            .collect::<Result<Vec<f64>, _>>()?;
        Ok([found[0], found[1]])
    }
}
