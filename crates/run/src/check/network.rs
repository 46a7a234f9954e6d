//! The network against its batches, its images and its weights.

use super::Concern;
use crate::options::RunSpec;
use wellfit_models::graph::Network;
use wellfit_models::ops::Op;

/// BatchNorm's statistics of fewer images are noise: below 8 the error grows fast (Wu and He 2018, arXiv:1803.08494, figure 1).
const FEW_IMAGES: usize = 8;
/// Images of this size leave all our networks, whose strides are 32 at most, more than one pixel to the end.
const LARGE_ENOUGH: usize = 64;

/// What is wrong with the network of a run with `images` training images; `file` is that of torchvision's weights for it.
///
/// A last batch of one image, on which torch's BatchNorm fails, is none here: it joins the batch before it.
pub(super) fn concerns(spec: &RunSpec, network: &Network, images: usize, file: Option<&str>) -> Vec<Concern> {
    let found =
        [small_batches(spec, network, images), images_too_small(network), random_backbone(spec, file)];
    found.into_iter().flatten().collect()
}

fn small_batches(spec: &RunSpec, network: &Network, images: usize) -> Option<Concern> {
    let parts = if spec.sync_bn { 1 } else { spec.shards };
    let (batch, size) = (spec.batch_size.min(images), spec.batch_size.min(images) / parts);
    // Frozen for good, or until the whole network trains.
    let follows = !network.norms.is_empty() && !spec.freeze && !spec.freeze_batch_norm;
    (follows && size < FEW_IMAGES).then(|| {
        let cut = if parts > 1 { format!(" in `shards` {parts} is {size} images a part") } else { String::new() };
        let sentence = format!(
            "`batch_size` {batch}{cut}: BatchNorm normalises by the mean and variance of these few images, which are mostly noise"
        );
        let least = format!("give `batch_size` {} or more", FEW_IMAGES * parts);
        let others = [(parts > 1, ", or `sync_bn`"), (spec.weights.is_some(), ", or `freeze_batch_norm`")];
        let others: String = others.into_iter().filter_map(|(holds, other)| holds.then_some(other)).collect();
        let mend = least + &others;
        let accumulated = if spec.accumulate > 1 { " (`accumulate` does not help: each batch is normalised by itself)" } else { "" };
        Concern::new("small-batches", sentence)
            .of(&[("batch_size", size as f64), ("least", FEW_IMAGES as f64)])
            .advise(format!("{mend}{accumulated}"))
    })
}

/// The k of a k×k convolution.
fn kernel(op: &Op) -> Option<usize> {
    match op {
        Op::Conv(conv) => Some(conv.kernel),
        Op::GroupedConv(conv) => Some(conv.kernel),
        _ => None,
    }
}

/// Convolutions that look around a single pixel see nothing but padding.
fn images_too_small(network: &Network) -> Option<Concern> {
    let look_around: Vec<bool> = network
        .nodes
        .iter()
        .filter(|node| kernel(&node.op).is_some_and(|k| k > 1))
        .map(|node| network.shape(node.inputs[0]).pixels() == 1)
        .collect();
    let blind = look_around.iter().filter(|&&blind| blind).count();
    (blind > 0).then(|| {
        let (input, of) = (network.input, look_around.len());
        let sentence = format!(
            "images of {}×{} pixels are too small for {}: {blind} of {of} convolutions that look at neighbours are left \
             with a single pixel and its padding",
            input.width, input.height, network.name
        );
        Concern::new("images-too-small", sentence)
            .of(&[("image_size", input.width.min(input.height) as f64), ("convolutions", blind as f64)])
            .advise(format!("give `image_size` {LARGE_ENOUGH} or more, or `model` resnet20, which is made for small images"))
    })
}

fn random_backbone(spec: &RunSpec, file: Option<&str>) -> Option<Concern> {
    let alone = spec.freeze || spec.freeze_epochs > 0;
    (alone && spec.weights.is_none()).then(|| {
        let concern = Concern::new(
            "freeze-without-weights",
            "`freeze` without `weights` trains a head on random features",
        );
        match file {
            Some(file) => concern.advise(format!("torchvision's ImageNet weights are in {file}.pth")),
            None => concern,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_models::{Shape, build};

    fn names(model: &str, side: usize, change: impl Fn(&mut RunSpec)) -> Vec<&'static str> {
        let mut spec = RunSpec::for_folder();
        change(&mut spec);
        let network = build(model, Shape::image(side, side, 3), 3).unwrap();
        concerns(&spec, &network, 100, None).into_iter().map(|concern| concern.name).collect()
    }

    #[test]
    fn batches_and_images_are_compared_with_the_network() {
        assert!(names("resnet18", 64, |_| ()).is_empty());
        assert_eq!(names("resnet18", 32, |_| ()), ["images-too-small"]);
        assert_eq!(names("efficientnet_b0", 32, |_| ()), ["images-too-small"]);
        assert!(names("resnet20", 28, |_| ()).is_empty());
        assert!(names("mlp", 4, |spec| spec.batch_size = 2).is_empty(), "no BatchNorm");
        let small = |batch_size| names("resnet20", 28, |spec| spec.batch_size = batch_size);
        assert_eq!(small(7), ["small-batches"]);
        assert!(small(8).is_empty());
        let parts = |sync_bn| {
            names("resnet20", 28, |spec| (spec.batch_size, spec.shards, spec.sync_bn) = (16, 4, sync_bn))
        };
        assert_eq!((parts(false), parts(true)), (vec!["small-batches"], vec![]));
        let fixed = |spec: &mut RunSpec| (spec.batch_size, spec.freeze_batch_norm) = (2, true);
        assert!(names("resnet20", 28, fixed).is_empty());
        assert_eq!(names("resnet20", 28, |spec| spec.freeze = true), ["freeze-without-weights"]);
    }
}
