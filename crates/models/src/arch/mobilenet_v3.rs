//! MobileNetV3 (Howard et al. 2019, arXiv:1905.02244), with torchvision's structure and names.

use super::Architecture;
use super::mobile::{Block, Excitation, Padding, conv_norm, inverted_residual};
use crate::graph::{Builder, Init, Shape};
use crate::ops::{Activation, BatchNorm, Op, Relu};

pub(super) const FAMILY: &[Architecture] = &[
    Architecture {
        name: "mobilenet_v3_large",
        image_size: Some(224),
        colour: true,
        bicubic: false,
        weight_files: &["mobilenet_v3_large-5c1a4163", "mobilenet_v3_large-8738ca79"],
        other_names: &[],
        stochastic_depth: None,
        build: |architecture, input, classes| mobilenet(architecture.name, &LARGE, 1280, input, classes),
    },
    Architecture {
        name: "mobilenet_v3_small",
        image_size: Some(224),
        colour: true,
        bicubic: false,
        weight_files: &["mobilenet_v3_small-047dcff4"],
        other_names: &[],
        stochastic_depth: None,
        build: |architecture, input, classes| mobilenet(architecture.name, &SMALL, 1024, input, classes),
    },
];

/// torchvision's for this family.
const NORM: BatchNorm = BatchNorm { eps: 0.001, momentum: 0.01 };
const FIRST_CHANNELS: usize = 16;

/// A row of the paper's tables: kernel, channels inside, channels out, squeeze-and-excitation, hard swish (else ReLU),
/// stride.
type Row = (usize, usize, usize, bool, bool, usize);

/// Table 1 of the paper.
const LARGE: [Row; 15] = [
    (3, 16, 16, false, false, 1),
    (3, 64, 24, false, false, 2),
    (3, 72, 24, false, false, 1),
    (5, 72, 40, true, false, 2),
    (5, 120, 40, true, false, 1),
    (5, 120, 40, true, false, 1),
    (3, 240, 80, false, true, 2),
    (3, 200, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 480, 112, true, true, 1),
    (3, 672, 112, true, true, 1),
    (5, 672, 160, true, true, 2),
    (5, 960, 160, true, true, 1),
    (5, 960, 160, true, true, 1),
];

/// Table 2.
const SMALL: [Row; 11] = [
    (3, 16, 16, true, false, 2),
    (3, 72, 24, false, false, 2),
    (3, 88, 24, false, false, 1),
    (5, 96, 40, true, true, 2),
    (5, 240, 40, true, true, 1),
    (5, 240, 40, true, true, 1),
    (5, 120, 48, true, true, 1),
    (5, 144, 48, true, true, 1),
    (5, 288, 96, true, true, 2),
    (5, 576, 96, true, true, 1),
    (5, 576, 96, true, true, 1),
];

/// `channels` to the nearest multiple of 8, but not below nine tenths of it (torchvision's `_make_divisible`).
fn divisible(channels: usize) -> usize {
    let near = ((channels + 4) / 8 * 8).max(8);
    if 10 * near < 9 * channels { near + 8 } else { near }
}

/// Convolutions and blocks, then a classifier of two layers, the first with `features`.
fn mobilenet(name: &str, rows: &[Row], features: usize, input: Shape, classes: usize) -> Builder {
    let mut net = Builder::new(name, input);
    let mut value = conv_norm(
        &mut net,
        "features.0",
        0,
        (FIRST_CHANNELS, 3, 2),
        Padding::Even,
        NORM,
        Some(Activation::Hardswish.into()),
    );
    let mut channels = FIRST_CHANNELS;
    for (place, &(kernel, inner, out, excites, swishes, stride)) in (1..).zip(rows) {
        let activation = if swishes { Activation::Hardswish.into() } else { Op::Relu(Relu) };
        let squeeze = divisible(inner / 4);
        let block = Block {
            channels,
            inner,
            out,
            kernel,
            stride,
            padding: Padding::Even,
            activation,
            excitation: excites.then_some(Excitation {
                squeeze,
                inside: Relu.into(),
                gate: Activation::Hardsigmoid.into(),
            }),
            norm: NORM,
            dropped: 0.0,
        };
        value = inverted_residual(&mut net, &format!("features.{place}"), value, &block);
        channels = out;
    }
    let last = format!("features.{}", rows.len() + 1);
    value = conv_norm(
        &mut net,
        &last,
        value,
        (6 * channels, 1, 1),
        Padding::Even,
        NORM,
        Some(Activation::Hardswish.into()),
    );
    value = net.global_average_pool("avgpool", value);
    let inits = [Init::Normal { deviation: 0.01 }, Init::Constant(0.0)];
    value = net.linear("classifier.0", value, features);
    net.initial(value, &inits);
    value = net.op("classifier.1", Activation::Hardswish, &[value]);
    value = net.dropout("classifier.2", value, 0.2);
    value = net.linear("classifier.3", value, classes);
    net.initial(value, &inits);
    net
}
