//! Multi-layer perceptrons: the twins of the batch-norm lab and of the dropout lab.

use crate::network::{Builder, Network, Shape};

/// input → 48 → ReLU → 24 → ReLU → classes; with `norm`, BatchNorm before each ReLU.
#[must_use]
pub fn classifier(input: Shape, classes: usize, norm: bool) -> Network {
    let mut net = Builder::new(if norm { "mlp-bn" } else { "mlp" }, input);
    let (mut value, mut layer) = (0, 0);
    let mut name = || {
        layer += 1;
        format!("classifier.{}", layer - 1)
    };
    for features in [48, 24] {
        value = net.linear(&name(), value, features);
        if norm {
            // The ReLU is part of the normalisation's pass, but keeps its number, as in torch.
            value = net.batch_norm(&name(), value, None, true);
            name();
        } else {
            value = net.relu(&name(), value);
        }
    }
    net.linear(&name(), value, classes);
    net.finish()
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
