//! Whole networks against torch: losses over steps, gradients, running statistics, logits.
//!
//! The fixtures are made by `parity/models.py` in float64. Except for those of the two MLPs, weights and images are a hash of their
//! place.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::io::Read;

use crate::common::{Fixture, channels_last, table, uniform, values};
use serde_json::Value;
use wellfit_kernels::conv::Algorithm;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::{DropoutKey, Gradients, Network, Op, Optimizer, Shape, build};

const PROBES: u32 = 4;

fn sorted_places(network: &Network) -> Vec<usize> {
    let mut places: Vec<usize> = (0..network.parameters.len()).collect();
    places.sort_by_key(|&p| network.parameters[p].name.clone());
    places
}

fn fill(network: &mut Network) {
    for (salt, place) in sorted_places(network).into_iter().enumerate() {
        let parameter = &mut network.parameters[place];
        let shape = parameter.shape.clone();
        let (scale, centre) = match shape.len() {
            4 => {
                // A depth-wise window reaches one channel.
                let outputs = if shape[1] > 1 { shape[0] } else { 1 };
                ((24.0 / (outputs * shape[2] * shape[3]) as f64).sqrt(), 0.0)
            }
            2 => (2.0 / (shape[1] as f64).sqrt(), 0.0),
            _ if parameter.name.ends_with("bn3.weight") => (0.04, 0.2),
            _ => (0.2, if parameter.name.ends_with("weight") { 1.0 } else { 0.0 }),
        };
        parameter.set_from_torch(&values(shape.iter().product(), salt as u32, scale, centre));
    }
    let mut buffers: Vec<(String, &mut Vec<f32>)> = Vec::new();
    for norm in &mut network.norms {
        buffers.push((format!("{}.running_mean", norm.name), &mut norm.mean));
        buffers.push((format!("{}.running_var", norm.name), &mut norm.variance));
    }
    buffers.sort_by(|a, b| a.0.cmp(&b.0));
    for (salt, (name, buffer)) in buffers.into_iter().enumerate() {
        let (scale, centre) = if name.ends_with("mean") { (0.1, 0.0) } else { (0.5, 1.0) };
        *buffer = values(buffer.len(), 9_000 + salt as u32, scale, centre);
    }
}

fn rule(name: &str) -> Rule {
    match name {
        "sgd" | "gentle" => Rule::SGD,
        "momentum" => Rule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true, weight_decay: 5e-4 },
        "adam" => Rule::ADAM,
        "adamw" => Rule::ADAMW,
        other => panic!("rule {other}"),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Largest |got − expected| over the largest |expected|.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(1e-30_f64, |m, x| m.max(x.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f64::max) / scale
}

/// The norm of a gradient's error, estimated from its products with random probes. For probes of numbers U(±½),
/// which have variance 1/12, the mean square of the products' errors is the error's squared norm / 12.
fn error_norm(gradient: &[f32], salt: u32, expected: &[f64]) -> f64 {
    let square = |(probe, expected): (u32, &f64)| {
        let probe = uniform(gradient.len(), 5_000 + PROBES * salt + probe);
        let product: f64 = gradient.iter().zip(&probe).map(|(&g, p)| f64::from(g) * p).sum();
        (product - expected).powi(2)
    };
    assert_eq!(expected.len(), PROBES as usize);
    ((0..).zip(expected).map(square).sum::<f64>() * 12.0 / f64::from(PROBES)).sqrt()
}

/// How far a network strays from torch, and over how much that was seen.
struct Strayed {
    steps: usize,
    tensors: usize,
    /// Of the largest loss.
    losses: f64,
    /// Of a tensor's norm.
    gradients: f64,
    /// Of a tensor's norm.
    running: f64,
    /// Of the largest logit.
    logits: f64,
}

/// A case's network, images and labels. Images of different `nudge` differ in their last bits.
fn start(case: &Value, algorithm: Algorithm, nudge: u8) -> (Network, Vec<f32>, Vec<u32>) {
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&x| x as usize).collect();
    let [n, c, h, w] = shape[..] else { panic!("shape") };
    let classes = classes_of(case);
    let mut network = build(text(case, "model"), Shape::image(h, w, c), classes).unwrap();
    network.algorithm = algorithm;
    // torch draws other numbers than we do, so nothing is dropped here.
    for node in &mut network.nodes {
        match &mut node.op {
            Op::Dropout(dropout) => dropout.p = 0.0,
            Op::StochasticDepth(depth) => depth.p = 0.0,
            _ => {}
        }
    }
    fill(&mut network);
    let salt = case["salt"].as_u64().unwrap() as u32;
    let mut images = channels_last(&values(n * c * h * w, salt, 3.5, 0.0), &shape);
    images.iter_mut().for_each(|x| *x *= 1.0 + f32::from(nudge) * f32::EPSILON);
    (network, images, (0..n as u32).map(|i| i * 7 % classes as u32).collect())
}

/// How far the gradients of the first step are from torch's.
fn first_gradients_off(case: &Value, algorithm: Algorithm, nudge: u8) -> f64 {
    let (mut network, images, labels) = start(case, algorithm, nudge);
    let tape = network.forward(&images, DropoutKey { seed: 0, step: 0, row: 0 }).unwrap();
    let loss = CrossEntropy::default().loss(tape.outputs(), &labels, classes_of(case));
    let gradients = network.backward(tape, loss.gradient);
    gradient_distance(&network, &gradients, &case["gradients"])
}

fn follow(case: &Value, algorithm: Algorithm) -> Strayed {
    let (mut network, images, labels) = start(case, algorithm, 0);
    let classes = classes_of(case);
    let logits: Vec<f64> = network.evaluate(&images).iter().map(|&x| f64::from(x)).collect();
    let mut optimizer = Optimizer::new(rule(text(case, "rule")), &network);
    let lr = match text(case, "rule") {
        "adam" | "adamw" => 1e-3,
        "gentle" => 1e-4,
        _ => 0.01,
    };
    let expected = numbers(&case["losses"]);
    let (mut losses, mut gradients_off) = (Vec::new(), 0.0);
    for step in 0..expected.len() {
        let tape = network.forward(&images, DropoutKey { seed: 0, step: step as u32, row: 0 }).unwrap();
        let loss = CrossEntropy::default().loss(tape.outputs(), &labels, classes);
        losses.push(loss.value);
        let gradients = network.backward(tape, loss.gradient);
        if step == 0 {
            gradients_off = gradient_distance(&network, &gradients, &case["gradients"]);
        }
        optimizer.update(&mut network, &gradients, lr);
    }
    Strayed {
        steps: expected.len(),
        tensors: network.parameters.len(),
        losses: distance(&losses, &expected),
        gradients: gradients_off,
        running: running_distance(&network, &case["running"]),
        logits: distance(&logits, &numbers(&case["logits"])),
    }
}

/// The largest error of a tensor's norm, and of the tensor, over that norm.
fn gradient_distance(network: &Network, gradients: &Gradients, expected: &Value) -> f64 {
    let all = expected.as_object().unwrap().values();
    let all = all.map(|g| numbers(g)[0].powi(2)).sum::<f64>().sqrt();
    // A bias before BatchNorm has gradient zero: what torch and we give for it is rounding of this size. And a
    // tensor that adds little to the whole gradient is judged by this share of it.
    let (nothing, little) = (1e-6 * all, 1e-4 * all);
    let off = |(salt, place): (u32, usize)| {
        let parameter = &network.parameters[place];
        let gradient = parameter.to_torch(gradients.0[place].as_ref().unwrap());
        let expected = numbers(&expected[&parameter.name]);
        if expected[0] < nothing {
            assert!(norm(&gradient) < nothing, "{} is not zero", parameter.name);
            return 0.0;
        }
        let longer = (norm(&gradient) - expected[0]).abs();
        longer.max(error_norm(&gradient, salt, &expected[1..])) / expected[0].max(little)
    };
    (0..).zip(sorted_places(network)).map(off).fold(0.0, f64::max)
}

fn running_distance(network: &Network, expected: &Value) -> f64 {
    let parts = network.norms.iter().flat_map(|layer| {
        [("running_mean", &layer.mean), ("running_var", &layer.variance)].map(|(part, ours)| {
            let expected = numbers(&expected[format!("{}.{part}", layer.name)])[0];
            (norm(ours) - expected).abs() / expected
        })
    });
    parts.fold(0.0, f64::max)
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn classes_of(case: &Value) -> usize {
    case["classes"].as_u64().unwrap() as usize
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

/// A unit that rounding moves across a ReLU's zero changes a deep gradient by a per mille or more: torch in float32
/// differs from torch in float64 by up to 1.7e-2 for that reason. Where torch's own rounding moves none (`steady`
/// in the fixture), first gradients are judged by the tight limit, elsewhere by this one.
const FLIPPED: f64 = 2e-2;
/// Our own rounding, which depends on the instruction set, may move one that torch's does not, or more of them. With
/// images that differ in their last bits it moves others or none: so many are tried at most, while an error in a
/// gradient would show with all of them.
const NUDGES: u8 = 12;

/// All cases of the models whose name begins so, within tolerances of the losses and of steady first gradients.
fn networks(algorithm: Algorithm, prefix: &str, title: &str, curve: f64, gradient: f64) {
    let json = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models.json"));
    let fixture: Value = serde_json::from_str(&json.unwrap()).unwrap();
    let cases = fixture["cases"].as_array().unwrap().iter();
    let cases: Vec<&Value> = cases.filter(|case| text(case, "model").starts_with(prefix)).collect();
    let steady = |case: &Value| case["steady"].as_bool().unwrap();
    let limit = |case: &Value| if steady(case) { gradient } else { FLIPPED };
    let mut strayed: Vec<Strayed> = cases.iter().map(|case| follow(case, algorithm)).collect();
    for (case, off) in cases.iter().zip(&mut strayed) {
        if off.gradients >= limit(case) {
            let mut others = (1..=NUDGES).map(|nudge| first_gradients_off(case, algorithm, nudge));
            off.gradients = others.find(|&other| other < limit(case)).unwrap_or(off.gradients);
        }
    }
    for (case, off) in cases.iter().zip(&strayed) {
        let Strayed { losses, gradients, running, logits, .. } = off;
        let what = format!("{title} {} {}", text(case, "rule"), case["shape"]);
        println!(
            "{what}: losses {losses:e}, gradients {gradients:e}, running {running:e}, logits {logits:e}"
        );
        assert!(*losses < curve, "{what}: losses off by {losses:e}");
        assert!(*gradients < limit(case), "{what}: gradients off by {gradients:e}");
        // Adam turns the smallest gradient into a whole step: rounding reaches the statistics.
        assert!(*running < 3e-3, "{what}: running statistics off by {running:e}");
        assert!(*logits < 1e-5, "{what}: logits off by {logits:e}");
    }
    let row = |what: &str, cases: &str, tolerance: &str, off: f64| {
        table::row(&format!("{title}, {what}"), &["torch", "torchvision"], cases, tolerance, off);
    };
    let largest = |of: fn(&Strayed) -> f64| strayed.iter().map(of).fold(0.0, f64::max);
    let steps = strayed.iter().map(|s| s.steps.to_string()).collect::<Vec<_>>().join(", ");
    let curves = format!("{} curves of {steps} steps", strayed.len());
    row("losses", &curves, &format!("{curve:.0e} of the largest loss"), largest(|s| s.losses));
    for (what, kind, limit) in
        [("first gradients", true, gradient), ("first gradients where ReLUs flip", false, FLIPPED)]
    {
        let some = || cases.iter().zip(&strayed).filter(|(case, _)| steady(case) == kind).map(|(_, off)| off);
        let tensors = format!("{} tensors", some().map(|off| off.tensors).sum::<usize>());
        if some().next().is_some() {
            let largest = some().map(|off| off.gradients).fold(0.0, f64::max);
            row(what, &tensors, &format!("{limit:.0e} of a tensor's norm"), largest);
        }
    }
    let batches = format!("{} batches", strayed.len());
    row("logits in evaluation", &batches, "1e-5 of the largest logit", largest(|s| s.logits));
}

#[test]
fn mlps_follow_torch() {
    networks(Algorithm::Fastest, "mlp", "MLPs", 1e-4, 1e-4);
}

/// With direct sums, then with Winograd's.
#[test]
fn resnets_follow_torch() {
    networks(Algorithm::Direct, "resnet18", "ResNet-18", 1e-3, 1e-4);
    networks(Algorithm::Direct, "resnet50", "ResNet-50", 1e-3, 1e-4);
    networks(Algorithm::Direct, "resnext50_32x4d", "ResNeXt-50 32×4d", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "resnet18", "ResNet-18 by Winograd", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "resnet50", "ResNet-50 by Winograd", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "resnext50_32x4d", "ResNeXt-50 32×4d by Winograd", 1e-3, 1e-4);
}

#[test]
fn mobile_networks_follow_torch() {
    networks(Algorithm::Fastest, "mobilenet_v3_large", "MobileNetV3-Large", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "mobilenet_v3_small", "MobileNetV3-Small", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "efficientnet_b0", "EfficientNet-B0", 1e-3, 1e-4);
    networks(Algorithm::Fastest, "efficientnet_lite0", "EfficientNet-Lite0", 1e-3, 1e-4);
}

/// What follows the header of an IDX file of the embedded sample.
fn sample(name: &str, header: usize) -> Vec<u8> {
    let path = format!("{}/../data/assets/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes.split_off(header)
}

/// Both MLPs from torch's initial weights on torch's batches: 100 steps.
#[test]
fn twins_follow_torchs_loss_curve() {
    let fixture = Fixture::open("twins.safetensors");
    let images = sample("sample-train-images-idx3-ubyte.gz", 16);
    let labels = sample("sample-train-labels-idx1-ubyte.gz", 8);
    let mut worst = 0.0_f64;
    for (name, rule_name, lr) in
        [("mlp", "sgd", 0.01), ("mlp", "adam", 1e-3), ("mlp-bn", "sgd", 0.01), ("mlp-bn", "adam", 1e-3)]
    {
        let mut network = build(name, Shape::image(28, 28, 1), 10).unwrap();
        for parameter in &mut network.parameters {
            parameter.set_from_torch(fixture.floats(&format!("{name}/{}", parameter.name)));
        }
        let mut optimizer = Optimizer::new(rule(rule_name), &network);
        let expected = fixture.floats(&format!("{name}/losses/{rule_name}"));
        let batches = fixture.ints("batches").chunks_exact(64);
        assert_eq!((batches.len(), expected.len()), (100, 100));
        for ((step, batch), &expected) in (0..).zip(batches).zip(expected) {
            let pixels = batch.iter().flat_map(|&i| &images[i as usize * 784..][..784]);
            let pixels: Vec<f32> = pixels.map(|&pixel| f32::from(pixel) / 255.0).collect();
            let labels: Vec<u32> = batch.iter().map(|&i| u32::from(labels[i as usize])).collect();
            let tape = network.forward(&pixels, DropoutKey { seed: 0, step, row: 0 }).unwrap();
            let loss = CrossEntropy::default().loss(tape.outputs(), &labels, 10);
            let off = (loss.value / f64::from(expected) - 1.0).abs();
            assert!(off < 1e-4, "{name} {rule_name} step {step}: {} and not {expected}", loss.value);
            worst = worst.max(off);
            let gradients = network.backward(tape, loss.gradient);
            optimizer.update(&mut network, &gradients, lr);
        }
    }
    table::row(
        "MLP twins on Fashion-MNIST, losses",
        &["torch"],
        "4 curves of 100 steps",
        "1e-4 of the loss",
        worst,
    );
}

/// Grad-CAM as torch's autograd gives it (`parity/grad_cam.py`): maps to 2e-5 of the largest value in them, which is
/// what float32 is off in the logits of these networks as well.
#[test]
fn heat_maps_are_those_of_autograd() {
    let fixture: Value = serde_json::from_slice(include_bytes!("../fixtures/grad_cam.json")).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let shape: Vec<usize> = numbers(&case["shape"]).into_iter().map(|side| side as usize).collect();
        let input = Shape::image(shape[2], shape[3], shape[1]);
        let (name, classes) = (text(case, "model"), case["classes"].as_u64().unwrap() as usize);
        let mut network = build(name, input, classes).unwrap();
        fill(&mut network);
        let salt = case["salt"].as_u64().unwrap() as u32;
        let images = channels_last(&values(shape.iter().product(), salt, 3.5, 0.0), &shape);
        let explained = numbers(&case["explained"]);
        for (place, image) in images.chunks_exact(input.len()).enumerate() {
            let found = network.grad_cam(image, &|_| explained[place] as usize).unwrap().unwrap();
            assert_eq!(numbers(&case["size"]), [found.height as f64, found.width as f64], "{name}");
            let part = |key: &str, len: usize| numbers(&case[key])[place * len..][..len].to_vec();
            let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
            let off = distance(&wide(&found.maps), &part("maps", found.maps.len()));
            assert!(off < 2e-5, "{name}: {off}");
            let off = distance(&wide(&found.outputs), &part("logits", classes));
            assert!(off < 2e-5, "{name}: {off}");
        }
        // Two images at once, and statistics stay: a second look sees the same.
        let again = network.grad_cam(&images, &|_| 3).unwrap().unwrap();
        assert_eq!(again, network.grad_cam(&images, &|_| 3).unwrap().unwrap(), "{name}");
        assert_eq!(again.outputs, network.evaluate(&images).to_vec(), "{name}");
    }
    assert!(build("mlp", Shape::image(4, 4, 1), 3).unwrap().grad_cam(&[0.5; 16], &|_| 0).unwrap().is_none());
}
