//! Multi-layer perceptrons, with and without batch normalisation or dropout.

use super::Architecture;
use crate::graph::{Builder, Network, Shape};

pub(super) const FAMILY: &[Architecture] = &[
    Architecture { name: "mlp", build: |_, input, classes| classifier(input, classes, false), ..MLP },
    Architecture { name: "mlp-bn", build: |_, input, classes| classifier(input, classes, true), ..MLP },
];

const MLP: Architecture = Architecture {
    name: "",
    image_size: None,
    colour: false,
    bicubic: false,
    weight_files: &[],
    other_names: &[],
    stochastic_depth: None,
    build: |_, input, classes| classifier(input, classes, false),
};

/// input → 48 → ReLU → 24 → ReLU → classes; with `norm`, BatchNorm before each ReLU.
fn classifier(input: Shape, classes: usize, norm: bool) -> Builder {
    let mut net = Builder::new(if norm { "mlp-bn" } else { "mlp" }, input);
    let (mut value, mut layer) = (0, 0);
    let mut name = || {
        layer += 1;
        format!("classifier.{}", layer - 1)
    };
    for features in [48, 24] {
        value = net.linear(&name(), value, features);
        if norm {
            value = net.batch_norm(&name(), value);
        }
        value = net.relu(&name(), value);
    }
    net.linear(&name(), value, classes);
    net
}

/// 1 → hidden → ReLU → hidden → ReLU → 1; with `dropout`, dropout of that rate before each ReLU.
#[must_use]
pub fn regressor(hidden: usize, dropout: Option<f32>) -> Network {
    let mut net = Builder::new(if dropout.is_some() { "mlp-dropout" } else { "mlp" }, Shape::features(1));
    let (mut value, mut layer) = (0, 0);
    let mut name = || {
        layer += 1;
        (layer - 1).to_string()
    };
    for _ in 0..2 {
        value = net.linear(&name(), value, hidden);
        if let Some(p) = dropout {
            value = net.dropout(&name(), value, p);
        }
        value = net.relu(&name(), value);
    }
    net.linear(&name(), value, 1);
    net.finish()
}
