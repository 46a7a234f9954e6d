//! Single passes: outputs, loss, gradients, running statistics, an Adam step.

use crate::{BACKWARD, DEVICE, FORWARD, GPU, KEY, apart, mlp, noise, ready};
use wellfit_gpu::{Device, Engine, open};
use wellfit_kernels::conv::Algorithm;
use wellfit_kernels::loss::CrossEntropy;
use wellfit_kernels::optim::Rule;
use wellfit_models::arch::resnet::{Block, imagenet};
use wellfit_models::graph::Builder;
use wellfit_models::{Cpu, Gradients, ModelError, Network, Optimizer, Shape, architecture, build};

/// The results of a step on one engine.
struct Step {
    outputs: Vec<f32>,
    loss: f64,
    gradients: Gradients,
    /// After the optimiser's update.
    network: Network,
}

fn step(engine: &dyn Engine, network: &Network, images: &[f32], loss: &CrossEntropy) -> Step {
    let mut network = network.clone();
    let classes = network.outputs();
    let labels: Vec<u32> = (0..images.len() / network.input.len()).map(|i| (i % classes) as u32).collect();
    let pass = engine.forward(&mut network, images, 0, KEY).unwrap();
    let outputs = pass.outputs().to_vec();
    let loss = loss.loss(&outputs, &labels, classes);
    let gradients = pass.backward(&network, loss.gradient).unwrap();
    // Its first step goes by a gradient's sign alone where ε is nothing, even if the gradient is nothing but rounding.
    let rule = Rule::Adam { betas: (0.9, 0.999), eps: 1e-3, weight_decay: 0.0, decoupled: false };
    Optimizer::new(rule, &network).update(&mut network, &gradients, 1e-2);
    Step { outputs, loss: loss.value, gradients, network }
}

/// Whether nothing is further apart than it may be; says how far the worst is.
fn near(what: &str, tolerance: f64, found: impl IntoIterator<Item = (String, f64)>) -> bool {
    let worst = found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    println!("{what}: {} is {:.1e} apart, may be {tolerance:.0e}", worst.0, worst.1);
    worst.1 <= tolerance
}

/// Everything about an evaluation and a training step must agree.
fn compare(network: Network, batch: usize, loss: &CrossEntropy) {
    let mut network = ready(network);
    network.algorithm = Algorithm::Direct;
    // A unit within rounding of 0 may pass its ReLU here and not there, which moves deep gradients by a per mille. No
    // driver does so with every batch of images; what is wrong is wrong with all of them.
    let batches = (0..3).map(|index| noise(batch * network.input.len(), index));
    let mut agreed = batches.map(|images| agree(&network, &images, loss));
    assert!(agreed.any(|agreed| agreed), "{}: the gradients differ with every batch", network.name);
}

/// Asserts that outputs and statistics agree, and says whether gradients do.
fn agree(network: &Network, images: &[f32], loss: &CrossEntropy) -> bool {
    let name = network.name.clone();
    let (ours, theirs) = (GPU.evaluate(network, images, 0).unwrap(), network.evaluate(images));
    let outputs = ("outputs".to_owned(), apart(&ours, &theirs, 0.0));
    assert!(near(&format!("{name}, evaluation"), FORWARD, [outputs]));

    let ours = step(&**GPU, network, images, loss);
    let theirs = step(&Cpu, network, images, loss);
    let outputs = ("outputs".to_owned(), apart(&ours.outputs, &theirs.outputs, 0.0));
    let value = ("loss".to_owned(), (ours.loss - theirs.loss).abs() / theirs.loss);
    assert!(near(&format!("{name}, training"), FORWARD, [outputs, value]));
    let norms = ours.network.norms.iter().zip(&theirs.network.norms);
    let statistics = norms.flat_map(|(ours, theirs)| {
        assert_eq!(ours.batches, theirs.batches);
        let mean = (format!("{} mean", ours.name), apart(&ours.mean, &theirs.mean, 0.0));
        [mean, (format!("{} variance", ours.name), apart(&ours.variance, &theirs.variance, 0.0))]
    });
    assert!(near(&format!("{name}, running statistics"), FORWARD, statistics));

    // A bias before BatchNorm has no gradient but for rounding: a thousandth of the whole gradient is its measure.
    let least = 1e-3 * theirs.gradients.norm();
    let pairs = network.parameters.iter().zip(&ours.gradients.0).zip(&theirs.gradients.0);
    let gradients = pairs.filter_map(|((parameter, ours), theirs)| {
        assert_eq!(ours.is_some(), theirs.is_some(), "{}", parameter.name);
        Some((parameter.name.clone(), apart(ours.as_ref()?, theirs.as_ref()?, least)))
    });
    let parameters = ours.network.parameters.iter().zip(&theirs.network.parameters);
    let parameters =
        parameters.map(|(ours, theirs)| (ours.name.clone(), apart(&ours.value, &theirs.value, 0.0)));
    near(&format!("{name}, gradients"), BACKWARD, gradients)
        && near(&format!("{name}, parameters after the step"), BACKWARD, parameters)
}

fn plain() -> CrossEntropy {
    CrossEntropy::default()
}

#[test]
fn an_mlp_with_batchnorm_and_dropout() {
    compare(mlp(), 64, &plain());
}

#[test]
fn label_smoothing_and_class_weights() {
    let class_weights = (1..=10).map(|class| class as f32 / 5.0).collect();
    compare(mlp(), 64, &CrossEntropy { label_smoothing: 0.1, class_weights, ..CrossEntropy::default() });
}

#[test]
fn resnet20() {
    compare(build("resnet20", Shape::image(16, 12, 3), 10).unwrap(), 8, &plain());
}

#[test]
fn resnet18() {
    compare(build("resnet18", Shape::image(64, 48, 3), 10).unwrap(), 4, &plain());
}

/// ResNet-50 with one block a stage instead of three to six, which a software renderer would take minutes for.
#[test]
fn bottlenecks() {
    let network =
        imagenet(architecture("resnet50").unwrap(), Block::Bottleneck, [1; 4], Shape::image(48, 32, 3), 10)
            .finish();
    compare(network, 4, &plain());
}

#[test]
fn a_convolution_whose_gradient_burn_would_get_wrong_is_refused() {
    let mut builder = Builder::new("gaps", Shape::image(9, 9, 2));
    let x = builder.conv("conv1", 0, 4, 2, 3, 0);
    let x = builder.global_average_pool("pool", x);
    builder.linear("fc", x, 2);
    let mut network = ready(builder.finish());
    let error = GPU.forward(&mut network, &noise(2 * 9 * 9 * 2, 0), 0, KEY).err().unwrap();
    assert!(error.to_string().contains("`conv1`"), "{error}");
}

#[test]
fn a_frozen_backbone_stays_as_it_is() {
    let mut network = build("resnet20", Shape::image(12, 12, 3), 10).unwrap();
    network.freeze_backbone();
    let (before, images) = (ready(network.clone()), noise(8 * network.input.len(), 0));
    let after = step(&**GPU, &before, &images, &plain()).network;
    for (before, after) in before.parameters.iter().zip(&after.parameters) {
        assert_eq!(before.value[..] != after.value[..], before.trainable, "{}", before.name);
    }
    for (before, after) in before.norms.iter().zip(&after.norms) {
        assert_eq!((&before.mean, before.batches), (&after.mean, after.batches));
    }
    compare(network, 8, &plain());
}

/// What resuming to the same bits rests on.
#[test]
fn a_step_has_the_same_bits_every_time() {
    let network = ready(build("resnet20", Shape::image(16, 16, 3), 10).unwrap());
    let images = noise(8 * network.input.len(), 0);
    let bits = || {
        let step = step(&**GPU, &network, &images, &plain());
        let parameters = step.network.parameters.iter().flat_map(|parameter| parameter.value.to_vec());
        let norms = step.network.norms.iter().flat_map(|norm| [norm.mean.clone(), norm.variance.clone()]);
        parameters.chain(norms.flatten()).map(f32::to_bits).collect::<Vec<u32>>()
    };
    assert!(bits() == bits());
}

#[test]
fn one_value_per_channel_is_refused_as_on_the_processor() {
    let network = ready(mlp());
    let images = noise(network.input.len(), 0);
    let refused = |engine: &dyn Engine| engine.forward(&mut network.clone(), &images, 0, KEY).err().unwrap();
    assert!(matches!(refused(&**GPU), ModelError::OneValuePerChannel { layer } if layer == "bn1"));
    assert_eq!(refused(&**GPU).to_string(), refused(&Cpu).to_string());
}

#[test]
fn a_device_is_opened_as_often_as_one_likes() {
    assert_eq!(open(DEVICE).unwrap().name(), GPU.name());
    let expected = if DEVICE == Device::Wgpu { "wgpu (" } else { "cuda" };
    assert!(GPU.name().starts_with(expected), "{}", GPU.name());
}
