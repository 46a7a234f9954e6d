//! Residual networks (He et al. 2016, arXiv:1512.03385), ResNeXt (Xie et al. 2017, arXiv:1611.05431) and wide
//! ResNets (Zagoruyko & Komodakis 2016, arXiv:1605.07146), with torchvision's structure and names.

use super::Architecture;
use crate::graph::{Builder, Shape, Value};
use crate::ops::{GroupedConv, StochasticDepth};

pub(super) const FAMILY: &[Architecture] = &[
    Architecture {
        name: "resnet20",
        image_size: None,
        colour: false,
        bicubic: false,
        weight_files: &[],
        other_names: &[],
        stochastic_depth: Some(0.0),
        build: |architecture, input, classes| cifar(architecture, input, classes, 3),
    },
    Architecture {
        name: "resnet18",
        bicubic: false,
        weight_files: &["resnet18-f37072fd"],
        build: |architecture, input, classes| {
            imagenet(architecture, Block::Basic, [2, 2, 2, 2], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "resnet34",
        bicubic: false,
        weight_files: &["resnet34-b627a593"],
        build: |architecture, input, classes| {
            imagenet(architecture, Block::Basic, [3, 4, 6, 3], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "resnet50",
        bicubic: false,
        weight_files: &["resnet50-11ad3fa6", "resnet50-0676ba61"],
        build: |architecture, input, classes| {
            imagenet(architecture, Block::Bottleneck, [3, 4, 6, 3], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "resnet101",
        bicubic: false,
        weight_files: &["resnet101-cd907fc2", "resnet101-63fe2227"],
        build: |architecture, input, classes| {
            imagenet(architecture, Block::Bottleneck, [3, 4, 23, 3], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "resnet152",
        bicubic: false,
        weight_files: &["resnet152-f82ba261", "resnet152-394f9c45"],
        build: |architecture, input, classes| {
            imagenet(architecture, Block::Bottleneck, [3, 8, 36, 3], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "resnext50_32x4d",
        bicubic: false,
        weight_files: &["resnext50_32x4d-1a0047aa", "resnext50_32x4d-7cdf4587"],
        build: |architecture, input, classes| {
            let block = Block::Grouped { groups: 32, width: 4 };
            imagenet(architecture, block, [3, 4, 6, 3], input, classes)
        },
        ..RESNET
    },
    Architecture {
        name: "wide_resnet50_2",
        bicubic: false,
        weight_files: &["wide_resnet50_2-9ba9bcbe", "wide_resnet50_2-95faca4d"],
        build: |architecture, input, classes| imagenet(architecture, WIDE, [3, 4, 6, 3], input, classes),
        ..RESNET
    },
    Architecture {
        name: "wide_resnet101_2",
        bicubic: false,
        weight_files: &["wide_resnet101_2-d733dc28", "wide_resnet101_2-32ee1156"],
        build: |architecture, input, classes| imagenet(architecture, WIDE, [3, 4, 23, 3], input, classes),
        ..RESNET
    },
];

const RESNET: Architecture = Architecture {
    name: "",
    image_size: Some(224),
    colour: true,
    bicubic: false,
    weight_files: &[],
    other_names: &[],
    stochastic_depth: Some(0.0),
    build: |architecture, input, classes| imagenet(architecture, Block::Basic, [2, 2, 2, 2], input, classes),
};

/// That of wide ResNets: twice the channels in the 3×3.
const WIDE: Block = Block::Grouped { groups: 1, width: 128 };

/// The residual block of a ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Two 3×3 convolutions (ResNet-18, 34).
    Basic,
    /// 1×1, 3×3, 1×1 with four times the channels at the end; the stride sits on the 3×3 ("v1.5").
    Bottleneck,
    /// The same with a grouped 3×3 convolution (ResNeXt), or one group that is wider (wide ResNet): `groups` of `width`
    /// channels in the first stage, of twice as many in each further one.
    Grouped {
        /// How many groups.
        groups: usize,
        /// Channels of a group in the first stage.
        width: usize,
    },
}

impl Block {
    fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck | Self::Grouped { .. } => 4,
        }
    }

    /// Its convolutions in a stage of that width: channels, kernel, stride, groups.
    fn convs(self, width: usize, stride: usize) -> Vec<(usize, usize, usize, usize)> {
        let (inner, groups) = match self {
            Self::Basic => return vec![(width, 3, stride, 1), (width, 3, 1, 1)],
            Self::Bottleneck => (width, 1),
            Self::Grouped { groups, width: first } => (groups * first * width / 64, groups),
        };
        vec![(inner, 1, 1, 1), (inner, 3, stride, groups), (4 * width, 1, 1, 1)]
    }
}

/// torchvision's ResNet: 7×7 stem, max pool, four stages of `depths` blocks with 64, 128, 256, 512 channels.
#[must_use]
pub fn imagenet(
    architecture: &Architecture,
    block: Block,
    depths: [usize; 4],
    input: Shape,
    classes: usize,
) -> Builder {
    let mut net = Builder::new(architecture.name, input);
    let stem = net.conv("conv1", 0, 64, 7, 2, 3);
    let stem = net.batch_norm("bn1", stem);
    let stem = net.relu("relu", stem);
    let stem = net.max_pool("maxpool", stem, 3, 2, 1);
    stages(net, stem, (block, architecture), &depths, 64, classes)
}

/// The CIFAR ResNet of He et al. (section 4.2): 3×3 stem, three stages of `n` basic blocks with 16, 32 and
/// 64 channels, 6n + 2 layers. Shortcuts that change shape are 1×1 convolutions (their option B), as
/// everywhere in torchvision.
fn cifar(architecture: &Architecture, input: Shape, classes: usize, n: usize) -> Builder {
    let mut net = Builder::new(architecture.name, input);
    let stem = net.conv("conv1", 0, 16, 3, 1, 1);
    let stem = net.batch_norm("bn1", stem);
    let stem = net.relu("relu", stem);
    stages(net, stem, (Block::Basic, architecture), &[n; 3], 16, classes)
}

/// The stages of blocks and the head. Blocks drop samples as timm's with `drop_path_rate`: the first none, the last as often
/// as the rate says.
fn stages(
    mut net: Builder,
    stem: Value,
    (block, architecture): (Block, &Architecture),
    depths: &[usize],
    width: usize,
    classes: usize,
) -> Builder {
    let (mut value, mut channels, mut blocks) = (stem, width, 0);
    let last = (depths.iter().sum::<usize>() - 1).max(1) as f64;
    let rate = architecture.stochastic_depth.unwrap_or(0.0);
    for (stage, &depth) in depths.iter().enumerate() {
        let width = width << stage;
        for place in 0..depth {
            let stride = if stage > 0 && place == 0 { 2 } else { 1 };
            let name = format!("layer{}.{place}", stage + 1);
            let reshape = stride != 1 || channels != width * block.expansion();
            let dropped = (rate * f64::from(blocks) / last) as f32;
            value = residual_block(&mut net, &name, value, (block, dropped), width, stride, reshape);
            (channels, blocks) = (width * block.expansion(), blocks + 1);
        }
    }
    let pooled = net.global_average_pool("avgpool", value);
    net.linear("fc", pooled, classes);
    net
}

fn residual_block(
    net: &mut Builder,
    name: &str,
    input: Value,
    (block, dropped): (Block, f32),
    width: usize,
    stride: usize,
    reshape: bool,
) -> Value {
    let convs = block.convs(width, stride);
    let mut value = input;
    for (place, &(channels, kernel, stride, groups)) in convs.iter().enumerate() {
        let layer = place + 1;
        let (conv, padding) = (format!("{name}.conv{layer}"), kernel / 2);
        value = if groups == 1 {
            net.conv(&conv, value, channels, kernel, stride, padding)
        } else {
            net.op(&conv, GroupedConv { channels, groups, kernel, stride, padding }, &[value])
        };
        if layer < convs.len() {
            value = net.batch_norm(&format!("{name}.bn{layer}"), value);
            value = net.relu(&format!("{name}.relu{layer}"), value);
        }
    }
    let shortcut = if reshape {
        let channels = width * block.expansion();
        let shortcut = net.conv(&format!("{name}.downsample.0"), input, channels, 1, stride, 0);
        net.batch_norm(&format!("{name}.downsample.1"), shortcut)
    } else {
        input
    };
    let mut value = net.batch_norm(&format!("{name}.bn{}", convs.len()), value);
    if dropped > 0.0 {
        value = net.op(&format!("{name}.drop_path"), StochasticDepth { p: dropped }, &[value]);
    }
    let value = net.add(&format!("{name}.add"), value, shortcut);
    net.relu(&format!("{name}.relu{}", convs.len()), value)
}

#[cfg(test)]
mod tests {
    use crate::arch::{DropRates, build_with};
    use crate::graph::Shape;
    use crate::ops::Op;

    /// The rates of a network's blocks that drop samples.
    fn rates(name: &str, rate: Option<f64>) -> Vec<f32> {
        let network = build_with(
            name,
            Shape::image(32, 32, 3),
            2,
            DropRates { stochastic_depth: rate, ..DropRates::default() },
        )
        .unwrap();
        let of = |op: &Op| if let Op::StochasticDepth(drop) = op { Some(drop.p) } else { None };
        network.nodes.iter().filter_map(|node| of(&node.op)).collect()
    }

    #[test]
    fn rates_grow_as_in_timm_and_torchvision() {
        // timm 1.0: create_model("resnet18", drop_path_rate=0.7), the rates of its eight blocks but the first, which is 0.
        let want: Vec<f32> = (1..8).map(|block| (0.7 * f64::from(block) / 7.0) as f32).collect();
        assert_eq!(rates("resnet18", Some(0.7)), want);
        assert_eq!(rates("resnext50_32x4d", Some(0.3)).len(), 15);
        assert!(rates("resnet18", None).is_empty() && rates("resnet18", Some(0.0)).is_empty());
        // torchvision's efficientnet_b0: 0.2 × block / 16 in the blocks that add their input.
        let of =
            |rate: f64| [2, 4, 6, 7, 9, 10, 12, 13, 14].map(|block| (rate * f64::from(block) / 16.0) as f32);
        assert_eq!(rates("efficientnet_b0", None), of(0.2));
        assert_eq!(rates("efficientnet_b0", Some(0.4)), of(0.4));
        assert!(rates("efficientnet_b0", Some(0.0)).is_empty());
        assert!(rates("mlp", Some(0.5)).is_empty());
    }
}
