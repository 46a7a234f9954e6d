//! ONNX files, read back and run by an interpreter that shares nothing with what wrote them.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod interpreter;
mod proto;

use proto::Tensor;
use std::collections::BTreeMap;
use wellfit_models::arch::mlp::regressor;
use wellfit_models::graph::Builder;
use wellfit_models::ops::{Activation, GroupedConv};
use wellfit_models::{Network, Shape, build};
use wellfit_rng::{Rng, Stream};

/// Weights and statistics that make every constant count: no mean of 0, no variance of 1.
fn fill(mut network: Network) -> Network {
    network.initialise(1);
    let mut rng = Rng::new(5, Stream::Noise, 0, 0);
    for parameter in network.parameters.iter_mut().filter(|parameter| parameter.shape.len() == 1) {
        parameter.value.iter_mut().for_each(|value| *value = 0.7 + 0.3 * rng.normal());
    }
    for norm in &mut network.norms {
        norm.mean.iter_mut().for_each(|mean| *mean = 0.2 * rng.normal());
        norm.variance.iter_mut().for_each(|variance| *variance = 0.5 + rng.uniform());
    }
    network
}

fn image_network(name: &str, height: usize, width: usize, channels: usize) -> Network {
    fill(build(name, Shape::image(height, width, channels), 7).unwrap())
}

/// `[N, H, W, C]` as `[N, C, H, W]`.
fn channels_first(images: &[f32], shape: Shape) -> Vec<f32> {
    let one = |image: &[f32]| -> Vec<f32> {
        let (pixels, channels) = (shape.pixels(), shape.channels);
        (0..channels * pixels).map(|place| image[place % pixels * channels + place / pixels]).collect()
    };
    images.chunks(shape.len()).flat_map(one).collect()
}

/// The file's logits are those of [`Network::evaluate`], for a batch of 1 and of 2 images.
#[track_caller]
fn agrees(network: &Network) {
    let model = proto::read(&network.to_onnx(&BTreeMap::new()));
    let shape = network.input;
    let mut rng = Rng::new(6, Stream::Noise, 0, 0);
    for batch in [1, 2] {
        let images: Vec<f32> = (0..batch * shape.len()).map(|_| rng.normal()).collect();
        let input = Tensor {
            shape: vec![batch, shape.channels, shape.height, shape.width],
            values: channels_first(&images, shape),
        };
        let found = interpreter::run(&model, input);
        let expected = network.evaluate(&images);
        assert_eq!(found.shape, [batch, network.outputs()], "{}", network.name);
        let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        for (found, expected) in found.values.iter().zip(&*expected) {
            // Sums in f32 against sums in f64, through at most 53 layers.
            assert!((found - expected).abs() <= 1e-5 * largest, "{}: {found} {expected}", network.name);
        }
    }
}

/// A convolution whose input has rows and columns that no window ends on, strides, residuals, pooling.
#[test]
fn residual_networks_compute_the_same() {
    agrees(&image_network("resnet20", 15, 10, 1));
    agrees(&image_network("resnet18", 37, 50, 3));
    agrees(&image_network("resnet50", 33, 32, 3));
}

/// Depth-wise convolutions, gates with a shape of their own, every activation; stochastic depth is left out.
#[test]
fn mobile_networks_compute_the_same() {
    agrees(&image_network("mobilenet_v3_large", 37, 50, 3));
    agrees(&image_network("mobilenet_v3_small", 33, 32, 3));
    agrees(&image_network("efficientnet_b0", 37, 35, 3));
    // Borders of zeros: more at the end, on both axes and on one.
    agrees(&image_network("efficientnet_lite0", 64, 64, 3));
    agrees(&image_network("efficientnet_lite0", 37, 50, 3));
}

/// The first layer's weights are in the order of `[C, H, W]`.
#[test]
fn perceptrons_compute_the_same() {
    agrees(&image_network("mlp", 5, 4, 3));
    agrees(&image_network("mlp-bn", 4, 6, 3));
    agrees(&fill(regressor(9, None)));
}

#[test]
fn dropout_is_left_out() {
    let network = fill(regressor(9, Some(0.4)));
    let kinds = |network: &Network| -> Vec<String> {
        proto::read(&network.to_onnx(&BTreeMap::new())).operators.into_iter().map(|o| o.kind).collect()
    };
    assert_eq!(kinds(&network), ["Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm"]);
    agrees(&network);
}

#[test]
fn grouped_convolutions_compute_the_same() {
    let mut net = Builder::new("grouped", Shape::image(7, 6, 6));
    let op = GroupedConv { channels: 9, groups: 3, kernel: 3, stride: 2, padding: 1 };
    let value = net.op("conv", op, &[0]);
    let value = net.batch_norm("bn", value);
    net.linear("fc", value, 3);
    agrees(&fill(net.finish()));
}

#[test]
fn activations_compute_the_same() {
    let mut net = Builder::new("hardswish", Shape::image(6, 5, 2));
    let value = net.conv("conv", 0, 4, 3, 1, 1);
    let value = net.op("hardswish", Activation::Hardswish, &[value]);
    net.linear("fc", value, 3);
    agrees(&fill(net.finish()));
}

/// Whatever a network ends with is the output, flat: a pooling, a dropout, a value that is read again.
#[test]
fn any_last_node_gives_the_logits() {
    let mut net = Builder::new("pooled", Shape::image(6, 5, 2));
    let value = net.conv("conv", 0, 4, 3, 1, 1);
    net.global_average_pool("pool", value);
    agrees(&fill(net.finish()));

    let mut net = Builder::new("dropped", Shape::image(6, 5, 2));
    let value = net.linear("fc", 0, 3);
    let normal = net.batch_norm("bn", value);
    let value = net.add("add", normal, value);
    net.dropout("drop", value, 0.5);
    agrees(&fill(net.finish()));
}

#[test]
fn the_file_is_as_documented() {
    let network = image_network("resnet18", 40, 48, 3);
    let metadata = BTreeMap::from([("classes".to_owned(), "[\"a\",\"ü\"]".to_owned())]);
    let model = proto::read(&network.to_onnx(&metadata));
    assert_eq!((model.ir_version, model.opset, model.metadata), (8, 17, metadata));
    let end = |name: &str, shape: &[&str]| (name.into(), 1, shape.iter().map(ToString::to_string).collect());
    assert_eq!(model.ends, [end("input", &["N", "3", "40", "48"]), end("logits", &["N", "7"])]);
    let count = |kind: &str| model.operators.iter().filter(|operator| operator.kind == kind).count();
    assert_eq!(
        ["Conv", "BatchNormalization", "Add", "Relu", "MaxPool", "Gemm"].map(count),
        [20, 20, 8, 17, 1, 1]
    );
}

/// The very weights, under torch's names: those of the state dict, without the batch counters.
#[test]
fn weights_are_stored_bit_for_bit() {
    let network = image_network("resnet20", 12, 12, 3);
    let model = proto::read(&network.to_onnx(&BTreeMap::new()));
    let state = network.state();
    let floats = state.arrays.iter().filter_map(|(name, array)| Some((name, &array.shape, array.as_f32()?)));
    let mut count = 0;
    for (name, shape, values) in floats {
        let found = &model.weights[name];
        assert_eq!(&found.shape, shape, "{name}");
        assert!(found.values.iter().map(|x| x.to_bits()).eq(values.iter().map(|x| x.to_bits())), "{name}");
        count += 1;
    }
    assert_eq!(count, model.weights.len());
}
