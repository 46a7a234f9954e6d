//! A network that stays on the device: what is copied, and that it learns what it would learn on the processor.

use crate::{DEVICE, KEY, apart, mlp, noise, ready};
use std::sync::Arc;
use wellfit_gpu::{Engine, open};
use wellfit_kernels::conv::Algorithm;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{Cpu, DeviceState, DropoutKey, Network, Optimizer, Shape, Traffic, build};

const BATCH: usize = 8;
/// How far parameters, moments and statistics may be apart after three steps: 2e-5 on lavapipe.
const TOLERANCE: f64 = crate::BACKWARD;
const RULES: [Rule; 4] = [
    Rule::SGD,
    Rule::Sgd { momentum: 0.9, dampening: 0.1, nesterov: false, weight_decay: 0.01 },
    Rule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true, weight_decay: 0.0 },
    // ε as large as small gradients: a first step of Adam's goes by the sign of rounding otherwise.
    Rule::Adam { betas: (0.9, 0.99), eps: 1e-3, weight_decay: 0.02, decoupled: false },
];
const ADAMW: Rule = Rule::Adam { betas: (0.9, 0.99), eps: 1e-3, weight_decay: 0.1, decoupled: true };

/// A device whose counters no other test moves.
fn device() -> Arc<dyn Engine> {
    open(DEVICE).unwrap_or_else(|error| panic!("{error}"))
}

fn resnet() -> Network {
    let mut network = ready(build("resnet20", Shape::image(16, 12, 3), 10).unwrap());
    network.algorithm = Algorithm::Direct;
    network
}

/// A network that is trained, where nothing or a state on a device says otherwise on the processor.
struct Training {
    network: Network,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
    state: Option<Box<dyn DeviceState>>,
}

impl Training {
    fn new(network: &Network, rule: Rule, clip_norm: Option<f64>) -> Self {
        let optimizer = Optimizer::new(rule, network);
        Self { network: network.clone(), optimizer, clip_norm, state: None }
    }

    fn on(mut self, engine: &dyn Engine) -> Self {
        self.state = engine.upload(&self.network).unwrap();
        assert!(self.state.is_some());
        self
    }

    /// One step on the batch of that number.
    fn step(&mut self, number: u32) {
        let Self { network, optimizer, clip_norm, state } = self;
        let (images, classes) = (noise(BATCH * network.input.len(), number), network.outputs());
        let labels: Vec<u32> = (0..BATCH).map(|i| (i % classes) as u32).collect();
        let gradient = |outputs: &[f32]| CrossEntropy::default().loss(outputs, &labels, classes).gradient;
        let key = DropoutKey { step: number, ..KEY };
        if let Some(state) = state {
            let outputs = state.forward(network, &images, 0, key).unwrap();
            state.backward(network, &gradient(&outputs)).unwrap();
            state.update(network, optimizer, *clip_norm, 1e-2).unwrap();
        } else {
            let pass = Cpu.forward(network, &images, 0, key).unwrap();
            let outputs = gradient(pass.outputs());
            let mut gradients = pass.backward(network, outputs).unwrap();
            clip_norm.map(|limit| gradients.clip(limit));
            optimizer.update(network, &gradients, 1e-2);
        }
    }

    fn download(&mut self) {
        let Self { network, optimizer, state, .. } = self;
        state.as_mut().unwrap().download(network, optimizer).unwrap();
    }

    /// Everything that training changes, by name.
    fn learned(&self) -> Vec<(String, Vec<f32>)> {
        let parameters = self.network.parameters.iter().map(|p| (p.name.clone(), p.value.to_vec()));
        let moments =
            self.network.parameters.iter().zip(self.optimizer.moments()).flat_map(|(p, moments)| {
                moments
                    .iter()
                    .enumerate()
                    .map(|(i, moment)| (format!("moment {i} of {}", p.name), moment.to_vec()))
            });
        let norms = self.network.norms.iter().flat_map(|norm| {
            let named = |what: &str, values: &[f32]| (format!("{} {what}", norm.name), values.to_vec());
            [named("mean", &norm.mean), named("variance", &norm.variance)]
        });
        parameters.chain(moments).chain(norms).collect()
    }

    fn bits(&self) -> Vec<u32> {
        self.learned().iter().flat_map(|(_, values)| values).map(|value| value.to_bits()).collect()
    }
}

/// The bytes that `work` copies.
fn copied(engine: &dyn Engine, work: impl FnOnce()) -> Traffic {
    let before = engine.traffic();
    work();
    let after = engine.traffic();
    Traffic { uploaded: after.uploaded - before.uploaded, downloaded: after.downloaded - before.downloaded }
}

fn bytes(floats: usize) -> u64 {
    4 * floats as u64
}

fn parameters(network: &Network) -> usize {
    network.parameters.iter().map(|parameter| parameter.value.len()).sum()
}

fn statistics(network: &Network) -> usize {
    network.norms.iter().map(|norm| norm.mean.len() + norm.variance.len()).sum()
}

#[test]
fn a_step_copies_images_and_outputs_only() {
    let engine = device();
    let network = resnet();
    let (images, outputs) = (bytes(BATCH * network.input.len()), bytes(BATCH * network.outputs()));
    let (weights, statistics) = (bytes(parameters(&network)), bytes(statistics(&network)));
    let mut training = Training::new(&network, Rule::ADAM, None);
    let upload = copied(&*engine, || training.state = engine.upload(&network).unwrap());
    assert_eq!(upload, Traffic { uploaded: weights + statistics, downloaded: 0 });
    let step = Traffic { uploaded: images + outputs, downloaded: outputs };
    let first = copied(&*engine, || training.step(0));
    assert_eq!(first, Traffic { uploaded: step.uploaded + 2 * weights, ..step }, "Adam's moments go up once");
    for number in 1..4 {
        assert_eq!(copied(&*engine, || training.step(number)), step, "step {number}");
    }
    training.clip_norm = Some(1.0);
    let norms = bytes(network.parameters.len());
    let clipped = copied(&*engine, || training.step(4));
    assert_eq!(clipped, Traffic { downloaded: outputs + norms, ..step }, "a number a parameter");

    let images_of_zeros = vec![0.0; BATCH * network.input.len()];
    let evaluate = || drop(training.state.as_ref().unwrap().evaluate(&network, &images_of_zeros, 0).unwrap());
    assert_eq!(copied(&*engine, evaluate), Traffic { uploaded: images, downloaded: outputs });
    let all = Traffic { uploaded: 0, downloaded: 3 * weights + statistics };
    assert_eq!(copied(&*engine, || training.download()), all);
    assert_eq!(copied(&*engine, || training.download()), Traffic::default(), "nothing has changed");
    training.step(5);
    assert_eq!(copied(&*engine, || training.download()), all);
}

#[test]
fn dropout_adds_its_masks() {
    let engine = device();
    let network = ready(mlp());
    let mut training = Training::new(&network, Rule::SGD, None).on(&*engine);
    let (images, outputs) = (bytes(BATCH * network.input.len()), bytes(BATCH * network.outputs()));
    let masks = bytes(BATCH * (48 + 48));
    let step = Traffic { uploaded: images + outputs + masks, downloaded: outputs };
    assert_eq!(copied(&*engine, || training.step(0)), step);
}

#[test]
fn of_a_frozen_backbone_nothing_comes_back() {
    let engine = device();
    let mut network = resnet();
    network.freeze_backbone();
    let mut training = Training::new(&network, Rule::ADAM, None).on(&*engine);
    training.step(0);
    let head: usize = network.parameters.iter().filter(|p| p.trainable).map(|p| p.value.len()).sum();
    assert!(head < parameters(&network) / 10);
    let back = copied(&*engine, || training.download());
    assert_eq!(back, Traffic { uploaded: 0, downloaded: bytes(3 * head) });
    let mut there = Training::new(&network, Rule::ADAM, None);
    there.step(0);
    compare(&training, &there, "frozen");
}

/// Everything that was learned must agree.
fn compare(ours: &Training, theirs: &Training, what: &str) {
    assert_eq!(ours.optimizer.step, theirs.optimizer.step);
    let batches =
        |training: &Training| training.network.norms.iter().map(|norm| norm.batches).collect::<Vec<_>>();
    assert_eq!(batches(ours), batches(theirs), "{what}");
    let (ours, theirs) = (ours.learned(), theirs.learned());
    // A moment of a bias before BatchNorm is nothing but rounding: a share of the largest moment is its measure.
    let largest = |prefix: &str| {
        let moments = theirs.iter().filter(|(name, _)| name.starts_with(prefix));
        moments.map(|(_, values)| length(values)).fold(0.0, f64::max)
    };
    let least = [1e-3 * largest("moment 0"), 1e-3 * largest("moment 1")];
    let distances = ours.iter().zip(&theirs).map(|((name, ours), (_, theirs))| {
        let scale = match name {
            name if name.starts_with("moment 0") => least[0],
            name if name.starts_with("moment 1") => least[1],
            _ => 0.0,
        };
        (apart(ours, theirs, scale), name)
    });
    let (worst, name) = distances.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    println!("{what}: {name} is {worst:.1e} apart");
    assert!(worst <= TOLERANCE, "{what}: {name} is {worst:.1e} apart");
}

fn length(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

/// Three steps there and here.
fn learns_the_same(network: &Network, rule: Rule, clip_norm: Option<f64>, what: &str) {
    let engine = device();
    let mut there = Training::new(network, rule, clip_norm).on(&*engine);
    let mut here = Training::new(network, rule, clip_norm);
    for number in 0..3 {
        there.step(number);
        here.step(number);
    }
    assert_eq!(
        there.network.parameters[0].value[..],
        network.parameters[0].value[..],
        "it came back unasked"
    );
    there.download();
    assert_ne!(here.network.parameters[0].value[..], network.parameters[0].value[..]);
    compare(&there, &here, what);
}

#[test]
fn every_rule_learns_what_it_learns_on_the_processor() {
    for rule in RULES.into_iter().chain([ADAMW]) {
        learns_the_same(&ready(mlp()), rule, None, &format!("{rule:?}"));
    }
}

#[test]
fn clipped_gradients_too() {
    for limit in [0.05, 1e6] {
        learns_the_same(&ready(mlp()), RULES[1], Some(limit), &format!("clipped to {limit}"));
    }
}

#[test]
fn a_resnet_learns_what_it_learns_on_the_processor() {
    learns_the_same(&resnet(), RULES[1], Some(1.0), "resnet20");
}

/// What resuming to the same bits rests on: a copy of a copy is the same.
#[test]
fn training_goes_on_from_what_came_back() {
    let engine = device();
    let start = ready(mlp());
    let mut whole = Training::new(&start, ADAMW, Some(0.5)).on(&*engine);
    (0..4).for_each(|number| whole.step(number));
    whole.download();
    let mut part = Training::new(&start, ADAMW, Some(0.5)).on(&*engine);
    (0..2).for_each(|number| part.step(number));
    part.download();
    let mut rest = part.on(&*device());
    (2..4).for_each(|number| rest.step(number));
    assert!(rest.bits() != whole.bits());
    rest.download();
    assert!(rest.bits() == whole.bits());
}

/// The same with ResNet-18's layers (7×7 convolution, max pooling, strides), which train on photographs.
#[test]
fn two_trainings_end_with_the_same_bits() {
    let engine = device();
    let network = ready(build("resnet18", Shape::image(32, 32, 3), 10).unwrap());
    let bits = || {
        let mut training = Training::new(&network, ADAMW, None).on(&*engine);
        (0..2).for_each(|number| training.step(number));
        training.download();
        training.bits()
    };
    assert!(bits() == bits());
}

#[test]
fn an_evaluation_sees_what_was_learned_on_the_device() {
    let engine = device();
    let network = resnet();
    let mut training = Training::new(&network, RULES[1], None).on(&*engine);
    (0..3).for_each(|number| training.step(number));
    let images = noise(BATCH * network.input.len(), 9);
    let ours = training.state.as_ref().unwrap().evaluate(&network, &images, 0).unwrap();
    training.download();
    let theirs = training.network.evaluate(&images);
    assert!(apart(&ours, &theirs, 0.0) < crate::FORWARD);
    assert!(apart(&ours, &network.evaluate(&images), 0.0) > 1e-2, "the weights of before");
}

#[test]
fn what_has_no_pass_before_it_is_an_error() {
    let engine = device();
    let network = ready(mlp());
    let mut optimizer = Optimizer::new(Rule::SGD, &network);
    let mut state = engine.upload(&network).unwrap().unwrap();
    let error = state.backward(&network, &[0.0; 10]).unwrap_err();
    assert!(error.to_string().contains("forward pass before"), "{error}");
    let error = state.update(&network, &mut optimizer, None, 0.1).unwrap_err();
    assert!(error.to_string().contains("backward pass before"), "{error}");
    assert_eq!(optimizer.step, 0);
}

#[test]
fn the_processor_has_no_other_memory() {
    assert!(Cpu.upload(&ready(mlp())).unwrap().is_none());
    assert_eq!(Cpu.traffic(), Traffic::default());
}
