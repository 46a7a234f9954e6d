//! What is measured: one network, or the two of a lab, with something random to learn.

use super::profile::Profile;
use crate::args::{BenchArgs, OptimizerName, PrecisionName};
use crate::config::require;
use crate::error::CliError;
use crate::memory::check_bytes;
use std::time::Instant;
use wellfit::kernels::loss::{CrossEntropy, Loss, mean_squared_error};
use wellfit::kernels::optim::Rule;
use wellfit::models::{Network, Precision, Shape, architecture, build, mlp};
use wellfit::rng::{Rng, Stream};
use wellfit::train::{Direction, Objective, StepObserver, StepPart, Trainer, lockstep};

/// The options with their defaults filled in.
#[derive(Debug)]
pub struct Settings {
    /// Images in a batch.
    pub batch_size: usize,
    /// Height and width, where there are images.
    pub image_size: Option<usize>,
    /// Steps to measure.
    pub steps: u32,
    /// The optimiser.
    pub optimizer: OptimizerName,
    /// How values are stored.
    pub precision: Precision,
}

impl Settings {
    /// Each workload's defaults are those of the experiment it stands for.
    pub fn of(args: &BenchArgs) -> Result<Self, CliError> {
        let (batch_size, image_size, steps, optimizer) = match args.job.as_str() {
            "mlp" => (512, Some(28), 100, OptimizerName::Sgd),
            "dropout" => (50, None, 100, OptimizerName::Adam),
            name if is_grey(name) => (32, Some(28), 5, OptimizerName::Adam),
            _ => (32, Some(224), 5, OptimizerName::Adam),
        };
        require(image_size.is_some() || args.image_size.is_none(), || {
            "--image-size: the dropout lab learns a line, not images".to_owned()
        })?;
        Ok(Self {
            batch_size: args.batch_size.unwrap_or(batch_size),
            image_size: args.image_size.or(image_size),
            steps: args.steps.unwrap_or(steps),
            optimizer: args.optimizer.unwrap_or(optimizer),
            precision: args.precision.unwrap_or(PrecisionName::F32).resolve(),
        })
    }
}

/// The targets of the networks.
#[derive(Debug)]
enum Targets {
    Classes(Vec<u32>),
    Values(Vec<f32>),
}

/// The loss that fits the targets.
#[derive(Debug, Clone, Copy)]
struct AnyLoss;

impl Objective for AnyLoss {
    type Targets = Targets;

    fn loss(&self, outputs: &[f32], targets: &Targets, width: usize) -> Loss {
        match targets {
            Targets::Classes(labels) => CrossEntropy::default().loss(outputs, labels, width),
            Targets::Values(values) => mean_squared_error(outputs, values),
        }
    }
}

/// Networks that learn from the same batch.
#[derive(Debug)]
pub struct Workload {
    trainers: Vec<Trainer<AnyLoss>>,
    inputs: Vec<f32>,
    targets: Targets,
    lr: f64,
}

/// Seconds of one training step. The loss belongs to the forward pass.
#[derive(Debug, Default)]
pub struct StepTimes {
    /// From the batch to the losses.
    pub forward: f64,
    /// From the losses to the gradients.
    pub backward: f64,
    /// From the gradients to new weights.
    pub optimizer: f64,
}

impl StepTimes {
    fn total(&self) -> f64 {
        self.forward + self.backward + self.optimizer
    }
}

impl Workload {
    /// The networks of that name with fresh weights, and a batch of normal noise.
    pub fn new(name: &str, settings: &Settings) -> Result<Self, CliError> {
        let (rule, lr) = match settings.optimizer {
            OptimizerName::Adam => (Rule::ADAM, 1e-3),
            OptimizerName::Adamw => (Rule::ADAMW, 1e-3),
            OptimizerName::Sgd => (Rule::SGD, 1e-2),
        };
        let mut networks = networks(name, settings.image_size.unwrap_or(1))?;
        networks.iter_mut().for_each(|network| network.precision = settings.precision);
        let steps = networks.iter().map(|network| network.step_bytes(settings.batch_size));
        let weights: usize = networks.iter().map(Network::parameter_count).sum();
        let need = steps.sum::<u64>() + (size_of::<f32>() * rule.moments() * weights) as u64;
        check_bytes(&format!("training {name} in batches of {}", settings.batch_size), need)?;
        networks.iter_mut().for_each(|network| network.initialise(0));
        let mut rng = Rng::new(0, Stream::Noise, 0, 0);
        let (batch, sample) = (settings.batch_size, networks[0].input.len());
        let classes = networks[0].outputs() as u32;
        Ok(Self {
            inputs: (0..batch * sample).map(|_| rng.normal()).collect(),
            targets: match name {
                "dropout" => Targets::Values((0..batch).map(|_| rng.normal()).collect()),
                _ => Targets::Classes((0..batch).map(|_| rng.below(classes)).collect()),
            },
            trainers: networks.into_iter().map(|network| Trainer::new(network, rule, AnyLoss, 0)).collect(),
            lr,
        })
    }

    /// One training step of each network, of two at the same time as the labs do; the parts of the slower one.
    pub fn train_step(&mut self, profile: &mut Profile) -> Result<StepTimes, CliError> {
        let Self { trainers, inputs, targets, lr } = self;
        let step = |trainer: &mut Trainer<AnyLoss>| {
            let mut watch = StopWatch::new();
            let outcome = trainer.step_from((inputs, 0), targets, *lr, &mut watch)?;
            if outcome.updated { Ok(watch) } else { Err(diverged(outcome.loss)) }
        };
        let found = lockstep::at_once(trainers, &step).into_iter().collect::<Result<Vec<StopWatch>, _>>()?;
        found.iter().for_each(|watch| profile.add(&watch.profile));
        let slower =
            found.into_iter().map(|watch| watch.times).max_by(|a, b| a.total().total_cmp(&b.total()));
        Ok(slower.unwrap_or_default())
    }

    /// One forward pass of each network in evaluation mode.
    pub fn evaluate(&mut self) {
        let inputs = &self.inputs;
        lockstep::at_once(&mut self.trainers, &|trainer: &mut Trainer<AnyLoss>| {
            drop(std::hint::black_box(trainer.network.evaluate(inputs)));
        });
    }
}

fn diverged(loss: f64) -> CliError {
    CliError::Diverged(format!("the loss became {loss} on random data: take fewer --steps"))
}

/// Takes the times of one step.
struct StopWatch {
    start: Instant,
    times: StepTimes,
    /// The same by kinds of layers.
    profile: Profile,
}

impl StopWatch {
    fn new() -> Self {
        Self { profile: Profile::new(), start: Instant::now(), times: StepTimes::default() }
    }
}

impl StepObserver for StopWatch {
    fn layers(&self) -> bool {
        true
    }

    fn done(&mut self, part: StepPart) {
        match part {
            StepPart::Layer(kind, direction) => self.profile.lap(kind, direction),
            StepPart::Loss => {
                self.profile.lap("loss", Direction::Forward);
                self.times.forward = self.start.elapsed().as_secs_f64();
            }
            StepPart::Gradients => {
                self.times.backward = self.start.elapsed().as_secs_f64() - self.times.forward;
            }
            StepPart::Update => {
                self.profile.lap("optimizer", Direction::Backward);
                let before = self.times.forward + self.times.backward;
                self.times.optimizer = self.start.elapsed().as_secs_f64() - before;
            }
        }
    }
}

fn networks(name: &str, size: usize) -> Result<Vec<Network>, CliError> {
    let grey = Shape::image(size, size, 1);
    Ok(match name {
        "dropout" => vec![mlp::regressor(100, None), mlp::regressor(100, Some(0.2))],
        "mlp" => vec![build("mlp", grey, 10)?, build("mlp-bn", grey, 10)?],
        name if is_grey(name) => vec![build(name, grey, 10)?],
        _ => vec![build(name, Shape::image(size, size, 3), 2)?],
    })
}

/// Whether a network is meant for small grey images, such as Fashion-MNIST's.
fn is_grey(name: &str) -> bool {
    architecture(name).is_ok_and(|architecture| !architecture.colour)
}
