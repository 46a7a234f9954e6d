//! Optimisers and gradient clipping against torch: parameters after 1, 2 and 10 steps (`parity/optimizers.py`).

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::common::{Comparison, in_our_layout, values};
use serde_json::Value;
use wellfit_kernels::Buffer;
use wellfit_kernels::optim::Rule;
use wellfit_models::graph::Builder;
use wellfit_models::{Gradients, Network, Optimizer, Shape};

/// Of a tensor's largest value: some 16 roundings to f32. The reference is torch in float64.
const TOLERANCE: f64 = 1e-6;
const WEIGHT: u32 = 1;
const GRADIENT: u32 = 1_000;
const STEPS: u32 = 10;

/// The generator's parameters: `[3, 2, 3, 3]`, `[4, 12]`, `[4]`.
fn network() -> Network {
    let mut net = Builder::new("small", Shape::image(2, 2, 2));
    let value = net.conv("conv", 0, 3, 3, 1, 1);
    net.linear("fc", value, 4);
    let mut network = net.finish();
    for (salt, parameter) in (WEIGHT..).zip(&mut network.parameters) {
        parameter.set_from_torch(&values(parameter.value.len(), salt, 1.0, 0.0));
    }
    network
}

fn gradients(network: &Network, case: &Value, step: u32) -> Gradients {
    let size = case["size"].as_f64().unwrap();
    let one = |(place, parameter): (u32, &wellfit_models::Parameter)| {
        let salt = GRADIENT + 10 * step + place;
        let drawn = values(parameter.value.len(), salt, size * 4.0_f64.powi(place as i32), 0.0);
        Some(Buffer::from_slice(&in_our_layout(parameter, &drawn)))
    };
    Gradients((0..).zip(&network.parameters).map(one).collect())
}

fn rule(case: &Value) -> Rule {
    let option = |key: &str| case["options"][key].as_f64();
    let mut rule = match case["rule"].as_str().unwrap() {
        "SGD" => Rule::SGD,
        "Adam" => Rule::ADAM,
        _ => Rule::ADAMW,
    };
    match &mut rule {
        Rule::Sgd { momentum, dampening, nesterov, weight_decay } => {
            *momentum = option("momentum").unwrap_or(*momentum);
            *dampening = option("dampening").unwrap_or(*dampening);
            *nesterov = case["options"]["nesterov"].as_bool().unwrap_or(*nesterov);
            *weight_decay = option("weight_decay").unwrap_or(*weight_decay);
        }
        Rule::Adam { betas, eps, weight_decay, .. } => {
            if let Some([first, second]) = case["options"]["betas"].as_array().map(Vec::as_slice) {
                *betas = (first.as_f64().unwrap(), second.as_f64().unwrap());
            }
            *eps = option("eps").unwrap_or(*eps);
            *weight_decay = option("weight_decay").unwrap_or(*weight_decay);
        }
    }
    rule
}

fn follow(number: usize, case: &Value, comparison: &mut Comparison<'_>) {
    let mut network = network();
    let mut optimizer = Optimizer::new(rule(case), &network);
    for step in 0..STEPS {
        let mut gradients = gradients(&network, case, step);
        if let Some(limit) = case["clip"].as_f64() {
            let norm = gradients.clip(limit);
            if step == 0 {
                comparison.equal(&format!("{number}/norm"), &[norm as f32]);
                for (parameter, gradient) in network.parameters.iter().zip(&gradients.0) {
                    let gradient = parameter.to_torch(gradient.as_ref().unwrap());
                    comparison.equal(&format!("{number}/clipped/{}", parameter.name), &gradient);
                }
            }
        }
        let lr = case["lr"].as_f64().unwrap() * if step < 5 { 1.0 } else { 0.5 };
        optimizer.update(&mut network, &gradients, lr);
        if matches!(step + 1, 1 | 2 | 10) {
            for parameter in &network.parameters {
                let name = format!("{number}/{}/{}", step + 1, parameter.name);
                comparison.equal(&name, &parameter.to_torch(&parameter.value));
            }
        }
    }
}

fn area(name: &str) {
    crate::common::area("optimizers.safetensors", (name, "option sets"), TOLERANCE, follow);
}

#[test]
fn sgd() {
    area("SGD");
}

#[test]
fn adam() {
    area("Adam");
}

#[test]
fn adamw() {
    area("AdamW");
}

#[test]
fn clipping_by_global_norm() {
    area("clip_grad_norm_");
}
