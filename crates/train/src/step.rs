//! The training step: forward, loss, backward, clipping, update. Training, labs and `bench` all use this one.

use crate::team::Team;
use std::sync::Arc;
use wellfit_kernels::Buffer;
use wellfit_kernels::loss::{CrossEntropy, Loss, mean_squared_error};
use wellfit_kernels::optim::{Rule, clip_factor};
use wellfit_models::{
    Cpu, DeviceState, DropoutKey, Engine, Gradients, ModelError, Network, Optimizer, Parameter, Repeated,
    Tape, TrainingPass,
};

/// What a network is to learn: a loss, which compares its outputs with targets.
pub trait Objective: Send + Sync {
    /// What the outputs should be.
    type Targets: ?Sized + Sync;

    /// The loss of `outputs` `[N, width]` and its gradient.
    fn loss(&self, outputs: &[f32], targets: &Self::Targets, width: usize) -> Loss;
}

/// Classes: the targets are a label a sample.
impl Objective for CrossEntropy {
    type Targets = [u32];

    fn loss(&self, outputs: &[f32], targets: &[u32], width: usize) -> Loss {
        CrossEntropy::loss(self, outputs, targets, width)
    }
}

/// Values: the mean squared error over all outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MeanSquaredError;

impl Objective for MeanSquaredError {
    type Targets = [f32];

    fn loss(&self, outputs: &[f32], targets: &[f32], _: usize) -> Loss {
        mean_squared_error(outputs, targets)
    }
}

/// A network with its optimiser, loss and device: all that a training step needs.
///
/// After [`upload`](Self::upload) the device trains a copy in its own memory. `network` and the moments of `optimizer`
/// are then as they were at the last [`download`](Self::download); the count of steps is always right.
#[derive(Debug)]
pub struct Trainer<O> {
    /// What is trained.
    pub network: Network,
    /// The optimiser with its moments. It also counts the steps.
    pub optimizer: Optimizer,
    /// The copy in the device's memory.
    pub state: Option<Box<dyn DeviceState>>,
    /// What it is to learn.
    pub objective: O,
    /// The device that computes the passes.
    pub engine: Arc<dyn Engine>,
    /// Gradients are scaled to this common norm at most.
    pub clip_norm: Option<f64>,
    /// The seed of dropout.
    pub seed: u64,
    /// How batches are shared with other processes. A step of its own (here) takes them as a whole.
    pub team: Team,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepOutcome {
    /// The batch's mean loss, before the update.
    pub loss: f64,
    /// Whether the parameters moved. They do not when the loss is NaN or infinite: training cannot continue from there.
    pub updated: bool,
}

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPart {
    /// A layer of this kind, in this pass. Reported only if [`StepObserver::layers`] is true.
    Layer(&'static str, Direction),
    /// The loss, and so all of the forward pass.
    Loss,
    /// The gradients, and so all of the backward pass.
    Gradients,
    /// The update, clipping included.
    Update,
}

/// Which way through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the inputs to the loss.
    Forward,
    /// From the loss to the gradients.
    Backward,
}

/// Watches a step while it is computed. Every method does nothing by default.
pub trait StepObserver {
    /// Whether to report each layer. Only the processor reports layers, so it computes the passes then, unless the
    /// network is in a device's memory.
    fn layers(&self) -> bool {
        false
    }

    /// A part of the step is done.
    fn done(&mut self, part: StepPart) {
        let _ = part;
    }

    /// The outputs `[N, width]` and their loss, before anything is learned from them.
    fn scored(&mut self, outputs: &[f32], loss: &Loss) {
        let _ = (outputs, loss);
    }

    /// Whether to report how each parameter moves. A device's memory is not looked into.
    fn watches_update(&self) -> bool {
        false
    }

    /// The norm of all gradients before they are clipped, and what they were multiplied by; where gradients are clipped
    /// or the update is watched.
    fn clipped(&mut self, norm: f64, factor: f64) {
        let _ = (norm, factor);
    }

    /// A parameter moved: its place, its values before, the parameter after, its gradient as it was clipped.
    fn moved(&mut self, place: usize, before: &[f32], parameter: &Parameter, gradient: &[f32]) {
        let _ = (place, before, parameter, gradient);
    }
}

/// Watches nothing.
impl StepObserver for () {}

impl<O: Objective> Trainer<O> {
    /// A trainer at its first step, on the processor, without clipping. The network's weights stay as they are.
    #[must_use]
    pub fn new(network: Network, rule: Rule, objective: O, seed: u64) -> Self {
        let optimizer = Optimizer::new(rule, &network);
        Self {
            network,
            optimizer,
            state: None,
            objective,
            engine: Arc::new(Cpu),
            clip_norm: None,
            seed,
            team: Team::default(),
        }
    }

    /// Copy the network to the device's memory, if it has one of its own. It is trained there from now on.
    ///
    /// # Errors
    /// When the device fails.
    pub fn upload(&mut self) -> Result<(), ModelError> {
        self.state = self.engine.upload(&self.network)?;
        Ok(())
    }

    /// Copy what the device has learned into `network` and `optimizer`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn download(&mut self) -> Result<(), ModelError> {
        let Self { state, network, optimizer, .. } = self;
        state.as_mut().map_or(Ok(()), |state| state.download(network, optimizer))
    }

    /// The network's outputs in evaluation mode, from a value of the network on; 0 are the inputs.
    ///
    /// # Errors
    /// When the device fails.
    pub fn evaluate(&self, (values, value): (&[f32], usize)) -> Result<Buffer, ModelError> {
        match &self.state {
            Some(state) => state.evaluate(&self.network, values, value),
            None => self.engine.evaluate(&self.network, values, value),
        }
    }

    /// One step on a batch of `inputs` `[N, H, W, C]` with learning rate `lr`.
    ///
    /// # Errors
    /// When a BatchNorm layer gets a single value per channel, or the device fails.
    pub fn step(&mut self, inputs: &[f32], targets: &O::Targets, lr: f64) -> Result<StepOutcome, ModelError> {
        self.step_from((inputs, 0), targets, lr, &mut ())
    }

    /// [`Self::step`] from a value of the network on: (the value's rows, which value it is), 0 being the inputs.
    /// `observer` watches.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn step_from(
        &mut self,
        (values, value): (&[f32], usize),
        targets: &O::Targets,
        lr: f64,
        observer: &mut dyn StepObserver,
    ) -> Result<StepOutcome, ModelError> {
        let key = DropoutKey { seed: self.seed, step: self.optimizer.step as u32 + 1, row: 0 };
        if let Some(mut state) = self.state.take() {
            let outcome = self.step_on(&mut *state, (values, value), targets, (key, lr), observer);
            self.state = Some(state);
            return outcome;
        }
        let (outcome, gradients) = self.gradients_from((values, value), targets, key, observer)?;
        if let Some(gradients) = gradients {
            self.update(gradients, lr, observer);
            observer.done(StepPart::Update);
        }
        Ok(outcome)
    }

    /// The first half of [`step_from`](Self::step_from) on the processor: the gradients, and nothing is learned yet. None
    /// when the loss is NaN or infinite. `key` decides what is random in the pass.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn gradients_from(
        &mut self,
        (values, value): (&[f32], usize),
        targets: &O::Targets,
        key: DropoutKey,
        observer: &mut dyn StepObserver,
    ) -> Result<(StepOutcome, Option<Gradients>), ModelError> {
        let pass = if observer.layers() && value == 0 {
            let tell = |kind| observer.done(StepPart::Layer(kind, Direction::Forward));
            RunningPass::ByLayer(forward_by_layer(&mut self.network, values, key, tell)?)
        } else {
            RunningPass::Whole(self.engine.forward(&mut self.network, values, value, key)?)
        };
        let (outcome, gradient) = self.scored(pass.outputs(), targets, observer);
        if !outcome.updated {
            return Ok((outcome, None));
        }
        let gradients = pass.backward(&self.network, gradient, observer)?;
        observer.done(StepPart::Gradients);
        Ok((outcome, Some(gradients)))
    }

    /// The second half: clip the gradients and move the parameters with learning rate `lr`.
    pub fn update(&mut self, mut gradients: Gradients, lr: f64, observer: &mut dyn StepObserver) {
        let watched = observer.watches_update();
        if let Some(limit) = self.clip_norm {
            let norm = gradients.clip(limit);
            observer.clipped(norm, f64::from(clip_factor(norm, limit)));
        } else if watched {
            observer.clipped(gradients.norm(), 1.0);
        }
        if watched {
            let mut moved = |place, before: &[f32], parameter: &Parameter, gradient: &[f32]| {
                observer.moved(place, before, parameter, gradient);
            };
            self.optimizer.update_watched(&mut self.network, &gradients, lr, &mut moved);
        } else {
            self.optimizer.update(&mut self.network, &gradients, lr);
        }
    }

    /// The pass of the last step once more, with the weights that it left: the loss, and what the layers gave. Nothing is
    /// learned, and running statistics stay. On the processor only.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn repeat_from(
        &self,
        (values, value): (&[f32], usize),
        targets: &O::Targets,
    ) -> Result<(f64, Repeated), ModelError> {
        let key = DropoutKey { seed: self.seed, step: self.optimizer.step as u32, row: 0 };
        let again = self.network.repeat_from(values, value, key)?;
        let loss = self.objective.loss(&again.outputs, targets, self.network.outputs());
        Ok((loss.value, again))
    }

    /// What the outputs are worth, and the gradient of their loss.
    pub(crate) fn scored(
        &self,
        outputs: &[f32],
        targets: &O::Targets,
        observer: &mut dyn StepObserver,
    ) -> (StepOutcome, Buffer) {
        let loss = self.objective.loss(outputs, targets, self.network.outputs());
        observer.scored(outputs, &loss);
        observer.done(StepPart::Loss);
        (StepOutcome { loss: loss.value, updated: loss.value.is_finite() }, loss.gradient)
    }

    /// The same in a device's memory, all but the loss.
    fn step_on(
        &mut self,
        state: &mut dyn DeviceState,
        (values, value): (&[f32], usize),
        targets: &O::Targets,
        (key, lr): (DropoutKey, f64),
        observer: &mut dyn StepObserver,
    ) -> Result<StepOutcome, ModelError> {
        let outputs = state.forward(&mut self.network, values, value, key)?;
        let (outcome, gradient) = self.scored(&outputs, targets, observer);
        if outcome.updated {
            state.backward(&self.network, &gradient)?;
            observer.done(StepPart::Gradients);
            state.update(&self.network, &mut self.optimizer, self.clip_norm, lr)?;
            observer.done(StepPart::Update);
        }
        Ok(outcome)
    }
}

/// A pass whose outputs are there and whose gradients are not.
enum RunningPass<'a> {
    /// Of an engine.
    Whole(Box<dyn TrainingPass + 'a>),
    /// Of the processor, which reports each layer.
    ByLayer(Tape<'a>),
}

fn forward_by_layer<'a>(
    network: &mut Network,
    inputs: &'a [f32],
    key: DropoutKey,
    mut tell: impl FnMut(&'static str),
) -> Result<Tape<'a>, ModelError> {
    network.forward_watched(inputs, key, &mut |node| tell(node.op.kind()))
}

impl RunningPass<'_> {
    fn outputs(&self) -> &[f32] {
        match self {
            Self::Whole(pass) => pass.outputs(),
            Self::ByLayer(tape) => tape.outputs(),
        }
    }

    fn backward(
        self,
        network: &Network,
        gradient: Buffer,
        observer: &mut dyn StepObserver,
    ) -> Result<Gradients, ModelError> {
        match self {
            Self::Whole(pass) => pass.backward(network, gradient),
            Self::ByLayer(tape) => Ok(network.backward_watched(tape, gradient, &mut |node| {
                observer.done(StepPart::Layer(node.op.kind(), Direction::Backward));
            })),
        }
    }
}
