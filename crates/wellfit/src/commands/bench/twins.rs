//! What is measured: one network, or the two of a lab, with something random to learn.

use super::profile::{Pass, Profile};
use crate::args::{BenchArgs, OptimizerName};
use crate::config::require;
use crate::error::CliError;
use crate::memory::check_bytes;
use std::time::Instant;
use wellfit::kernels::loss::{CrossEntropy, Loss, mean_squared_error};
use wellfit::kernels::optim::Rule;
use wellfit::models::{DropoutKey, Network, Optimizer, Shape, build, mlp};
use wellfit::rng::{Rng, Stream};

/// What the options come to.
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
}

impl Settings {
    /// Each job's defaults are those of the experiment it stands for.
    pub fn of(args: &BenchArgs) -> Result<Self, CliError> {
        let (batch_size, image_size, steps, optimizer) = match args.job.as_str() {
            "mlp" => (512, Some(28), 100, OptimizerName::Sgd),
            "dropout" => (50, None, 100, OptimizerName::Adam),
            "mlp-bn" | "resnet20" => (32, Some(28), 5, OptimizerName::Adam),
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
        })
    }
}

/// What the networks should say.
#[derive(Debug)]
enum Targets {
    Classes(Vec<u32>),
    Values(Vec<f32>),
}

impl Targets {
    fn loss(&self, outputs: &[f32], classes: usize) -> Loss {
        match self {
            Self::Classes(labels) => CrossEntropy::default().loss(outputs, labels, classes),
            Self::Values(values) => mean_squared_error(outputs, values),
        }
    }
}

/// Networks that learn from the same batch.
#[derive(Debug)]
pub struct Twins {
    twins: Vec<Twin>,
    inputs: Vec<f32>,
    targets: Targets,
    lr: f64,
}

/// A network with its optimiser.
#[derive(Debug)]
struct Twin {
    network: Network,
    optimizer: Optimizer,
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

impl Twins {
    /// The networks of a job with fresh weights, and a batch of normal noise.
    pub fn new(job: &str, settings: &Settings) -> Result<Self, CliError> {
        let (rule, lr) = match settings.optimizer {
            OptimizerName::Adam => (Rule::ADAM, 1e-3),
            OptimizerName::Adamw => (Rule::ADAMW, 1e-3),
            OptimizerName::Sgd => (Rule::SGD, 1e-2),
        };
        let mut networks = networks(job, settings.image_size.unwrap_or(1))?;
        let steps = networks.iter().map(|network| network.step_bytes(settings.batch_size));
        let weights: usize = networks.iter().map(Network::parameter_count).sum();
        let need = steps.sum::<u64>() + (size_of::<f32>() * rule.moments() * weights) as u64;
        check_bytes(&format!("training {job} in batches of {}", settings.batch_size), need)?;
        networks.iter_mut().for_each(|network| network.initialise(0));
        let mut rng = Rng::new(0, Stream::Noise, 0, 0);
        let (batch, sample) = (settings.batch_size, networks[0].input.len());
        let classes = networks[0].outputs() as u32;
        Ok(Self {
            inputs: (0..batch * sample).map(|_| rng.normal()).collect(),
            targets: match job {
                "dropout" => Targets::Values((0..batch).map(|_| rng.normal()).collect()),
                _ => Targets::Classes((0..batch).map(|_| rng.below(classes)).collect()),
            },
            twins: networks.into_iter().map(|network| Twin::new(network, rule)).collect(),
            lr,
        })
    }

    /// One training step of each network, of two at the same time as the labs do; the parts of the slower one.
    pub fn train_step(&mut self, profile: &mut Profile) -> Result<StepTimes, CliError> {
        let Self { twins, inputs, targets, lr } = self;
        let step = |twin: &mut Twin| twin.step(inputs, targets, *lr);
        let found = match &mut twins[..] {
            [first, second] => {
                let (first, second) = rayon::join(|| step(first), || step(second));
                vec![first?, second?]
            }
            others => others.iter_mut().map(step).collect::<Result<_, _>>()?,
        };
        found.iter().for_each(|(_, laps)| profile.add(laps));
        let slower = found.into_iter().map(|(times, _)| times).max_by(|a, b| a.total().total_cmp(&b.total()));
        Ok(slower.unwrap_or_default())
    }

    /// One forward pass of each network in evaluation mode.
    pub fn evaluate(&self) {
        let pass = |twin: &Twin| drop(std::hint::black_box(twin.network.evaluate(&self.inputs)));
        match &self.twins[..] {
            [first, second] => drop(rayon::join(|| pass(first), || pass(second))),
            others => others.iter().for_each(pass),
        }
    }
}

impl Twin {
    fn new(network: Network, rule: Rule) -> Self {
        Self { optimizer: Optimizer::new(rule, &network), network }
    }

    /// One training step: its times, and the same by kinds of layers.
    fn step(&mut self, inputs: &[f32], targets: &Targets, lr: f64) -> Result<(StepTimes, Profile), CliError> {
        let Self { network, optimizer } = self;
        let key = DropoutKey { seed: 0, step: optimizer.step as u32 + 1 };
        let mut profile = Profile::new();
        let start = Instant::now();
        let tape = network.forward_watched(inputs, key, |node| profile.lap(node.op.kind(), Pass::Forward))?;
        let loss = targets.loss(tape.outputs(), network.outputs());
        profile.lap("loss", Pass::Forward);
        let forward = start.elapsed();
        let gradients =
            network.backward_watched(tape, loss.gradient, |node| profile.lap(node.op.kind(), Pass::Backward));
        let backward = start.elapsed();
        optimizer.update(network, &gradients, lr);
        profile.lap("optimizer", Pass::Backward);
        let times = StepTimes {
            forward: forward.as_secs_f64(),
            backward: (backward - forward).as_secs_f64(),
            optimizer: (start.elapsed() - backward).as_secs_f64(),
        };
        Ok((times, profile))
    }
}

fn networks(job: &str, size: usize) -> Result<Vec<Network>, CliError> {
    let grey = Shape::image(size, size, 1);
    Ok(match job {
        "dropout" => vec![mlp::regressor(100, None), mlp::regressor(100, Some(0.2))],
        "mlp" => vec![build("mlp", grey, 10)?, build("mlp-bn", grey, 10)?],
        "mlp-bn" | "resnet20" => vec![build(job, grey, 10)?],
        _ => vec![build(job, Shape::image(size, size, 3), 2)?],
    })
}
