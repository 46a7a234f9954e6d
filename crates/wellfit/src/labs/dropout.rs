//! `wellfit lab dropout`: two regressors that differ by dropout only, on a noisy line.

mod report;

use super::picture_set::PictureSet;
use super::{diverged, run_info, step_record, stop_event};
use crate::args::DropoutArgs;
use crate::config::{positive, require, share};
use crate::error::CliError;
use crate::output::Output;
use report::report;
use serde::Serialize;
use std::ops::Range;
use std::time::Instant;
use wellfit::kernels::loss::mean_squared_error;
use wellfit::models::mlp;
use wellfit::plot::{Chart, DropoutChart, animation, dropout_chart};
use wellfit::record::{DataInfo, RunWriter};
use wellfit::rng::{Rng, Stream};
use wellfit::run::{RunSpec, start_event};
use wellfit::train::{MeanSquaredError, Trainer, lockstep};

/// The names of the two networks, in records and plots.
const NAMES: [&str; 2] = ["normal", "dropout"];
/// Epochs from one picture to the next.
const PICTURE_EVERY: u32 = 50;

/// More pictures than this only fill the memory: a longer run shows fewer of its epochs.
const MOST_PICTURES: u32 = 200;

/// The lab's options, as `run.toml` keeps them.
#[derive(Serialize)]
struct Config {
    lab: &'static str,
    epochs: u32,
    samples: usize,
    noise: f64,
    p: f64,
    hidden: usize,
    lr: f64,
    seeds: u32,
}

impl Config {
    fn of(args: &DropoutArgs) -> Self {
        let &DropoutArgs { epochs, samples, noise, p, hidden, lr, seeds, .. } = args;
        Self { lab: "dropout", epochs, samples, noise, p, hidden, lr, seeds }
    }
}

/// Run the command.
pub fn run(args: &DropoutArgs, out: Output) -> Result<(), CliError> {
    positive("--lr", args.lr)?;
    share("--p", args.p)?;
    require(args.noise.is_finite() && args.noise >= 0.0, || {
        format!("--noise must be at least 0, not {}", args.noise)
    })?;
    for (name, n, least, most) in [
        ("--samples", args.samples, 2, 100_000),
        ("--hidden", args.hidden, 1, 4096),
        ("--epochs", args.epochs as usize, 1, 1_000_000),
    ] {
        require((least..=most).contains(&n), || {
            format!("{name} must be between {least} and {most}, not {n}")
        })?;
    }
    require(args.seeds > 0, || "--seeds must be at least 1".to_owned())?;
    let start = Instant::now();
    let mut run = RunWriter::create(args.out.out.as_deref(), "lab-dropout", args.out.force)?;
    let mut first = Pair::new(args, args.seed)?;
    let networks = first.trainers.each_ref().map(|trainer| &trainer.network);
    let samples = args.samples as u64;
    let data = DataInfo {
        name: "noisy line".to_owned(),
        fingerprint: String::new(),
        train: samples,
        val: 0,
        test: samples,
    };
    run.event(&start_event())?;
    run.write_run_toml(&run_info(&run, args.seed, data, networks, &Config::of(args))?)?;
    networks.iter().for_each(|network| out.say(network.short_summary()));
    let mut results = vec![first.train_and_show(args, &mut run, out)?];
    for seed in args.seed + 1..args.seed + u64::from(args.seeds) {
        results.push(Pair::new(args, seed)?.train(args, &mut run)?);
    }
    run.event(&stop_event(args.epochs))?;
    report(&results, args, &run, start, out)
}

/// Points on the line y = x with normal noise.
struct Points {
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Points {
    /// Training points are set 0, test points set 1.
    fn new(args: &DropoutArgs, seed: u64, set: u32) -> Self {
        let mut rng = Rng::new(seed, Stream::Noise, 0, set);
        let step = 2.0 / (args.samples - 1) as f32;
        let x: Vec<f32> = (0..args.samples).map(|i| -1.0 + step * i as f32).collect();
        let y = x.iter().map(|&x| x + args.noise as f32 * rng.normal()).collect();
        Self { x, y }
    }
}

/// The plain network and the one with dropout with their trainers, and their points.
struct Pair {
    trainers: [Trainer<MeanSquaredError>; 2],
    train: Points,
    test: Points,
}

/// Both networks in evaluation mode.
struct Look {
    fits: [Vec<f32>; 2],
    losses: [f64; 2],
}

impl Pair {
    fn new(args: &DropoutArgs, seed: u64) -> Result<Self, CliError> {
        let spec = RunSpec { lr: args.lr.into(), epochs: args.epochs, seed, ..RunSpec::for_folder() };
        let trainer = |dropout| {
            let mut network = mlp::regressor(args.hidden, dropout);
            network.initialise(seed);
            spec.trainer(network, MeanSquaredError)
        };
        Ok(Self {
            trainers: [trainer(None)?, trainer(Some(args.p as f32))?],
            train: Points::new(args, seed, 0),
            test: Points::new(args, seed, 1),
        })
    }

    /// All epochs; gives the last test losses.
    fn train(&mut self, args: &DropoutArgs, run: &mut RunWriter) -> Result<[f64; 2], CliError> {
        self.epochs(0..args.epochs, args.lr, run, false)?;
        Ok(self.look().losses)
    }

    /// As [`Self::train`], with the record, the pictures and the animation.
    fn train_and_show(
        &mut self,
        args: &DropoutArgs,
        run: &mut RunWriter,
        out: Output,
    ) -> Result<[f64; 2], CliError> {
        let picture_every = PICTURE_EVERY.max(args.epochs.div_ceil(MOST_PICTURES));
        let pictures = PictureSet::default();
        rayon::scope(|scope| -> Result<(), CliError> {
            let mut done = 0;
            while done < args.epochs {
                // Up to and with the next epoch whose number the interval divides.
                let until = (done.next_multiple_of(picture_every) + 1).min(args.epochs);
                self.epochs(done..until, args.lr, run, true)?;
                done = until;
                let epoch = done - 1;
                if epoch.is_multiple_of(picture_every) {
                    let look = self.look();
                    let path = run.path().join(format!("fit-{epoch:04}.png"));
                    pictures.draw(scope, epoch, self.chart(&look, epoch), path);
                    let [normal, dropout] = look.losses;
                    out.say(format!("Epoch {epoch}: test loss {normal:.4}, with dropout {dropout:.4}"));
                }
            }
            Ok(())
        })?;
        animation(&pictures.pictures()?, 300, run.path().join("fit.gif"))?;
        Ok(self.look().losses)
    }

    /// Train both networks for some epochs, of one step each; a loss that is no number ends it.
    fn epochs(
        &mut self,
        epochs: Range<u32>,
        lr: f64,
        run: &mut RunWriter,
        record: bool,
    ) -> Result<(), CliError> {
        let Self { trainers, train, .. } = self;
        let outcomes = lockstep::steps(trainers, epochs.len() as u32, &train.x, &train.y[..], lr)?;
        for (epoch, (normal, dropout)) in (epochs.start + 1..).zip(outcomes[0].iter().zip(&outcomes[1])) {
            let (losses, step) = ([normal.loss, dropout.loss], u64::from(epoch));
            if losses.iter().any(|loss| !loss.is_finite()) {
                return Err(diverged(run, epoch, step, lr));
            }
            if record {
                run.step(&step_record(NAMES, epoch, step, lr, losses))?;
            }
        }
        Ok(())
    }

    /// Both networks in evaluation mode on the test points.
    fn look(&self) -> Look {
        let fits = self.trainers.each_ref().map(|trainer| trainer.network.evaluate(&self.test.x).to_vec());
        let losses = fits.each_ref().map(|fit| mean_squared_error(fit, &self.test.y).value);
        Look { fits, losses }
    }

    fn chart(&self, look: &Look, epoch: u32) -> Chart {
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
        let (x, train, test) = (wide(&self.train.x), wide(&self.train.y), wide(&self.test.y));
        let fits = look.fits.each_ref().map(|fit| wide(fit));
        dropout_chart(&DropoutChart {
            train: (&x, &train),
            test: (&x, &test),
            fit_x: &x,
            fit: &fits[0],
            fit_dropout: &fits[1],
            epoch: epoch as usize,
            loss: look.losses[0],
            loss_dropout: look.losses[1],
        })
    }
}
