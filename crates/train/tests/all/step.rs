//! The training step, alone and in lockstep.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::material::{images, loader};
use wellfit_kernels::loss::{CrossEntropy, Loss};
use wellfit_kernels::optim::Rule;
use wellfit_models::{DropoutKey, Network, Optimizer, Shape, build, mlp};
use wellfit_train::{Direction, MeanSquaredError, StepObserver, StepPart, TrainError, Trainer, lockstep};

fn classifier(name: &str) -> Trainer<CrossEntropy> {
    let mut network = build(name, Shape::image(4, 4, 1), 2).unwrap();
    network.initialise(3);
    Trainer::new(network, Rule::ADAM, CrossEntropy::default(), 3)
}

fn regressor(dropout: Option<f32>) -> Trainer<MeanSquaredError> {
    let mut network = mlp::regressor(16, dropout);
    network.initialise(1);
    Trainer::new(network, Rule::ADAM, MeanSquaredError, 1)
}

fn points() -> (Vec<f32>, Vec<f32>) {
    let x: Vec<f32> = (0..20).map(|i| i as f32 / 10.0 - 1.0).collect();
    let y = x.iter().map(|x| 0.5 * x + 0.1).collect();
    (x, y)
}

fn bits(network: &Network) -> Vec<u32> {
    network.parameters.iter().flat_map(|p| p.value.iter().map(|w| w.to_bits())).collect()
}

/// The parts of a step put together by hand.
#[test]
fn a_step_is_forward_loss_backward_clipping_update() {
    let (x, y) = points();
    let mut trainer = Trainer { clip_norm: Some(0.01), ..regressor(Some(0.3)) };
    let (mut network, mut optimizer) =
        (trainer.network.clone(), Optimizer::new(Rule::ADAM, &trainer.network));
    for step in 1..=3 {
        let outcome = trainer.step(&x, &y, 0.02).unwrap();
        let tape = network.forward(&x, DropoutKey { seed: 1, step, row: 0 }).unwrap();
        let loss = wellfit_kernels::loss::mean_squared_error(tape.outputs(), &y);
        assert_eq!((outcome.loss, outcome.updated), (loss.value, true));
        let mut gradients = network.backward(tape, loss.gradient);
        assert!(gradients.clip(0.01) > 0.01, "clipping must do something");
        optimizer.update(&mut network, &gradients, 0.02);
        assert_eq!(bits(&trainer.network), bits(&network), "step {step}");
    }
}

#[test]
fn nothing_is_learned_from_a_loss_that_is_no_number() {
    let (x, mut y) = points();
    let mut trainer = regressor(None);
    let before = bits(&trainer.network);
    y[3] = f32::NAN;
    let outcome = trainer.step(&x, &y, 0.1).unwrap();
    assert!(outcome.loss.is_nan() && !outcome.updated);
    assert_eq!((bits(&trainer.network), trainer.optimizer.step), (before, 0));
}

#[derive(Default)]
struct Witness {
    parts: Vec<StepPart>,
    scored: Vec<(usize, f64)>,
}

impl StepObserver for Witness {
    fn layers(&self) -> bool {
        true
    }
    fn done(&mut self, part: StepPart) {
        self.parts.push(part);
    }
    fn scored(&mut self, outputs: &[f32], loss: &Loss) {
        self.scored.push((outputs.len(), loss.value));
    }
}

#[test]
fn an_observer_sees_every_part_and_changes_nothing() {
    let (x, y) = points();
    let (mut watched, mut alone) = (regressor(None), regressor(None));
    let mut witness = Witness::default();
    let outcome = watched.step_from((&x, 0), &y, 0.1, &mut witness).unwrap();
    assert_eq!(alone.step(&x, &y, 0.1).unwrap(), outcome);
    assert_eq!(bits(&watched.network), bits(&alone.network));
    assert_eq!(witness.scored, [(20, outcome.loss)]);
    let layers = |direction| {
        let of = |part: &&StepPart| matches!(part, StepPart::Layer(_, way) if *way == direction);
        witness.parts.iter().filter(of).count()
    };
    let nodes = watched.network.nodes.len();
    assert_eq!((layers(Direction::Forward), layers(Direction::Backward)), (nodes, nodes));
    let whole: Vec<StepPart> =
        witness.parts.iter().copied().filter(|part| !matches!(part, StepPart::Layer(..))).collect();
    assert_eq!(whole, [StepPart::Loss, StepPart::Gradients, StepPart::Update]);
}

/// Trainers side by side end with the bits they would have alone.
#[test]
fn in_lockstep_each_learns_as_if_alone() {
    let data = loader(images(50, 0), 16, true);
    let names = ["mlp", "mlp-bn", "mlp"];
    let mut together: Vec<_> = names.map(classifier).into();
    let mut losses = vec![Vec::new(); names.len()];
    for epoch in 0..2 {
        lockstep::epoch(&mut together, data.epoch(epoch), 0.01, |outcomes| {
            losses.iter_mut().zip(outcomes).for_each(|(losses, outcome)| losses.push(outcome.loss));
            Ok::<(), TrainError>(())
        })
        .unwrap();
    }
    for ((name, found), losses) in names.into_iter().zip(&together).zip(&losses) {
        let mut alone = classifier(name);
        let batches = (0..2).flat_map(|epoch| data.epoch(epoch)).map(Result::unwrap);
        let expected: Vec<f64> =
            batches.map(|batch| alone.step(&batch.images, &batch.labels, 0.01).unwrap().loss).collect();
        assert_eq!((losses, bits(&found.network)), (&expected, bits(&alone.network)), "{name}");
    }
}

#[test]
fn steps_on_the_same_batch_are_counted_for_each() {
    let (x, y) = points();
    let mut together = [regressor(None), regressor(Some(0.3))];
    let found = lockstep::steps(&mut together, 5, &x, &y, 0.01).unwrap();
    for (found, dropout) in found.iter().zip([None, Some(0.3)]) {
        let mut alone = regressor(dropout);
        let expected: Vec<_> = (0..5).map(|_| alone.step(&x, &y, 0.01).unwrap()).collect();
        assert_eq!(found, &expected);
    }
    assert_ne!(found[0], found[1]);
    assert_eq!(lockstep::at_once(&mut [1, 2, 3, 4, 5], &|x: &mut i32| *x * 10), [10, 20, 30, 40, 50]);
}

#[test]
fn an_epoch_in_lockstep_ends_with_the_first_error() {
    let data = loader(images(50, 0), 16, true);
    let mut trainers = [classifier("mlp"), classifier("mlp-bn")];
    let mut batches = 0;
    let ended = lockstep::epoch(&mut trainers, data.epoch(0), 0.01, |outcomes| {
        assert_eq!(outcomes.len(), 2);
        batches += 1;
        if batches < 2 { Ok(()) } else { Err(TrainError::Interrupted { reason: "enough".into() }) }
    });
    assert!(matches!(ended, Err(TrainError::Interrupted { .. })));
    assert_eq!((batches, trainers[0].optimizer.step), (2, 2));
}
