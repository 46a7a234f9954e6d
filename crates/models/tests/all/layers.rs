//! Single layers and losses against torch: values, gradients, running statistics (`parity/layers.py`).
//!
//! They run as in the product, through a network. The layer's input is the weights of a linear layer that is
//! fed with unit vectors; so the gradient of the input is a parameter's gradient.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::common::{channels_first, channels_last, values};
use serde_json::Value;
use wellfit_kernels::loss::{CrossEntropy, Loss, mean_squared_error};
use wellfit_models::graph::Builder;
use wellfit_models::ops::{
    Activation, BatchNorm, GroupedConv, Op, PointwiseConv, Relu, ScaleChannels, StochasticDepth,
};
use wellfit_models::{DropoutKey, Network, Shape};

/// Of a tensor's largest value: some 16 roundings to f32. The reference is torch in float64.
const TOLERANCE: f64 = 1e-6;
const KEY: DropoutKey = DropoutKey { seed: 1, step: 0, row: 0 };
// The generator's salts.
const WEIGHT: u32 = 1;
const BIAS: u32 = 2;
const MEAN: u32 = 3;
const VARIANCE: u32 = 4;
const OUTPUT: u32 = 5;
const TARGET: u32 = 6;
const INPUT: u32 = 100;

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn size(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn flag(case: &Value, key: &str) -> bool {
    case[key].as_bool().unwrap()
}

/// The batch of a step, as the generator draws it, in torch's layout.
fn drawn(case: &Value, step: u32) -> Vec<f32> {
    let (scale, centre) = (case["scale"].as_f64().unwrap_or(3.5), case["centre"].as_f64().unwrap_or(0.0));
    let x = values(sizes(&case["shape"]).iter().product(), INPUT + step, scale, centre);
    if case["whole"] == true { x.into_iter().map(f32::floor).collect() } else { x }
}

/// A network of one layer that reads what `set_input` wrote.
struct Layer {
    network: Network,
    /// `[N, C, H, W]` or `[N, C]` of the input.
    shape: Vec<usize>,
    /// The unit vectors `[N, N]`.
    units: Vec<f32>,
}

impl Layer {
    /// The network that `build` makes over the case's input.
    fn new(case: &Value, build: impl FnOnce(&mut Builder)) -> Self {
        let shape = sizes(&case["shape"]);
        let batch = shape[0];
        let input =
            Shape::image(shape.get(2).copied().unwrap_or(1), shape.get(3).copied().unwrap_or(1), shape[1]);
        let mut layer = Builder::new("layer", input);
        build(&mut layer);
        let mut network = layer.finish();
        let mut source = Builder::new("source", Shape::features(batch));
        let value = source.linear("input", 0, input.len());
        source.dropout("reshape", value, 0.0);
        let mut source = source.finish();
        // A dropout that drops nothing makes an image of the features.
        source.nodes[1].shape = input;
        // The source goes in front; the layer's parameters keep their places.
        let first = network.parameters.len();
        source.nodes[0].parameters = vec![first, first + 1];
        for node in &mut network.nodes {
            node.inputs.iter_mut().for_each(|value| *value += source.nodes.len());
        }
        network.input = source.input;
        network.nodes.splice(..0, source.nodes);
        network.parameters.extend(source.parameters);
        let units = (0..batch * batch).map(|i| if i / batch == i % batch { 1.0 } else { 0.0 }).collect();
        let mut layer = Self { network, shape, units };
        layer.set_input(&drawn(case, 0));
        layer
    }

    fn set_input(&mut self, x: &[f32]) {
        let place = self.network.parameters.len() - 2;
        self.network.parameters[place].value.copy_from_slice(&channels_last(x, &self.shape));
    }

    /// The layer's parameters, drawn as the generator draws them.
    fn with_parameters(mut self) -> Self {
        let count = self.network.parameters.len() - 2;
        for parameter in &mut self.network.parameters[..count] {
            let (salt, centre) = match (parameter.name.ends_with("weight"), parameter.shape.len()) {
                (true, 1) => (WEIGHT, 1.0),
                (true, _) => (WEIGHT, 0.0),
                (false, _) => (BIAS, 0.0),
            };
            parameter.set_from_torch(&values(parameter.value.len(), salt, 1.0, centre));
        }
        self
    }

    /// The layer's parameters, each drawn with a salt of its own around its centre.
    fn draw_parameters(&mut self, scale: f64, centres: &[f64]) {
        for ((salt, parameter), &centre) in (WEIGHT..).zip(&mut self.network.parameters).zip(centres) {
            parameter.set_from_torch(&values(parameter.value.len(), salt, scale, centre));
        }
    }

    /// A shape like the output's, in torch's order.
    fn output(&self) -> Vec<usize> {
        let shape = self.network.shape(self.network.nodes.len());
        vec![self.shape[0], shape.channels, shape.height, shape.width]
    }

    fn evaluate(&self) -> Vec<f32> {
        channels_first(&self.network.evaluate(&self.units), &self.output())
    }

    /// One training pass; gives y, dx and the gradients of the layer's parameters, in torch's layouts.
    fn pass(&mut self) -> (Vec<f32>, Vec<f32>, Vec<Vec<f32>>) {
        let output = self.output();
        let tape = self.network.forward(&self.units, KEY).unwrap();
        let y = channels_first(tape.outputs(), &output);
        let mut dy = wellfit_kernels::Buffer::zeroed(y.len());
        dy.copy_from_slice(&channels_last(&values(y.len(), OUTPUT, 2.0, 0.0), &output));
        let gradients = self.network.backward(tape, dy).0;
        let found = |place: usize| gradients[place].as_deref().unwrap();
        let input = self.network.parameters.len() - 2;
        let own = (0..input).map(|place| self.network.parameters[place].to_torch(found(place))).collect();
        (y, channels_first(found(input), &self.shape), own)
    }
}

/// Every case of an area; `check` hands over the tensors by name.
fn area(name: &str, check: impl Fn(&Value, &mut dyn FnMut(&str, &[f32]))) {
    crate::common::area("layers.safetensors", (name, "cases"), TOLERANCE, |number, case, comparison| {
        check(case, &mut |tensor, got| comparison.equal(&format!("{number}/{tensor}"), got));
    });
}

/// A layer of one node, with its parameters if it has any.
fn plain(name: &str, build: impl Fn(&Value, &mut Builder)) {
    area(name, |case, equal| {
        let mut layer = Layer::new(case, |net| build(case, net)).with_parameters();
        let (y, dx, own) = layer.pass();
        equal("y", &y);
        equal("dx", &dx);
        for (gradient, name) in own.iter().zip(["dw", "db"]) {
            equal(name, gradient);
        }
        assert_eq!(layer.evaluate(), y, "evaluation is the same");
    });
}

#[test]
fn linear() {
    plain("Linear", |case, net| {
        net.linear("layer", 0, size(case, "out"));
    });
}

#[test]
fn convolution() {
    plain("Conv2d", |case, net| {
        let [out, kernel, stride, padding] =
            ["out", "kernel", "stride", "padding"].map(|key| size(case, key));
        net.conv("layer", 0, out, kernel, stride, padding);
    });
}

#[test]
fn grouped_convolution() {
    plain("Conv2d(groups=G)", |case, net| {
        let [channels, groups, kernel, stride, padding] =
            ["out", "groups", "kernel", "stride", "padding"].map(|key| size(case, key));
        net.op("layer", GroupedConv { channels, groups, kernel, stride, padding }, &[0]);
    });
}

#[test]
fn depthwise_convolution() {
    plain("Conv2d(groups=C)", |case, net| {
        let [channels, groups, kernel, stride, padding] =
            ["out", "groups", "kernel", "stride", "padding"].map(|key| size(case, key));
        net.op("layer", GroupedConv { channels, groups, kernel, stride, padding }, &[0]);
    });
}

#[test]
fn pointwise_convolution() {
    plain("Conv2d(kernel_size=1, bias=True)", |case, net| {
        net.op("layer", PointwiseConv { channels: size(case, "out") }, &[0]);
    });
}

/// The nodes that torchvision's `SqueezeExcitation` is made of.
#[test]
fn squeeze_excitation() {
    area("SqueezeExcitation", |case, equal| {
        let silu = flag(case, "silu");
        let mut layer = Layer::new(case, |net| {
            let activation = |silu, a: Op, b: Op| if silu { a } else { b };
            let value = net.global_average_pool("avgpool", 0);
            let value = net.op("fc1", PointwiseConv { channels: size(case, "squeeze") }, &[value]);
            let value =
                net.op("activation", activation(silu, Activation::Silu.into(), Relu.into()), &[value]);
            let value = net.op("fc2", PointwiseConv { channels: sizes(&case["shape"])[1] }, &[value]);
            let value = net.op(
                "gate",
                activation(silu, Activation::Sigmoid.into(), Activation::Hardsigmoid.into()),
                &[value],
            );
            net.op("scale", ScaleChannels, &[0, value]);
        });
        layer.draw_parameters(2.0, &[0.0; 4]);
        let (y, dx, own) = layer.pass();
        equal("y", &y);
        equal("dx", &dx);
        for (gradient, name) in own.iter().zip(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]) {
            equal(&format!("d{name}"), gradient);
        }
        assert_eq!(layer.evaluate(), y, "evaluation is the same");
    });
}

/// Behind a normalisation a smooth activation runs in the same passes, with the depth-wise convolution before it.
#[test]
fn normalisation_with_a_smooth_activation() {
    area("BatchNorm2d with SiLU or Hardswish", |case, equal| {
        let channels = sizes(&case["shape"])[1];
        let mut layer = Layer::new(case, |net| {
            let conv = GroupedConv { channels, groups: channels, kernel: 3, stride: 1, padding: 1 };
            let value = net.op("0", conv, &[0]);
            let value = net.op("1", BatchNorm { eps: 0.001, momentum: 0.01 }, &[value]);
            let activation: Op =
                if flag(case, "silu") { Activation::Silu.into() } else { Activation::Hardswish.into() };
            net.op("2", activation, &[value]);
        });
        layer.draw_parameters(1.0, &[0.0, 1.0, 0.0]);
        let (y, dx, own) = layer.pass();
        equal("y", &y);
        equal("dx", &dx);
        for (gradient, name) in own.iter().zip(["0.weight", "1.weight", "1.bias"]) {
            equal(&format!("d{name}"), gradient);
        }
        equal("mean", &layer.network.norms[0].mean);
        equal("variance", &layer.network.norms[0].variance);
        equal("evaluated", &layer.evaluate());
    });
}

#[test]
fn max_pooling() {
    plain("MaxPool2d", |case, net| {
        let [kernel, stride, padding] = ["kernel", "stride", "padding"].map(|key| size(case, key));
        net.max_pool("layer", 0, kernel, stride, padding);
    });
}

#[test]
fn average_pooling() {
    plain("AdaptiveAvgPool2d(1)", |_, net| {
        net.global_average_pool("layer", 0);
    });
}

#[test]
fn relu() {
    plain("ReLU", |_, net| {
        net.relu("layer", 0);
    });
}

#[test]
fn hard_swish() {
    plain("Hardswish", |_, net| {
        net.op("layer", Activation::Hardswish, &[0]);
    });
}

#[test]
fn silu() {
    plain("SiLU", |_, net| {
        net.op("layer", Activation::Silu, &[0]);
    });
}

#[test]
fn sigmoid() {
    plain("Sigmoid", |_, net| {
        net.op("layer", Activation::Sigmoid, &[0]);
    });
}

#[test]
fn hard_sigmoid() {
    plain("Hardsigmoid", |_, net| {
        net.op("layer", Activation::Hardsigmoid, &[0]);
    });
}

#[test]
fn batch_norm_of_features() {
    batch_norm("BatchNorm1d");
}

#[test]
fn batch_norm_of_images() {
    batch_norm("BatchNorm2d");
}

fn batch_norm(name: &str) {
    area(name, |case, equal| {
        let mut layer = Layer::new(case, |net| {
            let mut value = net.batch_norm("layer", 0);
            if flag(case, "residual") {
                value = net.add("add", value, 0);
            }
            if flag(case, "relu") {
                net.relu("relu", value);
            }
        })
        .with_parameters();
        if flag(case, "fixed") {
            fixed_norm(&mut layer, equal);
        } else {
            trained_norm(case, &mut layer, equal);
        }
    });
}

fn equal_pass(layer: &mut Layer, equal: &mut dyn FnMut(&str, &[f32])) -> Vec<f32> {
    let (y, dx, own) = layer.pass();
    equal("y", &y);
    equal("dx", &dx);
    equal("dw", &own[0]);
    equal("db", &own[1]);
    y
}

/// Ten steps on batches of their own, then evaluation.
fn trained_norm(case: &Value, layer: &mut Layer, equal: &mut dyn FnMut(&str, &[f32])) {
    for step in 0..10 {
        layer.set_input(&drawn(case, step));
        match step {
            0 => drop(equal_pass(layer, equal)),
            9 => equal("y10", &layer.pass().0),
            _ => drop(layer.pass()),
        }
        if matches!(step + 1, 1 | 2 | 10) {
            equal(&format!("mean{}", step + 1), &layer.network.norms[0].mean);
            equal(&format!("var{}", step + 1), &layer.network.norms[0].variance);
        }
    }
    assert_eq!(layer.network.norms[0].batches, 10);
    layer.set_input(&drawn(case, 0));
    equal("evaluated", &layer.evaluate());
}

/// Given statistics: the same in evaluation and in a training pass over a frozen layer, which keeps them.
fn fixed_norm(layer: &mut Layer, equal: &mut dyn FnMut(&str, &[f32])) {
    let norm = &mut layer.network.norms[0];
    norm.mean = values(norm.mean.len(), MEAN, 2.0, 3.0);
    norm.variance = values(norm.variance.len(), VARIANCE, 1.0, 1.0);
    let (mean, variance) = (norm.mean.clone(), norm.variance.clone());
    let evaluated = layer.evaluate();
    layer.network.norms[0].frozen = true;
    assert_eq!(equal_pass(layer, equal), evaluated);
    let norm = &layer.network.norms[0];
    assert_eq!((&norm.mean, &norm.variance, norm.batches), (&mean, &variance, 0));
}

fn equal_loss(loss: &Loss, equal: &mut dyn FnMut(&str, &[f32])) {
    equal("loss", &[loss.value as f32]);
    equal("dx", &loss.gradient);
}

#[test]
fn cross_entropy() {
    area("CrossEntropyLoss", |case, equal| {
        let shape = sizes(&case["shape"]);
        let (rows, classes) = (shape[0], shape[1]);
        let weights = flag(case, "weights").then(|| values(classes, WEIGHT, 3.0, 1.75));
        let label_smoothing = case["smoothing"].as_f64().unwrap() as f32;
        let loss = CrossEntropy {
            label_smoothing,
            class_weights: weights.unwrap_or_default(),
            ..CrossEntropy::default()
        };
        let labels: Vec<u32> = (0..rows).map(|row| (row * 7 % classes) as u32).collect();
        equal_loss(&loss.loss(&drawn(case, 0), &labels, classes), equal);
    });
}

#[test]
fn squared_error() {
    area("MSELoss", |case, equal| {
        let x = drawn(case, 0);
        equal_loss(&mean_squared_error(&x, &values(x.len(), TARGET, 3.0, 0.5)), equal);
    });
}

/// As dropout, with one number for all that a sample holds.
#[test]
fn stochastic_depth() {
    let (batch, units) = (2000, 3);
    area("StochasticDepth", |case, equal| {
        let p = case["p"].as_f64().unwrap();
        let mut net = Builder::new("depth", Shape::features(units));
        let value = net.linear("fc", 0, units);
        net.op("depth", StochasticDepth { p: p as f32 }, &[value]);
        let mut network = net.finish();
        network.parameters[1].value.fill(1.0);
        let x = vec![0.0; batch * units];
        assert!(network.evaluate(&x).iter().all(|&y| y == 1.0), "evaluation drops nothing");
        let mut pass = |key| {
            let tape = network.forward(&x, key).unwrap();
            let y = tape.outputs().to_vec();
            let dy = values(y.len(), OUTPUT, 2.0, 0.0);
            let bias = network.backward(tape, wellfit_kernels::Buffer::from_slice(&dy)).0.remove(1).unwrap();
            for (unit, found) in bias.iter().enumerate() {
                let of_unit = y.iter().zip(&dy).skip(unit).step_by(units);
                let expected: f64 = of_unit.map(|(&y, &dy)| f64::from(y) * f64::from(dy)).sum();
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-4 * batch as f64,
                    "the gradient has the factors"
                );
            }
            y
        };
        let y = pass(KEY);
        assert!(y.chunks(units).all(|sample| sample.iter().all(|&y| y == sample[0])), "a sample as a whole");
        let mut seen = y.clone();
        seen.sort_by(f32::total_cmp);
        seen.dedup();
        equal("values", &seen);
        let dropped = |y: &[f32]| y.iter().step_by(units).map(|&y| y == 0.0).collect::<Vec<_>>();
        let first = dropped(&y);
        let share = |count: usize, p: f64| {
            let (found, error) = (count as f64 / batch as f64, (p * (1.0 - p) / batch as f64).sqrt());
            assert!((found - p).abs() <= 5.0 * error, "{found} at p = {p}");
        };
        share(first.iter().filter(|&&d| d).count(), p);
        for key in [DropoutKey { step: 1, ..KEY }, DropoutKey { seed: 2, ..KEY }] {
            let both = dropped(&pass(key)).iter().zip(&first).filter(|(a, b)| **a && **b).count();
            share(both, p * p);
        }
    });
}

/// The masks are our own generator's: they hold torch's two values, as often as they should, and depend on
/// seed, step and unit.
#[test]
fn dropout() {
    let (batch, units) = (50, 400);
    area("Dropout", |case, equal| {
        let p = case["p"].as_f64().unwrap();
        let shaped = serde_json::json!({ "shape": [batch, units] });
        let mut layer = Layer::new(&shaped, |net| {
            net.dropout("layer", 0, p as f32);
        });
        layer.set_input(&vec![1.0; batch * units]);
        assert!(layer.evaluate().iter().all(|&y| y == 1.0), "evaluation drops nothing");
        let (y, dx, _) = layer.pass();
        let mut seen = y.clone();
        seen.sort_by(f32::total_cmp);
        seen.dedup();
        equal("values", &seen);
        let dy = values(y.len(), OUTPUT, 2.0, 0.0);
        assert!(dx.iter().zip(&y).zip(&dy).all(|((dx, y), dy)| *dx == y * dy), "the gradient has the mask");
        let share = |count: usize, of: usize, p: f64, what: &str| {
            let (found, error) = (count as f64 / of as f64, (p * (1.0 - p) / of as f64).sqrt());
            assert!((found - p).abs() <= 5.0 * error, "{what}: {found} at p = {p}");
        };
        let dropped: Vec<bool> = y.iter().map(|&y| y == 0.0).collect();
        share(dropped.iter().filter(|&&d| d).count(), y.len(), p, "dropped");
        let pairs = dropped.windows(2).filter(|pair| pair[0] && pair[1]).count();
        // Overlapping pairs: their variance is at most three times that of as many coins.
        share(pairs / 2, y.len() / 2, p * p, "neighbours dropped together");
        for key in [DropoutKey { step: 1, ..KEY }, DropoutKey { seed: 2, ..KEY }] {
            let tape = layer.network.forward(&layer.units, key).unwrap();
            let both = tape.outputs().iter().zip(&dropped).filter(|(y, d)| **y == 0.0 && **d).count();
            share(both, y.len(), p * p, "dropped under two keys");
        }
    });
}
