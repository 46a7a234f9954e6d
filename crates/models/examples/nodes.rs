//! The time of a training step of a network, node by node: `nodes NAME [BATCH [SIZE]]`.

use std::time::{Duration, Instant};
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{DropoutKey, Network, Optimizer, Shape, build};

/// Steps that are measured, after one.
const STEPS: u32 = 5;

fn main() -> Result<(), wellfit_models::ModelError> {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "mobilenet_v3_large".to_owned());
    let mut number = |otherwise| words.next().and_then(|word| word.parse().ok()).unwrap_or(otherwise);
    let (batch, size) = (number(32), number(224));
    let mut network = build(&name, Shape::image(size, size, 3), 2)?;
    network.initialise(1);
    let images = vec![0.5; batch * network.input.len()];
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 2).collect();
    let mut optimizer = Optimizer::new(Rule::ADAM, &network);
    let mut least = vec![[Duration::MAX; 2]; network.nodes.len()];
    let (mut steps, mut passes) = (Vec::new(), Vec::new());
    for step in 0..=STEPS {
        let start = Instant::now();
        let found = one(&mut network, &mut optimizer, &images, &labels, step)?;
        steps.push(start.elapsed());
        for (least, found) in least.iter_mut().zip(found) {
            *least = [least[0].min(found[0]), least[1].min(found[1])];
        }
    }
    for _ in 0..=STEPS {
        let start = Instant::now();
        let outputs = network.evaluate(&images);
        passes.push(start.elapsed());
        assert_eq!(outputs.len(), 2 * batch);
    }
    // The first warms up.
    let median = |times: &mut [Duration]| {
        times[1..].sort();
        times[times.len().div_ceil(2)]
    };
    let (step, pass) = (median(&mut steps), median(&mut passes));
    println!("{name}: a step {step:?}, evaluation {pass:?}; medians of {STEPS}. The least of each node:");
    for (node, [forward, backward]) in network.nodes.iter().zip(least) {
        let ms = |time: Duration| 1e3 * time.as_secs_f64();
        let megabytes = 4e-6 * (batch * node.shape.len()) as f64;
        println!(
            "{:>8.2} {:>8.2} ms {megabytes:>7.1} MB {:40} {}",
            ms(forward),
            ms(backward),
            node.name,
            node.shape
        );
    }
    Ok(())
}

/// Forward and backward time of each node.
fn one(
    network: &mut Network,
    optimizer: &mut Optimizer,
    images: &[f32],
    labels: &[u32],
    step: u32,
) -> Result<Vec<[Duration; 2]>, wellfit_models::ModelError> {
    let mut times = vec![[Duration::ZERO; 2]; network.nodes.len()];
    let names: Vec<String> = network.nodes.iter().map(|node| node.name.clone()).collect();
    let place = |name: &str| names.iter().position(|other| other == name).unwrap_or_default();
    let mut last = Instant::now();
    let mut lap = |times: &mut Vec<[Duration; 2]>, node: &str, pass: usize| {
        times[place(node)][pass] += last.elapsed();
        last = Instant::now();
    };
    let tape = network.forward_watched(images, DropoutKey { seed: 0, step, row: 0 }, &mut |node| {
        lap(&mut times, &node.name, 0);
    })?;
    let loss = CrossEntropy::default().loss(tape.outputs(), labels, 2);
    let gradients = network.backward_watched(tape, loss.gradient, &mut |node| lap(&mut times, &node.name, 1));
    optimizer.update(network, &gradients, 1e-3);
    Ok(times)
}
