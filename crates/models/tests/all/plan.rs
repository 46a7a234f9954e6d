//! Which operations run together, and that running together changes nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use wellfit_models::graph::Builder;
use wellfit_models::ops::{Add, Op};
use wellfit_models::plan::{Mode, Plan, Precision, Request};
use wellfit_models::{DropoutKey, Network, Shape, build};
use wellfit_rng::{Rng, Stream};

const KEY: DropoutKey = DropoutKey { seed: 1, step: 1, row: 0 };

fn plan(network: &Network, mode: Mode, batch: usize) -> Plan {
    let nodes = 0..network.output();
    Plan::new(network, &Request { mode, batch, nodes, precision: Precision::F32 })
}

fn noise(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(7, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// Two branches that are normalised and added, as in a block that changes the shape; `read_twice` lets somebody else
/// read the first convolution as well.
fn branches(read_twice: bool) -> Network {
    let mut net = Builder::new("branches", Shape::image(6, 5, 3));
    let a = net.conv("a", 0, 8, 3, 1, 1);
    let b = net.conv("b", 0, 8, 1, 1, 0);
    let normal_b = net.batch_norm("bn_b", b);
    let normal_a = net.batch_norm("bn_a", a);
    let sum = net.add("sum", normal_a, normal_b);
    let mut value = net.relu("relu", sum);
    if read_twice {
        value = net.add("again", value, a);
    }
    let pooled = net.global_average_pool("pool", value);
    net.linear("fc", pooled, 4);
    let mut network = net.finish();
    network.initialise(3);
    network
}

#[test]
fn a_block_is_two_steps_and_the_later_normalisation_takes_the_sum() {
    let network = branches(false);
    let plan = plan(&network, Mode::Training, 2);
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (network.nodes[s.node].name.as_str(), s.product, s.residual, s.relu))
        .collect();
    assert_eq!(
        steps,
        [
            ("bn_b", Some(1), None, false),
            ("bn_a", Some(0), Some(3), true),
            ("pool", None, None, false),
            ("fc", None, None, false),
        ]
    );
    assert!(plan.steps.iter().all(|step| !step.folded), "in training the sums are needed on the way back");
    let evaluated = self::plan(&network, Mode::Evaluation, 2);
    assert_eq!(evaluated.steps.iter().filter(|step| step.folded).count(), 2);
}

#[test]
fn what_is_read_elsewhere_is_written() {
    let network = branches(true);
    let plan = plan(&network, Mode::Evaluation, 2);
    let first = plan.steps.iter().find(|step| network.nodes[step.node].name == "bn_a").unwrap();
    assert_eq!(first.product, None, "the sum reads the convolution as well");
    let alone = plan.steps.iter().filter(|step| network.nodes[step.node].op == Op::Add(Add)).count();
    assert_eq!(alone, 1, "the second sum has no normalisation before it");
}

/// Every node by itself in evaluation, by way of a copy in which each value is read twice, so that nothing is fused.
#[test]
fn running_together_computes_the_same() {
    for name in ["resnet20", "mlp-bn"] {
        let mut network = build(name, Shape::image(12, 12, 3), 5).unwrap();
        network.initialise(2);
        for (place, norm) in network.norms.iter_mut().enumerate() {
            norm.mean = noise(norm.mean.len(), place as u32).iter().map(|m| 0.1 * m).collect();
            norm.variance =
                noise(norm.variance.len(), 100 + place as u32).iter().map(|v| 1.0 + v * v).collect();
        }
        let fused = plan(&network, Mode::Evaluation, 3).steps.len();
        let images = noise(3 * network.input.len(), 50);
        let expected = network.evaluate(&images);
        // A second reader of every value, whose output nobody reads.
        let mut apart = network.clone();
        let last = apart.nodes.len();
        let head = apart.nodes.pop().unwrap();
        for value in 1..last {
            let mut reader = apart.nodes[0].clone();
            (reader.op, reader.inputs, reader.norm) = (Op::Add(Add), vec![value, value], None);
            (reader.parameters, reader.shape) = (Vec::new(), apart.shape(value));
            apart.nodes.push(reader);
        }
        apart.nodes.push(head);
        assert!(plan(&apart, Mode::Evaluation, 3).steps.len() > 2 * fused);
        for (a, b) in apart.evaluate(&images).iter().zip(&expected[..]) {
            // Folding rounds scale and shift once more: some ten roundings of numbers near 1.
            assert!((a - b).abs() < 1e-5, "{name}: {a} and {b}");
        }
    }
}

/// Central differences of Σ outputs² / 2 in f32; 1e-2 of a gradient is their own accuracy.
#[test]
fn gradients_pass_a_sum_that_runs_by_itself() {
    let mut net = Builder::new("sum", Shape::features(4));
    let a = net.linear("a", 0, 5);
    let b = net.linear("b", 0, 5);
    let sum = net.add("sum", a, b);
    let twice = net.add("twice", sum, sum);
    net.linear("fc", twice, 3);
    let mut network = net.finish();
    network.initialise(1);
    let x = noise(8, 9);
    let loss = |network: &mut Network| -> f64 {
        let tape = network.forward(&x, KEY).unwrap();
        tape.outputs().iter().map(|y| f64::from(*y) * f64::from(*y) / 2.0).sum()
    };
    let tape = network.forward(&x, KEY).unwrap();
    let outputs = wellfit_kernels::Buffer::from_slice(tape.outputs());
    let gradients = network.backward(tape, outputs).0;
    for (place, gradient) in gradients.iter().enumerate() {
        for weight in 0..network.parameters[place].value.len().min(6) {
            let before = network.parameters[place].value[weight];
            let mut at = |by: f32| {
                network.parameters[place].value[weight] = before + by;
                loss(&mut network)
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            network.parameters[place].value[weight] = before;
            let found = f64::from(gradient.as_deref().unwrap()[weight]);
            assert!((slope - found).abs() < 1e-2 * found.abs().max(1.0), "{slope} and {found}");
        }
    }
}

/// Twice the batch is twice the values and gradients; the parameters' gradients stay.
#[test]
fn the_peak_grows_with_the_batch_and_shrinks_in_evaluation() {
    let network = build("resnet20", Shape::image(28, 28, 1), 10).unwrap();
    let [one, two] = [8, 16].map(|batch| plan(&network, Mode::Training, batch).peak_bytes());
    assert!(two > one && two <= 2 * one, "{one} and {two}");
    let evaluated = plan(&network, Mode::Evaluation, 8).peak_bytes();
    // Two values of the first stage and its input.
    let value = 4 * 8 * 28 * 28 * 16;
    assert!((2 * value..4 * value).contains(&evaluated), "{evaluated} bytes for values of {value}");
    assert!(one > 15 * value, "a training step keeps the values of every layer: {one}");
}

#[test]
fn a_plan_is_made_once_until_something_is_frozen() {
    let mut network = build("resnet20", Shape::image(8, 8, 1), 3).unwrap();
    let request =
        Request { mode: Mode::Training, batch: 4, nodes: 0..network.output(), precision: Precision::F32 };
    let first = network.plan(&request);
    assert!(std::sync::Arc::ptr_eq(&first, &network.plan(&request)));
    network.freeze_backbone();
    let frozen = network.plan(&request);
    assert!(!std::sync::Arc::ptr_eq(&first, &frozen));
    assert!(frozen.peak_bytes() < first.peak_bytes());
}
