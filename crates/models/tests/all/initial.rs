//! Initial weights have the moments and bounds of torch's and torchvision's formulas.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::common::table;
use wellfit_models::graph::Builder;
use wellfit_models::ops::GroupedConv;
use wellfit_models::{Network, Shape, build};

/// A normal statistic is beyond it with a chance of 2e-9. About 1,000 are judged here.
const DEVIATIONS: f64 = 6.0;

fn made(name: &str) -> Network {
    let mut network = build(name, Shape::image(28, 28, 3), 1000).unwrap();
    network.initialise(1);
    network
}

/// A layer that no architecture above has.
fn grouped() -> Network {
    let mut net = Builder::new("grouped", Shape::image(28, 28, 32));
    net.op("conv", GroupedConv { channels: 64, groups: 8, kernel: 3, stride: 1, padding: 1 }, &[0]);
    let mut network = net.finish();
    network.initialise(1);
    network
}

/// Mean, variance and kurtosis.
fn moments(x: &[f32]) -> [f64; 3] {
    let n = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let (mut second, mut fourth) = (0.0, 0.0);
    for &x in x {
        let square = (f64::from(x) - mean).powi(2);
        second += square;
        fourth += square * square;
    }
    [mean, second / n, fourth * n / second.powi(2)]
}

/// Standard errors of mean, variance and kurtosis for n draws, in units of deviation, variance and 1. The variance
/// of a sample's variance is (kurtosis − 1)/n; that of its kurtosis 24/n (normal) or 0.457/n (uniform).
fn judge(name: &str, x: &[f32], variance: f64, kurtosis: f64, kurtosis_error: f64) -> f64 {
    let (n, [mean, found, fourth]) = (x.len() as f64, moments(x));
    let off = [
        mean.abs() / (variance / n).sqrt(),
        (found / variance - 1.0).abs() / ((kurtosis - 1.0) / n).sqrt(),
        // Its distribution has a long tail when there are few.
        if n < 1000.0 { 0.0 } else { (fourth - kurtosis).abs() / (kurtosis_error / n).sqrt() },
    ];
    let worst = off.into_iter().fold(0.0, f64::max);
    assert!(worst < DEVIATIONS, "{name}: {off:?} standard errors of mean, variance, kurtosis");
    worst
}

/// `kaiming_normal_(mode="fan_out", nonlinearity="relu")`: N(0, 2/fan_out).
fn kaiming_normal(name: &str, x: &[f32], fan_out: usize) -> f64 {
    judge(name, x, 2.0 / fan_out as f64, 3.0, 24.0)
}

/// `kaiming_uniform_(a=√5)` and the bias beside it: U(±1/√fan_in), filling its interval.
fn default_uniform(name: &str, x: &[f32], fan_in: usize) -> f64 {
    let bound = 1.0 / (fan_in as f64).sqrt();
    let largest = x.iter().fold(0.0_f64, |m, &w| m.max(f64::from(w).abs()));
    // All of n below (1 − 20/n)·bound: chance e⁻²⁰.
    let least = bound * (1.0 - 20.0 / x.len() as f64);
    assert!(largest <= bound * (1.0 + 1e-7) && largest > least, "{name}: up to {largest} of {bound}");
    judge(name, x, bound * bound / 3.0, 1.8, 0.457)
}

/// torchvision's own for the classifiers of mobile networks: N(0, 0.01²), or U(±1/√classes).
fn classifier(network: &str, name: &str, x: &[f32], outputs: usize) -> f64 {
    if network.starts_with("mobilenet") {
        judge(name, x, 1e-4, 3.0, 24.0)
    } else {
        default_uniform(name, x, outputs)
    }
}

/// Every tensor of these models; the deeper ResNets have no other kind.
#[test]
fn initial_weights_have_torchs_moments_and_bounds() {
    let (mut tensors, mut worst) = (0, 0.0_f64);
    let networks =
        ["mlp", "mlp-bn", "resnet20", "resnet18", "resnet50", "mobilenet_v3_large", "efficientnet_b0"];
    let networks = networks.map(made);
    for network in networks.into_iter().chain([grouped()]) {
        let mut fan_in = 0;
        for parameter in &network.parameters {
            let name = format!("{} {}", network.name, parameter.name);
            let off = match parameter.shape[..] {
                [out, _, kernel, _] => kaiming_normal(&name, &parameter.value, out * kernel * kernel),
                [out, _] if parameter.name.starts_with("classifier") && !network.name.starts_with("mlp") => {
                    classifier(&network.name, &name, &parameter.value, out)
                }
                [_, inputs] => {
                    fan_in = inputs;
                    default_uniform(&name, &parameter.value, inputs)
                }
                _ if network
                    .norms
                    .iter()
                    .any(|norm| parameter.name.starts_with(&format!("{}.", norm.name))) =>
                {
                    let value = if parameter.name.ends_with("weight") { 1.0 } else { 0.0 };
                    assert!(parameter.value.iter().all(|&w| w == value), "{name}");
                    0.0
                }
                _ if network.name.starts_with("mobilenet") || network.name.starts_with("efficientnet") => {
                    assert!(parameter.value.iter().all(|&b| b == 0.0), "{name}");
                    0.0
                }
                _ => default_uniform(&name, &parameter.value, fan_in),
            };
            worst = worst.max(off);
            tensors += 1;
        }
        for norm in &network.norms {
            assert!(norm.mean.iter().all(|&m| m == 0.0) && norm.variance.iter().all(|&v| v == 1.0));
            assert_eq!(norm.batches, 0);
        }
    }
    let counts = format!("{tensors} tensors, moments and bounds");
    table::row("Initial weights", &["torch", "torchvision"], &counts, "6 standard errors", worst);
}

/// Networks that differ in BatchNorm only start from the same linear weights; another seed gives others.
#[test]
fn twins_start_alike() {
    let (plain, normed) = (made("mlp"), made("mlp-bn"));
    assert_eq!(plain.parameters[2].value[..], normed.parameters[4].value[..]);
    let mut other = made("mlp");
    other.initialise(2);
    assert!(plain.parameters[0].value.iter().zip(&other.parameters[0].value[..]).all(|(a, b)| a != b));
}

/// A head in place of another begins as torch's `nn.Linear` does, whatever the architecture's own begins as; where that is
/// the same, so are the numbers. Nothing else changes.
#[test]
fn a_new_head_begins_as_a_linear_layer_of_torch() {
    for name in
        ["mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_lite0", "resnet18"]
    {
        let (before, mut network) = (made(name), made(name));
        network.initialise_head(1);
        let (head, count) = (network.head(), network.parameters.len());
        let own = !["mobilenet", "efficientnet_b0"].iter().any(|begin| name.starts_with(begin));
        for (old, new) in before.parameters.iter().zip(&network.parameters) {
            let same = !new.name.starts_with(&head) || own;
            assert_eq!(old.value == new.value, same, "{name} {}", new.name);
        }
        let [weight, bias] = &network.parameters[count - 2..] else { panic!("a weight and a bias") };
        default_uniform(name, &weight.value, weight.shape[1]);
        default_uniform(name, &bias.value, weight.shape[1]);
        assert!(weight.value[..1000] != bias.value[..], "{name}: numbers of their own");
    }
}
