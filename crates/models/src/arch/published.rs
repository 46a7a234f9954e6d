//! What is published of ImageNet weights: their accuracy, and the size of their files.

/// What is published of a file of weights, measured on ImageNet's 50,000 validation images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// torchvision's file without `.pth`, or timm's name.
    pub weights: &'static str,
    /// Whose numbers these are.
    pub source: &'static str,
    /// Per cent of the images whose most likely class is right (acc@1).
    pub top1: f64,
    /// Per cent of the images whose class is among the five most likely (acc@5).
    pub top5: f64,
    /// The file's size in MiB.
    pub mib: f64,
}

/// timm's name of the weights that come with the program for `efficientnet_lite0`.
const LITE0: &str = "tf_efficientnet_lite0.in1k";

/// From the metadata of torchvision 0.29's weights (`parity/architectures.py`). The first files of wide ResNets hold
/// 16-bit numbers.
const PUBLISHED: [Published; 19] = [
    torchvision("resnet18-f37072fd", 69.758, 89.078, 44.661),
    torchvision("resnet34-b627a593", 73.314, 91.42, 83.275),
    torchvision("resnet50-11ad3fa6", 80.858, 95.434, 97.79),
    torchvision("resnet50-0676ba61", 76.13, 92.862, 97.781),
    torchvision("resnet101-cd907fc2", 81.886, 95.78, 170.53),
    torchvision("resnet101-63fe2227", 77.374, 93.546, 170.511),
    torchvision("resnet152-f82ba261", 82.284, 96.002, 230.474),
    torchvision("resnet152-394f9c45", 78.312, 94.046, 230.434),
    torchvision("resnext50_32x4d-1a0047aa", 81.198, 95.34, 95.833),
    torchvision("resnext50_32x4d-7cdf4587", 77.618, 93.698, 95.789),
    torchvision("wide_resnet50_2-9ba9bcbe", 81.602, 95.758, 263.124),
    torchvision("wide_resnet50_2-95faca4d", 78.468, 94.086, 131.82),
    torchvision("wide_resnet101_2-d733dc28", 82.51, 96.02, 484.747),
    torchvision("wide_resnet101_2-32ee1156", 78.848, 94.284, 242.896),
    torchvision("mobilenet_v3_large-5c1a4163", 75.274, 92.566, 21.107),
    torchvision("mobilenet_v3_large-8738ca79", 74.042, 91.34, 21.114),
    torchvision("mobilenet_v3_small-047dcff4", 67.668, 87.402, 9.829),
    torchvision("efficientnet_b0_rwightman-7f5810bc", 77.692, 93.532, 20.451),
    // Google's weights, which the program holds; accuracy as timm measured it (results/results-imagenet.csv).
    Published { weights: LITE0, source: "timm", top1: 74.83, top5: 92.172, mib: 17.9 },
];

const fn torchvision(weights: &'static str, top1: f64, top5: f64, mib: f64) -> Published {
    Published { weights, source: "torchvision", top1, top5, mib }
}

/// What is published of weights of torchvision's, by their file's name without `.pth`.
#[must_use]
pub fn published(file: &str) -> Option<&'static Published> {
    PUBLISHED.iter().find(|published| published.weights == file)
}

/// What is published of the weights of EfficientNet-Lite0 that Google trained.
#[must_use]
pub fn published_lite0() -> Option<&'static Published> {
    published(LITE0)
}
