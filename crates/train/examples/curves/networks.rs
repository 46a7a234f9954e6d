//! The networks, small ones.

use crate::conditions::Condition;
use wellfit_models::build;
use wellfit_models::graph::{Builder, Network, Shape};

/// Hidden layers of `deep`.
const DEEP: usize = 20;

/// The network of a training, initialised by its seed, with what the condition does to its weights.
pub fn network(condition: &Condition, input: Shape, classes: usize) -> Network {
    let mut network = match condition.net {
        "cnn" => cnn(input, classes),
        "deep" => deep(input, classes, false),
        "deep-bn" => deep(input, classes, true),
        name => build(name, input, classes).unwrap(),
    };
    network.initialise(u64::from(condition.seed));
    let head = network.head();
    for parameter in &mut network.parameters {
        let is_head = parameter.name.starts_with(&head);
        parameter.trainable &= is_head || !condition.freeze;
        if parameter.name.ends_with(".weight") && !is_head {
            parameter.value.iter_mut().for_each(|value| *value *= condition.scale_weights);
        }
        if parameter.name.ends_with(".bias") && !is_head {
            parameter.value.iter_mut().for_each(|value| *value += condition.shift_biases);
        }
    }
    network
}

/// Two convolutions with pooling, a hidden layer; no normalisation.
fn cnn(input: Shape, classes: usize) -> Network {
    let mut net = Builder::new("cnn", input);
    let mut value = 0;
    for (name, channels) in [("conv1", 16), ("conv2", 32)] {
        value = net.conv(name, value, channels, 3, 1, 1);
        value = net.relu(name, value);
        value = net.max_pool(name, value, 2, 2, 0);
    }
    value = net.linear("fc1", value, 64);
    value = net.relu("fc1", value);
    net.linear("fc2", value, classes);
    net.finish()
}

/// Twenty hidden layers of 32 units, with or without BatchNorm.
fn deep(input: Shape, classes: usize, norm: bool) -> Network {
    let mut net = Builder::new(if norm { "deep-bn" } else { "deep" }, input);
    let mut value = 0;
    for layer in 0..DEEP {
        value = net.linear(&format!("fc{layer}"), value, 32);
        if norm {
            value = net.batch_norm(&format!("bn{layer}"), value);
        }
        value = net.relu(&format!("relu{layer}"), value);
    }
    net.linear("head", value, classes);
    net.finish()
}
