//! Averages of weights against torch's `AveragedModel`, after 1 to 40 updates (`parity/averages.py`).

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::common::{Comparison, values};
use serde_json::Value;
use wellfit_models::graph::Builder;
use wellfit_models::{AveragedWeights, Network, Shape, Weighting};

/// Of a tensor's largest value: some 16 roundings to f32. The reference is torch in float64.
const TOLERANCE: f64 = 1e-6;
const WEIGHT: u32 = 2_000;
const STEPS: u32 = 40;

/// The generator's network: convolution, BatchNorm, a head.
fn network() -> Network {
    let mut net = Builder::new("small", Shape::image(2, 2, 2));
    let value = net.conv("conv", 0, 3, 3, 1, 1);
    let value = net.batch_norm("bn", value);
    net.linear("fc", value, 4);
    net.finish()
}

/// The values of a step, in the order of torch's state dict.
fn draw(network: &mut Network, step: u32) {
    let of = |place: u32, len: usize| values(len, WEIGHT + 10 * step + place, 2.0, 0.5);
    for (name, place) in
        [("conv.weight", 0), ("bn.weight", 1), ("bn.bias", 2), ("fc.weight", 5), ("fc.bias", 6)]
    {
        let parameter = network.parameters.iter_mut().find(|p| p.name == name).unwrap();
        parameter.set_from_torch(&of(place, parameter.count()));
    }
    let norm = &mut network.norms[0];
    (norm.mean, norm.variance, norm.batches) = (of(3, 3), of(4, 3), step.into());
}

fn weighting(case: &Value) -> Weighting {
    match case["decay"].as_f64() {
        None => Weighting::Equal,
        Some(decay) => Weighting::Exponential { decay },
    }
}

fn follow(number: usize, case: &Value, comparison: &mut Comparison<'_>) {
    let mut network = network();
    draw(&mut network, 0);
    let mut average = AveragedWeights::of(&network);
    for step in 1..=STEPS {
        draw(&mut network, step);
        average.take(&network, weighting(case));
        if matches!(step, 1 | 2 | 3 | 10 | 40) {
            average.exchange(&mut network);
            for parameter in &network.parameters {
                let name = format!("{number}/{step}/{}", parameter.name);
                comparison.equal(&name, &parameter.to_torch(&parameter.value));
            }
            let norm = &network.norms[0];
            comparison.equal(&format!("{number}/{step}/bn.running_mean"), &norm.mean);
            comparison.equal(&format!("{number}/{step}/bn.running_var"), &norm.variance);
            assert_eq!(norm.batches, i64::from(step), "the count of batches is the network's own");
            average.exchange(&mut network);
        }
    }
}

#[test]
fn averages_of_weights() {
    crate::common::area("averages.safetensors", ("AveragedModel", "averages"), TOLERANCE, follow);
}

#[test]
fn frozen_layers_have_no_copy_and_stay_as_they_are() {
    let mut network = network();
    draw(&mut network, 0);
    network.freeze_backbone();
    let mut average = AveragedWeights::of(&network);
    let before = network.clone();
    draw(&mut network, 1);
    average.take(&network, Weighting::Equal);
    average.exchange(&mut network);
    // What was frozen is what the network has, whatever it has: the average knows nothing of it.
    let mut drawn = before;
    draw(&mut drawn, 1);
    for (averaged, drawn) in network.parameters.iter().zip(&drawn.parameters) {
        assert_eq!(averaged.value, drawn.value, "{}", drawn.name);
    }
    assert_eq!(network.norms[0].mean, drawn.norms[0].mean);
    let head = average.taken();
    assert_eq!(head, 1);
}
