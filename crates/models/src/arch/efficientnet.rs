//! EfficientNet (Tan & Le 2019, arXiv:1905.11946), with torchvision's structure and names, and EfficientNet-Lite, which
//! does without squeeze-and-excitation and has ReLU6 (tensorflow/tpu, `models/official/efficientnet/lite`, 2020).

use super::Architecture;
use super::mobile::{Block, Excitation, Padding, conv_norm, inverted_residual};
use crate::graph::{Builder, Init, Shape};
use crate::ops::{Activation, BatchNorm, Op};

pub(super) const FAMILY: &[Architecture] = &[
    Architecture {
        name: "efficientnet_b0",
        image_size: Some(224),
        colour: true,
        bicubic: true,
        weight_files: &["efficientnet_b0_rwightman-7f5810bc"],
        other_names: &[],
        stochastic_depth: Some(DROPPED),
        build: |architecture, input, classes| efficientnet(architecture, &B0, input, classes),
    },
    Architecture {
        name: "efficientnet_lite0",
        image_size: Some(224),
        colour: true,
        bicubic: false,
        weight_files: &[],
        other_names: &[timm_name, original_name],
        stochastic_depth: Some(DROPPED),
        build: |architecture, input, classes| efficientnet(architecture, &LITE0, input, classes),
    },
];

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

/// torchvision's rate of stochastic depth: that of the block after the last, were there one.
const DROPPED: f64 = 0.2;

/// In what the variants of one size differ.
struct Variant {
    activation: Op,
    excites: bool,
    padding: Padding,
    norm: BatchNorm,
}

/// torchvision's.
const B0: Variant = Variant {
    activation: Op::Activation(Activation::Silu),
    excites: true,
    padding: Padding::Even,
    norm: BatchNorm { eps: 1e-5, momentum: 0.1 },
};

/// TensorFlow's, with its padding and the constants of its normalisation.
const LITE0: Variant = Variant {
    activation: Op::Activation(Activation::Relu6),
    excites: false,
    padding: Padding::Same,
    norm: BatchNorm { eps: 1e-3, momentum: 0.01 },
};

fn efficientnet(architecture: &Architecture, variant: &Variant, input: Shape, classes: usize) -> Builder {
    let &Variant { activation, excites, padding, norm } = variant;
    let mut net = Builder::new(architecture.name, input);
    let rate = architecture.stochastic_depth.unwrap_or(0.0);
    let first = (FIRST_CHANNELS, 3, 2);
    let mut value = conv_norm(&mut net, "features.0", 0, first, padding, norm, Some(activation));
    let (mut channels, mut blocks) = (FIRST_CHANNELS, 0);
    let all: usize = STAGES.iter().map(|stage| stage.4).sum();
    for (stage, &(expansion, kernel, stride, out, depth)) in (1..).zip(&STAGES) {
        for place in 0..depth {
            let squeeze = channels / 4;
            let excitation = Excitation { squeeze, inside: activation, gate: Activation::Sigmoid.into() };
            let block = Block {
                channels,
                inner: expansion * channels,
                out,
                kernel,
                stride: if place == 0 { stride } else { 1 },
                padding,
                activation,
                excitation: excites.then_some(excitation),
                norm,
                dropped: (rate * f64::from(blocks) / all as f64) as f32,
            };
            value = inverted_residual(&mut net, &format!("features.{stage}.{place}"), value, &block);
            (channels, blocks) = (out, blocks + 1);
        }
    }
    let last = format!("features.{}", STAGES.len() + 1);
    value = conv_norm(&mut net, &last, value, (4 * channels, 1, 1), padding, norm, Some(activation));
    value = net.global_average_pool("avgpool", value);
    value = net.dropout("classifier.0", value, 0.2);
    value = net.linear("classifier.1", value, classes);
    // torchvision's. The reference of the network without excitation leaves torch's default, ten times as narrow for few
    // classes: a head that is trained on given features begins near zero.
    if excites {
        let bound = 1.0 / (classes as f32).sqrt();
        net.initial(value, &[Init::Within { bound }, Init::Constant(0.0)]);
    }
    net
}

/// A layer of a network without excitation, as its name tells.
enum Layer {
    /// The first convolution or its normalisation.
    Stem {
        norm: bool,
    },
    /// Layer `place` (1×1 up, depth-wise, 1×1 down) of a block: stage and block count from 0.
    Block {
        stage: usize,
        block: usize,
        place: usize,
        norm: bool,
    },
    /// The last convolution or its normalisation.
    Last {
        norm: bool,
    },
    Classifier,
}

/// The layer of one of our names, and what follows, such as `weight`.
fn layer(name: &str) -> Option<(Layer, &str)> {
    let (layer, suffix) = name.rsplit_once('.')?;
    let parts: Vec<&str> = layer.split('.').collect();
    let number = |part: &str| part.parse::<usize>().ok();
    let layer = match parts[..] {
        ["classifier", _] => Layer::Classifier,
        ["features", "0", part] => Layer::Stem { norm: part == "1" },
        ["features", _, part] => Layer::Last { norm: part == "1" },
        ["features", stage, block, "block", place, part] => {
            let stage = number(stage)?.checked_sub(1)?;
            // A stage without expansion has no first layer.
            let place = number(place)? + usize::from(STAGES.get(stage)?.0 == 1);
            Layer::Block { stage, block: number(block)?, place, norm: part == "1" }
        }
        _ => return None,
    };
    Some((layer, suffix))
}

/// timm's name of an array of `tf_efficientnet_lite0`.
fn timm_name(name: &str) -> Option<String> {
    let (layer, suffix) = layer(name)?;
    let layer = match layer {
        Layer::Stem { norm } => (if norm { "bn1" } else { "conv_stem" }).to_owned(),
        Layer::Last { norm } => (if norm { "bn2" } else { "conv_head" }).to_owned(),
        Layer::Classifier => "classifier".to_owned(),
        Layer::Block { stage, block, place, norm } => {
            let expands = STAGES.get(stage)?.0 > 1;
            let conv = match place {
                0 => "conv_pw",
                1 => "conv_dw",
                _ if expands => "conv_pwl",
                _ => "conv_pw",
            };
            let count = place + usize::from(expands);
            let part = if norm { format!("bn{count}") } else { conv.to_owned() };
            format!("blocks.{stage}.{block}.{part}")
        }
    };
    Some(format!("{layer}.{suffix}"))
}

/// The name in EfficientNet-PyTorch, which the package `efficientnet_lite_pytorch` uses.
fn original_name(name: &str) -> Option<String> {
    let (layer, suffix) = layer(name)?;
    let layer = match layer {
        Layer::Stem { norm } => (if norm { "_bn0" } else { "_conv_stem" }).to_owned(),
        Layer::Last { norm } => (if norm { "_bn1" } else { "_conv_head" }).to_owned(),
        Layer::Classifier => "_fc".to_owned(),
        Layer::Block { stage, block, place, norm } => {
            let before: usize = STAGES.iter().take(stage).map(|stage| stage.4).sum();
            let conv = ["_expand_conv", "_depthwise_conv", "_project_conv"].get(place)?;
            let part = if norm { format!("_bn{place}") } else { (*conv).to_owned() };
            format!("_blocks.{}.{part}", before + block)
        }
    };
    Some(format!("{layer}.{suffix}"))
}
