//! `wellfit lab batchnorm`: twin networks with and without batch normalisation, on the same batches.

mod report;

use super::album::Album;
use super::twin::Twin;
use super::{diverged, run_info, start_event, stop_event};
use crate::args::BatchnormArgs;
use crate::commands::data_show::grid;
use crate::config::{batch_size, positive, require};
use crate::error::CliError;
use crate::opening::open_data;
use crate::output::Output;
use report::{SeedResult, report};
use serde::Serialize;
use std::time::Instant;
use wellfit::data::{Augmentations, DataError, Dataset, Loader, LoaderOptions, Preprocessing, Splits};
use wellfit::kernels::loss::CrossEntropy;
use wellfit::kernels::optim::Rule;
use wellfit::models::{Cpu, Shape, build};
use wellfit::plot::twin_loss_chart;
use wellfit::record::{DataInfo, RunWriter, StepRecord};
use wellfit::train::evaluate;

/// The names of the twins, in records and plots.
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
    let Splits { name, train, test, .. } = open_data("fashion-mnist", args.data.as_deref(), false, out)?;
    let Some(test) = test else {
        let problem = "the batch-norm lab needs a test set beside the training set";
        return Err(CliError::Data(DataError::Invalid(problem.to_owned())));
    };
    let mut run = RunWriter::create(args.out.out.as_deref(), "lab-batchnorm", args.out.force)?;
    let Twins(first) = Twins::new(&train, args.seed)?;
    let networks = first.each_ref().map(|twin| &twin.network);
    let data = DataInfo {
        name,
        fingerprint: train.fingerprint(),
        train: train.len() as u64,
        val: 0,
        test: test.len() as u64,
    };
    run.write_run_toml(&run_info(&run, args.seed, data, networks, &Config::of(args))?)?;
    run.event(&start_event())?;
    networks.iter().for_each(|network| out.say(network.summary()));
    show_batch(&train, args.seed, &run, out)?;
    let (mut results, test) = (Vec::new(), loader(&test, 1000, None)?);
    for seed in args.seed..args.seed + u64::from(args.seeds) {
        let batches = loader(&train, args.batch_size, Some(seed))?;
        let show = (seed == args.seed).then_some(out);
        results.push(Twins::new(&train, seed)?.train(args, (&batches, &test), &mut run, show)?);
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

/// The plain network and the one with batch normalisation.
struct Twins([Twin; 2]);

impl Twins {
    fn new(train: &Dataset, seed: u64) -> Result<Self, CliError> {
        let (height, width, channels) = train.native_size().unwrap_or_default();
        let twin = |name| -> Result<Twin, CliError> {
            let network = build(name, Shape::image(height, width, channels), train.classes.len())?;
            Ok(Twin::new(network, Rule::SGD, seed))
        };
        Ok(Self([twin("mlp")?, twin("mlp-bn")?]))
    }

    /// Train on `loader`'s batches, then test. With `show`, also the record and the pictures.
    fn train(
        mut self,
        args: &BatchnormArgs,
        (train, test): (&Loader, &Loader),
        run: &mut RunWriter,
        show: Option<Output>,
    ) -> Result<SeedResult, CliError> {
        let album = Album::default();
        let result = rayon::scope(|scope| {
            let mut losses = [Vec::new(), Vec::new()];
            for epoch in 1..=args.epochs {
                self.epoch(args.lr, epoch, train, &mut losses, run, show.is_some())?;
                if let Some(out) = show {
                    let path = run.path().join(format!("loss-epoch-{epoch}.png"));
                    album.draw(scope, epoch, twin_loss_chart(&losses[0], &losses[1]), path);
                    let last = losses.each_ref().map(|losses| losses.last().copied().unwrap_or(f64::NAN));
                    out.say(format!(
                        "Epoch {epoch} of {}: loss of the last batch, Normal {:.4}, BatchNorm {:.4}",
                        args.epochs, last[0], last[1]
                    ));
                }
            }
            Ok(SeedResult { losses, accuracy: self.test(test)? })
        });
        album.pictures()?;
        result
    }

    /// One epoch. Both twins learn from a batch while the next one is made.
    fn epoch(
        &mut self,
        lr: f64,
        epoch: u32,
        loader: &Loader,
        losses: &mut [Vec<f64>; 2],
        run: &mut RunWriter,
        record: bool,
    ) -> Result<(), CliError> {
        let Self([normal, batchnorm]) = self;
        let mut batches = loader.epoch(epoch - 1);
        let mut next = batches.next();
        while let Some(batch) = next.transpose()? {
            let step_of = |twin: &mut Twin| {
                let classes = twin.network.outputs();
                let loss = |outputs: &[f32]| CrossEntropy::default().loss(outputs, &batch.labels, classes);
                twin.step(&batch.images, lr, loss)
            };
            let ((batchnorm, normal), following) =
                rayon::join(|| rayon::join(|| step_of(batchnorm), || step_of(normal)), || batches.next());
            next = following;
            let found = [normal?, batchnorm?];
            losses.iter_mut().zip(found).for_each(|(losses, loss)| losses.push(loss));
            let step = losses[0].len() as u64;
            if found.iter().any(|loss| !loss.is_finite()) {
                return Err(diverged(run, epoch, step, lr));
            }
            if record {
                let losses = NAMES.map(str::to_owned).into_iter().zip(found).collect();
                run.step(&StepRecord { epoch, step, lr, losses })?;
            }
        }
        Ok(())
    }

    /// Accuracy on the test set.
    fn test(&self, test: &Loader) -> Result<[f64; 2], CliError> {
        let accuracy = |twin: &Twin| {
            evaluate(&Cpu, &twin.network, test, &CrossEntropy::default(), 0, &mut (), |_, _| {})
                .map(|average| average.accuracy())
        };
        let Self([normal, batchnorm]) = self;
        let (normal, batchnorm) = rayon::join(|| accuracy(normal), || accuracy(batchnorm));
        Ok([normal?, batchnorm?])
    }
}

/// Batches of whole images as they are, scaled to 0–1; made by whoever asks, beside the training.
fn loader(data: &Dataset, batch_size: usize, shuffle: Option<u64>) -> Result<Loader, CliError> {
    let (height, width, channels) = data.native_size().unwrap_or_default();
    let (mean, std) = (vec![0.0; channels], vec![1.0; channels]);
    let preprocessing = Preprocessing { size: (height, width), channels, mean, std };
    let options = LoaderOptions {
        batch_size,
        shuffle: shuffle.is_some(),
        seed: shuffle.unwrap_or_default(),
        workers: 0,
        merge_last_single: shuffle.is_some(),
        ..LoaderOptions::default()
    };
    Ok(Loader::new(data.clone(), preprocessing, Augmentations::none(), options)?)
}
