//! EfficientNet (Tan & Le 2019, arXiv:1905.11946), with torchvision's structure and names.

use super::Architecture;
use super::mobile::{Activation, Block, Excitation, conv_norm, inverted_residual};
use crate::graph::{Builder, Init, Shape};
use crate::ops::BatchNorm;

pub(super) const FAMILY: &[Architecture] = &[Architecture {
    name: "efficientnet_b0",
    image_size: Some(224),
    colour: true,
    weight_files: &["efficientnet_b0_rwightman-7f5810bc"],
    build: |architecture, input, classes| efficientnet(architecture.name, input, classes),
}];

const FIRST_CHANNELS: usize = 32;

/// Table 1 of the paper: expansion, kernel, stride of a stage's first block, channels out, blocks.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// The probability with which the last block's samples would be dropped, were there one more; it grows linearly.
const DROPPED: f64 = 0.2;

fn efficientnet(name: &str, input: Shape, classes: usize) -> Builder {
    let mut net = Builder::new(name, input);
    let norm = BatchNorm::default();
    let silu = Activation::Silu;
    let mut value = conv_norm(&mut net, "features.0", 0, (FIRST_CHANNELS, 3, 2), norm, Some(silu));
    let (mut channels, mut blocks) = (FIRST_CHANNELS, 0);
    let all: usize = STAGES.iter().map(|stage| stage.4).sum();
    for (stage, &(expansion, kernel, stride, out, depth)) in (1..).zip(&STAGES) {
        for place in 0..depth {
            let block = Block {
                channels,
                inner: expansion * channels,
                out,
                kernel,
                stride: if place == 0 { stride } else { 1 },
                activation: silu,
                excitation: Some(Excitation {
                    squeeze: channels / 4,
                    inside: silu,
                    gate: Activation::Sigmoid,
                }),
                norm,
                dropped: (DROPPED * f64::from(blocks) / all as f64) as f32,
            };
            value = inverted_residual(&mut net, &format!("features.{stage}.{place}"), value, &block);
            (channels, blocks) = (out, blocks + 1);
        }
    }
    let last = format!("features.{}", STAGES.len() + 1);
    value = conv_norm(&mut net, &last, value, (4 * channels, 1, 1), norm, Some(silu));
    value = net.global_average_pool("avgpool", value);
    value = net.dropout("classifier.0", value, 0.2);
    value = net.linear("classifier.1", value, classes);
    let bound = 1.0 / (classes as f32).sqrt();
    net.initial(value, &[Init::Within { bound }, Init::Constant(0.0)]);
    net
}
