//! Parameter counts, freezing, dropout, weights in and out.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use wellfit_kernels::loss::{CrossEntropy, mean_squared_error};
use wellfit_kernels::optim::Rule;
use wellfit_models::arch::mlp::regressor;
use wellfit_models::{
    DropRates, DropoutKey, HeadTaken, MODELS, ModelError, Network, Optimizer, Precision, Shape, build,
    build_with, least_parameters,
};
use wellfit_rng::{Rng, Stream};

const KEY: DropoutKey = DropoutKey { seed: 3, step: 1, row: 0 };

fn made(name: &str, size: usize, channels: usize, classes: usize) -> Network {
    let mut network = build(name, Shape::image(size, size, channels), classes).unwrap();
    network.initialise(1);
    network
}

fn noise(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(9, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// One training step; the loss before it.
fn step(network: &mut Network, optimizer: &mut Optimizer, images: &[f32], labels: &[u32]) -> f64 {
    let tape = network.forward(images, KEY).unwrap();
    let loss = CrossEntropy::default().loss(tape.outputs(), labels, network.outputs());
    let gradients = network.backward(tape, loss.gradient);
    optimizer.update(network, &gradients, 0.01);
    loss.value
}

/// torchvision's counts for 1000 classes; the MLPs of `lab batchnorm`.
#[test]
fn parameter_counts_are_torchvisions() {
    for (name, count) in [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        ("resnext50_32x4d", 25_028_904),
        ("mobilenet_v3_large", 5_483_032),
        ("mobilenet_v3_small", 2_542_856),
        ("efficientnet_b0", 5_288_548),
        ("efficientnet_lite0", 4_652_008),
        ("wide_resnet50_2", 68_883_240),
        ("wide_resnet101_2", 126_886_696),
    ] {
        let network = build(name, Shape::image(224, 224, 3), 1000).unwrap();
        assert_eq!((network.parameter_count(), network.trainable_count()), (count, count), "{name}");
    }
    for (name, count) in [("mlp", 39_106), ("mlp-bn", 39_250), ("resnet20", 272_186)] {
        assert_eq!(build(name, Shape::image(28, 28, 1), 10).unwrap().parameter_count(), count, "{name}");
    }
    let network = made("resnet50", 224, 3, 1000);
    let summary = network.summary();
    for line in
        ["25,557,032 total parameters", "layer4.2.conv3", "AdaptiveAvgPool2d", "eps=1e-5, momentum=0.1"]
    {
        assert!(summary.contains(line), "{line} is not in\n{summary}");
    }
    let summary = made("efficientnet_b0", 224, 3, 1000).summary();
    for line in [
        "5,288,548 total parameters",
        "features.2.0.block.2.fc1",
        "Conv2d(96, 96, kernel_size=3, stride=2, padding=1, groups=96, bias=False)",
        "StochasticDepth(p=0.025, mode=row)",
    ] {
        assert!(summary.contains(line), "{line} is not in\n{summary}");
    }
}

#[test]
fn unknown_and_empty_networks_are_refused() {
    let image = Shape::image(8, 8, 3);
    let unknown = build("resnet51", image, 10).unwrap_err().to_string();
    assert!(MODELS.iter().all(|name| unknown.contains(name)), "{unknown}");
    assert!(matches!(build("mlp", image, 0), Err(ModelError::Empty { .. })));
    assert!(matches!(build("mlp", Shape::image(0, 8, 3), 2), Err(ModelError::Empty { .. })));
}

#[test]
fn one_value_per_channel_is_an_error_that_names_the_layer() {
    let mut network = made("mlp-bn", 4, 1, 3);
    let error = network.forward(&noise(16, 0), KEY).unwrap_err().to_string();
    assert!(error.contains("classifier.1") && error.contains("batch size of 2"), "{error}");
    assert!(network.forward(&noise(32, 0), KEY).is_ok());
}

#[test]
fn a_frozen_backbone_keeps_every_bit_and_the_head_learns() {
    let mut network = made("resnet18", 32, 3, 4);
    network.freeze_backbone();
    assert_eq!(network.trainable_count(), 512 * 4 + 4);
    let (before, frozen) = (network.state(), network.frozen_state());
    let (images, labels) = (noise(4 * 32 * 32 * 3, 0), [0, 1, 2, 3]);
    let mut optimizer = Optimizer::new(Rule::ADAM, &network);
    let first = step(&mut network, &mut optimizer, &images, &labels);
    let last = (0..20).map(|_| step(&mut network, &mut optimizer, &images, &labels)).last().unwrap();
    assert!(last < 0.5 * first, "{first} → {last}");
    for ((name, before), (_, after)) in before.arrays.iter().zip(&network.state().arrays) {
        assert_eq!(before == after, !name.starts_with("fc."), "{name}");
    }
    assert_eq!(network.frozen_state(), frozen);
    let trained = network.trained_state().arrays;
    assert!(trained.iter().map(|(name, _)| name).eq(["fc.weight", "fc.bias"]));
    assert_eq!([frozen.arrays, trained].concat().len(), before.arrays.len(), "each is in one of the two");
    // Evaluation mode throughout: training and evaluating agree to the bit.
    let tape = network.forward(&images, KEY).unwrap();
    assert_eq!(tape.outputs(), &network.evaluate(&images)[..]);
}

#[test]
fn a_state_dict_comes_back_bit_for_bit_under_torchs_layouts() {
    for name in ["mlp-bn", "resnet20", "resnet50", "mobilenet_v3_small", "efficientnet_b0"] {
        let mut network = made(name, 16, 3, 5);
        network.norms[0].batches = 17;
        network.norms[0].mean[1] = -0.25;
        let state = network.state();
        let mut other = build(name, network.input, 5).unwrap();
        other.load(&state, false).unwrap();
        assert_eq!(other.state(), state, "{name}");
        let images = noise(2 * 16 * 16 * 3, 1);
        assert_eq!(other.evaluate(&images)[..], network.evaluate(&images)[..], "{name}");
    }
    // torch's layout of a convolution is [out, in, row, column].
    let mut network = made("resnet20", 8, 3, 2);
    let ours = network.parameters[0].value.clone();
    let torch = network.parameters[0].to_torch(&ours);
    assert_eq!(network.parameters[0].shape, [16, 3, 3, 3]);
    assert_eq!(torch[((5 * 3 + 2) * 3 + 1) * 3], ours[((3 * 3 + 2) * 16) + 5]);
    network.parameters[0].set_from_torch(&torch);
    assert_eq!(network.parameters[0].value[..], ours[..]);
}

#[test]
fn weights_that_do_not_fit_are_named_and_change_nothing() {
    let mut network = made("resnet18", 32, 3, 4);
    let before = network.state();
    let wrong = made("resnet50", 32, 3, 4).state();
    let error = network.load(&wrong, true).unwrap_err().to_string();
    for part in ["resnet18", "layer1.0.conv1.weight", "[64, 64, 3, 3]", "more"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let mut short = before.clone();
    short.arrays.retain(|(name, _)| name != "bn1.running_var");
    let error = network.load(&short, true).unwrap_err().to_string();
    assert!(error.contains("`bn1.running_var` [64]  missing"), "{error}");
    assert_eq!(network.state(), before);
}

#[test]
fn a_head_for_other_classes_is_replaced_only_when_asked() {
    let theirs = made("resnet18", 32, 3, 1000).state();
    let mut network = build("resnet18", Shape::image(32, 32, 3), 4).unwrap();
    network.initialise(2);
    let head = network.parameters.last().unwrap().value.clone();
    assert!(network.load(&theirs, false).is_err());
    let fresh = HeadTaken::Fresh { name: Some("fc".to_owned()), classes: Some(1000) };
    assert_eq!(network.load(&theirs, true).unwrap().head, fresh);
    assert_eq!(network.parameters.last().unwrap().value[..], head[..]);
    assert_eq!(network.state().get("conv1.weight"), theirs.get("conv1.weight"));
}

#[test]
fn an_optimizer_goes_on_as_if_never_interrupted() {
    let (images, labels) = (noise(6 * 64, 2), [0, 1, 2, 0, 1, 2]);
    let mut network = made("mlp-bn", 8, 1, 3);
    let mut optimizer = Optimizer::new(Rule::ADAMW, &network);
    for _ in 0..3 {
        step(&mut network, &mut optimizer, &images, &labels);
    }
    let (weights, memory) = (network.state(), optimizer.state(&network));
    for _ in 0..3 {
        step(&mut network, &mut optimizer, &images, &labels);
    }
    let mut resumed = build("mlp-bn", network.input, 3).unwrap();
    resumed.load(&weights, false).unwrap();
    let mut again = Optimizer::new(Rule::ADAMW, &resumed);
    again.load(&resumed, &memory).unwrap();
    for _ in 0..3 {
        step(&mut resumed, &mut again, &images, &labels);
    }
    assert_eq!(resumed.state(), network.state());
    assert!(Optimizer::new(Rule::ADAM, &resumed).load(&resumed, &weights).is_err());
}

#[test]
fn dropout_is_inverted_keeps_its_rate_and_rests_in_evaluation() {
    let mut network = regressor(2000, Some(0.3));
    network.initialise(0);
    let tape = network.forward(&[0.7], KEY).unwrap();
    let same = network.forward(&[0.7], KEY).unwrap();
    assert_eq!(tape.outputs(), same.outputs(), "the same key drops the same units");
    let other = network.forward(&[0.7], DropoutKey { step: 2, ..KEY }).unwrap();
    assert_ne!(tape.outputs(), other.outputs(), "another step drops others");
    assert_eq!(network.evaluate(&[0.7])[..], mlp_without_dropout(&network).evaluate(&[0.7])[..]);
}

fn mlp_without_dropout(network: &Network) -> Network {
    let mut plain = regressor(2000, None);
    for (ours, theirs) in plain.parameters.iter_mut().zip(&network.parameters) {
        ours.value = theirs.value.clone();
    }
    plain
}

/// Central differences of the loss in f32: 1e-2 of the gradient's size is their own accuracy.
#[test]
fn gradients_through_dropout_are_those_of_its_mask() {
    let mut network = regressor(10, Some(0.4));
    network.initialise(5);
    let (x, y) = (noise(6, 3), noise(6, 4));
    let loss = |network: &mut Network| {
        let tape = network.forward(&x, KEY).unwrap();
        mean_squared_error(tape.outputs(), &y).value
    };
    let tape = network.forward(&x, KEY).unwrap();
    let gradient = mean_squared_error(tape.outputs(), &y).gradient;
    let gradients = network.backward(tape, gradient);
    let norm = gradients.norm();
    for place in [0, 2, 4] {
        for weight in 0..network.parameters[place].value.len().min(10) {
            let found = f64::from(gradients.0[place].as_ref().unwrap()[weight]);
            let mut moved = |by: f32| {
                let before = network.parameters[place].value[weight];
                network.parameters[place].value[weight] = before + by;
                let value = loss(&mut network);
                network.parameters[place].value[weight] = before;
                value
            };
            let expected = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((found - expected).abs() < 1e-2 * norm, "{place} {weight}: {found} against {expected}");
        }
    }
}

/// The share of dropped units and the factor of the kept ones, seen through a layer of ones.
#[test]
fn dropout_masks_hold_zero_and_the_inverse_share() {
    // Zero weights and a bias of one: every unit of the second layer is 1, and the last layer adds them up.
    let mut small = regressor(400, Some(0.2));
    small.parameters.iter_mut().for_each(|p| p.value.fill(0.0));
    small.parameters[3].value.fill(1.0);
    small.parameters[4].value.fill(1.0);
    let mut kept = 0.0;
    for step in 0..100 {
        // 400 units, each 1/(1 − 0.2) if kept: the output is their sum.
        let tape = small.forward(&[1.0], DropoutKey { seed: 0, step, row: 0 }).unwrap();
        let units = f64::from(tape.outputs()[0]) * 0.8;
        assert!((units - units.round()).abs() < 1e-3, "{units} is no number of units");
        kept += units;
    }
    // Five standard errors of 40,000 coins with p = 0.8.
    assert!((kept / 40_000.0 - 0.8).abs() < 5.0 * (0.16_f64 / 40_000.0).sqrt(), "{kept}");
    assert_eq!(small.evaluate(&[1.0])[0], 400.0);
}

/// The bound holds for every architecture, and grows with the classes (and an MLP's input) as the network does.
#[test]
fn no_network_has_fewer_than_its_least_parameters() {
    for &name in MODELS.iter() {
        let input = Shape::image(32, 32, 3);
        let [small, large] = [2, 1002].map(|classes| build(name, input, classes).unwrap());
        let least = |classes| least_parameters(name, input, classes);
        assert!(least(2) <= small.parameter_count() && least(1002) <= large.parameter_count(), "{name}");
        // A bias a class is all that the bound leaves out of the growth.
        assert_eq!(
            large.parameter_count() - small.parameter_count() - (least(1002) - least(2)),
            1000,
            "{name}"
        );
    }
    let vast = least_parameters("mlp", Shape::image(4096, 4096, 3), 2);
    assert!(vast > 48 * 4096 * 4096 * 3, "{vast}");
    assert_eq!(least_parameters("resnet50", Shape::image(32, 32, 3), usize::MAX), usize::MAX);
}

/// Behind a frozen backbone nothing waits for a gradient: a pass holds a block's input, its output and what lies
/// between, so the estimate must not grow with the depth.
#[test]
fn a_frozen_backbone_is_not_estimated_to_keep_its_values() {
    let mut network = build("resnet50", Shape::image(128, 128, 3), 2).unwrap();
    let largest = network.nodes.iter().map(|node| node.shape.len()).max().unwrap() as u64;
    let batch = 8;
    let trained = network.step_bytes(batch);
    network.freeze_backbone();
    let frozen = network.step_bytes(batch);
    let a_value = 4 * batch as u64 * largest;
    assert!(frozen >= 2 * a_value, "{frozen} bytes for values of {a_value}");
    assert!(frozen <= 4 * a_value, "{frozen} bytes for values of {a_value}");
    assert!(trained > 20 * a_value);
}

/// A row of a batch does not know the others: the same bits alone, and anywhere in batches of other sizes, also where
/// a kernel's tile ends. The cache of features rests on it.
#[test]
fn an_images_result_does_not_depend_on_its_batch() {
    for (name, size, channels) in [
        ("resnet50", 32, 3),
        ("resnet18", 40, 3),
        ("resnet20", 28, 1),
        ("mlp-bn", 28, 1),
        ("efficientnet_b0", 40, 3),
    ] {
        for precision in [Precision::F32, Precision::Bf16] {
            let mut network = made(name, size, channels, 7);
            network.precision = precision;
            let len = network.input.len();
            let images = noise(len * 9, 3);
            let alone: Vec<Vec<f32>> =
                images.chunks_exact(len).map(|image| network.evaluate(image).to_vec()).collect();
            for batch in [2, 5, 8, 9] {
                for first in [0, 9 - batch] {
                    let together = network.evaluate(&images[first * len..][..batch * len]);
                    let bits = |row: &[f32]| row.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
                    for (row, alone) in together.chunks_exact(7).zip(&alone[first..]) {
                        assert_eq!(bits(row), bits(alone), "{name}, {precision:?}, in batches of {batch}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_frozen_prefix_ends_before_what_trains_drops_or_normalises_by_batches() {
    let mut network = made("resnet18", 32, 3, 5);
    assert_eq!(network.frozen_prefix(), 0);
    network.freeze_backbone();
    assert_eq!(network.frozen_prefix(), network.nodes.len() - 1, "all but the head");
    let place =
        |network: &Network, name: &str| network.nodes.iter().position(|node| node.name == name).unwrap();
    // The second convolution of a block trains: the shortcut is read behind it, so the cut is before the block.
    let mut thawed = network.clone();
    thawed
        .parameters
        .iter_mut()
        .filter(|p| p.name == "layer3.1.conv2.weight")
        .for_each(|p| p.trainable = true);
    assert_eq!(thawed.frozen_prefix(), place(&thawed, "layer3.1.conv1"));
    let mut thawed = network.clone();
    thawed.norms[1].frozen = false;
    assert_eq!(
        thawed.frozen_prefix(),
        place(&thawed, "layer1.0.conv1"),
        "BatchNorm runs with its convolution"
    );
    let mut dropping = regressor(8, Some(0.5));
    dropping.freeze_backbone();
    // Dropout between frozen layers is off; that before the head is not.
    let is_dropout = |node: &wellfit_models::Node| matches!(node.op, wellfit_models::Op::Dropout(_));
    assert_eq!(Some(dropping.frozen_prefix()), dropping.nodes.iter().rposition(is_dropout));
}

/// Its blocks use stochastic depth, which is off in a frozen backbone; the dropout before the head is not.
#[test]
fn a_frozen_backbone_is_in_evaluation_mode_whatever_is_random_in_it() {
    let mut network = made("efficientnet_lite0", 32, 3, 5);
    network.freeze_backbone();
    let cut = network.frozen_prefix();
    let dropout = network.nodes.iter().position(|node| matches!(node.op, wellfit_models::Op::Dropout(_)));
    assert_eq!(Some(cut), dropout);
    let images = noise(32 * 32 * 3 * 4, 1);
    let features = network.features(&images, cut);
    let mut again = network.clone();
    let whole = network.forward(&images, KEY).unwrap();
    let rest = again.forward_from(&features, cut, KEY).unwrap();
    assert_eq!(whole.outputs(), rest.outputs());
}

#[test]
fn from_the_prefix_on_the_bits_are_the_same() {
    let mut network = made("resnet18", 32, 3, 5);
    network.freeze_backbone();
    let (images, cut) = (noise(32 * 32 * 3 * 4, 1), network.frozen_prefix());
    let features = network.features(&images, cut);
    assert_eq!(*network.evaluate_from(&features, cut), *network.evaluate(&images));
    let mut again = network.clone();
    let (whole, rest) =
        (network.forward(&images, KEY).unwrap(), again.forward_from(&features, cut, KEY).unwrap());
    assert_eq!(whole.outputs(), rest.outputs());
    let gradient = || CrossEntropy::default().loss(whole.outputs(), &[0, 1, 2, 3], 5).gradient;
    let (a, b) = (gradient(), gradient());
    let (a, b) = (network.backward(whole, a), again.backward(rest, b));
    for (a, b) in a.0.iter().zip(&b.0) {
        assert_eq!(a.as_deref(), b.as_deref());
    }
    assert_eq!(a.0.iter().flatten().count(), 2, "the head's weight and bias");
}

/// Dropout before the head: torch's `Dropout(p)` there, whose mask is ours, in training; nothing in evaluation. Names and
/// first weights are those of the network without.
#[test]
fn dropout_stands_before_the_head_of_every_network() {
    for name in MODELS.iter() {
        let image = Shape::image(32, 32, 3);
        let rates = DropRates { dropout: Some(0.75), ..DropRates::default() };
        let mut dropping = build_with(name, image, 4, rates).unwrap();
        let mut plain = build(name, image, 4).unwrap();
        let nodes = dropping.nodes.len();
        assert!(matches!(dropping.nodes[nodes - 2].op, wellfit_models::ops::Op::Dropout(_)), "{name}");
        assert_eq!(dropping.summary().matches("Dropout(p=0.75)").count(), 1, "{name}");
        let names = |network: &Network| network.parameters.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&dropping), names(&plain), "{name}");
        // What is larger has the same layers, and takes minutes.
        if plain.parameter_count() > 30_000_000 {
            continue;
        }
        for network in [&mut dropping, &mut plain] {
            network.initialise(1);
        }
        let values =
            |network: &Network| network.parameters.iter().map(|p| p.value.to_vec()).collect::<Vec<_>>();
        assert!(values(&dropping) == values(&plain), "{name}");
        let images = noise(2 * image.len(), 1);
        assert!(dropping.evaluate(&images) == plain.evaluate(&images), "{name}");
        // A frozen backbone gives the features; the head reads what the mask leaves of them.
        dropping.freeze_backbone();
        let features = dropping.shape(nodes - 2).len();
        let tape = dropping.forward(&images, KEY).unwrap();
        let mask = wellfit_models::ops::dropout_mask((2, 2 * features), 0.75, KEY, (nodes - 2) as u32);
        assert!(mask.iter().all(|&m| m == 0.0 || m == 4.0));
        let mut head = dropping.clone();
        head.nodes.truncate(nodes - 2);
        let x = head.evaluate(&images);
        let parameter =
            |place: usize| &dropping.parameters[dropping.nodes[nodes - 1].parameters[place]].value;
        for (i, &found) in tape.outputs().iter().enumerate() {
            let (sample, class) = (i / 4, i % 4);
            let terms: Vec<f64> = (0..features)
                .map(|f| {
                    let kept = f64::from(x[sample * features + f]) * f64::from(mask[sample * features + f]);
                    kept * f64::from(parameter(0)[f * 4 + class])
                })
                .collect();
            let expected = terms.iter().sum::<f64>() + f64::from(parameter(1)[class]);
            // A sum in f32 errs by some 2⁻²⁴ of the sizes of its terms.
            let size = terms.iter().map(|term| term.abs()).sum::<f64>().max(1.0);
            assert!((f64::from(found) - expected).abs() < 1e-6 * size, "{name}: {found}, not {expected}");
        }
    }
}
