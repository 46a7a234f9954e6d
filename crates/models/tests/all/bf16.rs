//! Passes in bf16 beside the same in f32.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use wellfit_models::{DropoutKey, Gradients, Network, Precision, Shape, build};
use wellfit_rng::{Rng, Stream};

const KEY: DropoutKey = DropoutKey { seed: 1, step: 1, row: 0 };

fn noise(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(11, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

fn made(name: &str, size: usize, channels: usize) -> Network {
    let mut network = build(name, Shape::image(size, size, channels), 5).unwrap();
    network.initialise(3);
    network
}

/// The distance of `b` from `a` as a share of the size of `a`.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
    };
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut a.iter().copied())
}

/// Outputs and gradients of a training pass.
fn pass(network: &mut Network, images: &[f32]) -> (Vec<f32>, Gradients) {
    let tape = network.forward(images, KEY).unwrap();
    let outputs = tape.outputs().to_vec();
    let slopes = noise(outputs.len(), 9);
    let mut upstream = wellfit_kernels::Buffer::zeroed(slopes.len());
    upstream.copy_from_slice(&slopes);
    let gradients = network.backward(tape, upstream);
    (outputs, gradients)
}

/// A value that is stored errs by 2⁻⁹ of itself at most. In a deep network that adds up to some per cent of the outputs,
/// and where it turns a ReLU on or off, to a third of the first layers' gradients, so it does in torch's autocast
/// (docs/bf16.md has the figures). The distances must be of that size, and not zero; a tensor that was computed
/// from something else would be off by more than its own size.
#[test]
fn a_pass_in_bf16_is_near_that_in_f32() {
    for (name, size, channels) in [("resnet20", 28, 1), ("resnet18", 64, 3), ("mlp", 28, 1)] {
        let mut exact = made(name, size, channels);
        let mut rounded = exact.clone();
        rounded.precision = Precision::Bf16;
        let images = noise(exact.input.len() * 16, 2);
        let evaluated = distance(&exact.evaluate(&images), &rounded.evaluate(&images));
        assert!((1e-4..0.05).contains(&evaluated), "{name} evaluated: {evaluated}");
        let ((outputs, gradients), (other, others)) =
            (pass(&mut exact, &images), pass(&mut rounded, &images));
        // Outputs are not stored as bf16.
        assert!(other.iter().any(|y| y.to_bits() & 0xffff != 0), "{name}: outputs of 8 bits");
        let trained = distance(&outputs, &other);
        assert!((1e-4..0.05).contains(&trained), "{name} trained: {trained}");
        let mut all = Vec::new();
        for ((parameter, a), b) in exact.parameters.iter().zip(&gradients.0).zip(&others.0) {
            let off = distance(a.as_ref().unwrap(), b.as_ref().unwrap());
            assert!((1e-5..0.6).contains(&off), "{name}: gradient of {} is off by {off}", parameter.name);
            all.push(off);
        }
        if std::env::var_os("WELLFIT_PARITY_TABLE").is_some() {
            all.sort_by(f64::total_cmp);
            let (median, most) = (all[all.len() / 2], all[all.len() - 1]);
            println!("{name}: outputs {trained:.3}, gradients {median:.3} ({most:.3} at most)");
        }
        for (a, b) in exact.norms.iter().zip(&rounded.norms) {
            let off = distance(&a.variance, &b.variance);
            assert!(off < 0.01, "{name}: running variance of {} is off by {off}", a.name);
        }
    }
}

/// Values and their gradients take half the memory; the weights' gradients stay as large.
#[test]
fn a_pass_in_bf16_is_planned_with_half_the_memory() {
    let mut network = made("resnet50", 224, 3);
    let exact = network.step_bytes(32);
    network.precision = Precision::Bf16;
    let (rounded, weights) = (network.step_bytes(32), 4 * network.parameter_count() as u64);
    assert!(rounded < exact / 2 + weights, "{rounded} of {exact}");
    assert!(rounded > exact / 2, "{rounded} of {exact}: masks and weights' gradients are no smaller");
}

/// Frozen layers' features go through f32 and back without a change.
#[test]
fn features_in_bf16_are_kept_exactly() {
    let mut network = made("resnet18", 48, 3);
    network.precision = Precision::Bf16;
    network.freeze_backbone();
    let (images, cut) = (noise(network.input.len() * 3, 2), network.frozen_prefix());
    let features = network.features(&images, cut);
    assert_eq!(*network.evaluate_from(&features, cut), *network.evaluate(&images));
}
