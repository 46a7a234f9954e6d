//! How often parameters are drawn.

use std::collections::HashMap;

use serde_json::Value;
use wellfit_data::Augmentation;
use wellfit_data::augment::ops::Op;
use wellfit_data::augment::{
    ColorJitter, Effect, Mix, Mixing, OPERATIONS, RandAugment, RandomAffine, RandomErasing, RandomGrayscale,
    RandomPerspective, RandomResizedCrop, RandomRotation, Rectangle, Space, TrivialAugmentWide,
};
use wellfit_rng::{Rng, Stream};

use crate::fixture;

const N: u32 = 10_000;
/// Height and width of the image in `draws.json`.
const SIZE: (usize, usize) = (120, 200);

/// The numbers that `step` draws for 10,000 images of an epoch.
fn drawn(step: &dyn Augmentation) -> impl Iterator<Item = u32> {
    (0..N).map(|index| step.draw(&mut Rng::new(3, Stream::Augment, 5, index)))
}

/// The one operation that each draw gives.
fn ops(step: &dyn Augmentation) -> Vec<Op> {
    let op = |drawn| match step.effect(drawn, SIZE) {
        Effect::Change(ops) if ops.len() == 1 => ops[0],
        other => panic!("{other:?}"),
    };
    drawn(step).map(op).collect()
}

fn counts(values: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut counts = vec![0.0; 10];
    for value in values {
        let place = ((value - low) / (high - low) * 10.0).floor();
        if (0.0..10.0).contains(&place) {
            counts[place as usize] += 1.0;
        }
    }
    counts
}

/// Pearson's χ² of counts against shares of the whole. Its mean is the number of bins less 1, its variance twice
/// that: five standard deviations more do not come by chance. `blur` is 1 + draws here / draws there.
fn check(what: &str, counts: &[f64], expected: &[f64], blur: f64) {
    let (total, all): (f64, f64) = (counts.iter().sum(), expected.iter().sum());
    let terms = counts.iter().zip(expected).filter(|(_, share)| **share > 0.0);
    let degrees = terms.clone().count() as f64 - 1.0;
    let chi2: f64 = terms.map(|(n, share)| (n - share / all * total).powi(2) / (share / all * total)).sum();
    let most = degrees + 5.0 * (2.0 * degrees).sqrt();
    assert!(
        chi2 / blur < most,
        "{what}: chi-square {chi2:.1} with {degrees} degrees of freedom\n{counts:?}\n{expected:?}"
    );
    let stray: f64 = counts.iter().zip(expected).filter(|(_, share)| **share == 0.0).map(|(n, _)| n).sum();
    assert!(stray < 3.0, "{what}: {stray} where torchvision has none");
}

fn even(what: &str, counts: &[f64]) {
    check(what, counts, &vec![1.0; counts.len()], 1.0);
}

/// Compare with torchvision's histogram of that name.
fn like_torchvision(group: &str, name: &str, values: &[f64], (low, high): (f64, f64)) {
    let file: Value = serde_json::from_slice(&std::fs::read(fixture("draws.json")).unwrap()).unwrap();
    let reference: Vec<f64> =
        file[group][name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
    let blur = 1.0 + values.len() as f64 / file["draws"].as_f64().unwrap();
    check(&format!("{group} {name}"), &counts(values, low, high), &reference, blur);
}

fn rectangles_are_torchvisions(group: &str, boxes: &[Rectangle], limits: [(f64, f64); 4], tall: bool) {
    let of = |value: fn(&Rectangle) -> f64| boxes.iter().map(value).collect::<Vec<f64>>();
    let area = (SIZE.0 * SIZE.1) as f64;
    let shares: Vec<f64> = of(|b| (b.height * b.width) as f64).iter().map(|pixels| pixels / area).collect();
    let ratio = of(|b| (b.width as f64 / b.height as f64).ln());
    let ratio = if tall { ratio.iter().map(|x| -x).collect() } else { ratio };
    like_torchvision(group, "area", &shares, limits[0]);
    like_torchvision(group, "ratio", &ratio, limits[1]);
    like_torchvision(group, "top", &of(|b| b.top as f64), limits[2]);
    like_torchvision(group, "left", &of(|b| b.left as f64), limits[3]);
}

#[test]
fn crops_are_as_frequent_as_torchvisions() {
    for (group, least) in [("crop-light", 0.5_f64), ("crop-imagenet", 0.08)] {
        let step = RandomResizedCrop::new(least..=1.0);
        let boxes: Vec<Rectangle> = drawn(&step).map(|drawn| step.crop(drawn, SIZE).unwrap()).collect();
        let limits = [(least * 0.99, 1.0), (0.7_f64.ln(), 1.43_f64.ln()), (-0.5, 90.5), (-0.5, 180.5)];
        rectangles_are_torchvisions(group, &boxes, limits, false);
    }
}

#[test]
fn what_is_erased_is_as_frequent_as_torchvisions() {
    let step = RandomErasing { probability: 1.0 };
    let part = |drawn| match step.effect(drawn, SIZE) {
        Effect::Erase(part) => part,
        other => panic!("{other:?}"),
    };
    let boxes: Vec<Rectangle> = drawn(&step).map(part).collect();
    let limits = [(0.018, 0.34), (0.29_f64.ln(), 3.4_f64.ln()), (-0.5, 115.5), (-0.5, 190.5)];
    rectangles_are_torchvisions("erasing", &boxes, limits, true);
    let some = RandomErasing { probability: 0.1 };
    let erased = drawn(&some).filter(|&drawn| some.effect(drawn, SIZE) != Effect::Nothing).count() as f64;
    check("erasing", &[erased, f64::from(N) - erased], &[0.1, 0.9], 1.0);
}

/// Every operation equally often, and every strength of it, and both directions.
#[test]
fn trivial_augment_is_even() {
    let mut of: HashMap<String, f64> = HashMap::new();
    ops(&TrivialAugmentWide).iter().for_each(|op| *of.entry(format!("{op:?}")).or_default() += 1.0);
    let counts: Vec<Vec<f64>> = OPERATIONS
        .iter()
        .map(|operation| {
            let all = (0..31).flat_map(|bin| [(bin, false), (bin, true)]);
            let mut names: Vec<String> = all
                .map(|(bin, negative)| {
                    format!("{:?}", Space::TRIVIAL_AUGMENT_WIDE.op(operation, bin, negative))
                })
                .collect();
            // Bins that come to the same are one here; see the test of the strengths.
            names.sort_unstable();
            names.dedup();
            names.iter().map(|name| of.get(name).copied().unwrap_or(0.0)).collect()
        })
        .collect();
    // What two operations have in common, such as a shear by 0, is counted for both.
    let sums: Vec<f64> = counts.iter().map(|counts| counts.iter().sum()).collect();
    assert!(sums.iter().sum::<f64>() >= f64::from(N));
    even("operations", &sums);
    let place = |name: &str| OPERATIONS.iter().position(|operation| *operation == name).unwrap();
    even("levels of Solarize", &counts[place("Solarize")]);
    let rotations: Vec<f64> = ops(&TrivialAugmentWide)
        .into_iter()
        .filter_map(|op| if let Op::Rotate(angle) = op { Some(angle) } else { None })
        .collect();
    let (left, right) = (
        rotations.iter().filter(|a| **a > 0.0).count() as f64,
        rotations.iter().filter(|a| **a < 0.0).count() as f64,
    );
    even("directions", &[left, right]);
    let strengths: Vec<f64> = (0..31)
        .map(|bin| rotations.iter().filter(|a| (a.abs() - 4.5 * f64::from(bin)).abs() < 0.1).count() as f64)
        .collect();
    even("strengths of Rotate", &strengths);
}

#[test]
fn randaugment_does_two_operations_of_its_strength() {
    let step = RandAugment::default();
    let mut counts = HashMap::new();
    for drawn in drawn(&step) {
        let Effect::Change(ops) = step.effect(drawn, SIZE) else { panic!() };
        assert_eq!(ops.len(), 2);
        for op in ops {
            let name = format!("{op:?}");
            *counts.entry(name[..name.find('(').unwrap_or(name.len())].to_owned()).or_insert(0.0) += 1.0;
        }
    }
    // Brightness, Color, Contrast, Sharpness, Rotate, Posterize, Solarize and three without strength.
    let single: Vec<f64> = counts.values().copied().filter(|n| *n > 1000.0).collect();
    assert_eq!(single.len(), 10, "{counts:?}");
    even("operations", &single);
}

#[test]
fn colours_vary_evenly_in_every_order() {
    let step = ColorJitter { brightness: 0.4, contrast: 0.4, saturation: 1.5, hue: 0.1 };
    let mut orders: HashMap<Vec<u8>, f64> = HashMap::new();
    let mut values: [Vec<f64>; 4] = Default::default();
    for drawn in drawn(&step) {
        let Effect::Change(ops) = step.effect(drawn, SIZE) else { panic!() };
        let mut order = Vec::new();
        for op in ops {
            let (kind, value) = match op {
                Op::Brightness(factor) => (0, factor),
                Op::Contrast(factor) => (1, factor),
                Op::Saturation(factor) => (2, factor),
                Op::Hue(turn) => (3, turn),
                other => panic!("{other:?}"),
            };
            order.push(kind);
            values[usize::from(kind)].push(value);
        }
        *orders.entry(order).or_default() += 1.0;
    }
    assert_eq!(orders.len(), 24);
    even("orders", &orders.into_values().collect::<Vec<_>>());
    for (values, (low, high)) in values.iter().zip([(0.6, 1.4), (0.6, 1.4), (0.0, 2.5), (-0.1, 0.1)]) {
        let counts = counts(values, low, high);
        assert_eq!(counts.iter().sum::<f64>(), f64::from(N), "{low} to {high}");
        even("factors", &counts);
    }
}

#[test]
fn angles_ways_and_scales_are_even() {
    let rotation = RandomRotation { degrees: 30.0 };
    let angles: Vec<f64> =
        ops(&rotation).iter().map(|op| if let Op::Rotate(angle) = op { *angle } else { panic!() }).collect();
    even("rotation", &counts(&angles, -30.0, 30.0));
    let affine = RandomAffine { degrees: 20.0, translate: 0.1, zoom: 0.25, shear: 5.0 };
    let mut values: [Vec<f64>; 5] = Default::default();
    for op in ops(&affine) {
        let Op::Affine { angle, translate, scale, shear, .. } = op else { panic!() };
        for (values, value) in values.iter_mut().zip([angle, translate[0], translate[1], scale, shear[0]]) {
            values.push(value);
        }
    }
    even("angle", &counts(&values[0], -20.0, 20.0));
    even("scale", &counts(&values[3], 0.75, 1.25));
    even("shear", &counts(&values[4], -5.0, 5.0));
    // Whole pixels up to 20 and 12 either way; those at the ends come half as often.
    for (values, most) in [(&values[1], 20), (&values[2], 12)] {
        let of = |pixel: i32| values.iter().filter(|x| **x == f64::from(pixel)).count() as f64;
        let counts: Vec<f64> = (-most..=most).map(of).collect();
        let expected: Vec<f64> = (-most..=most).map(|x| if x.abs() == most { 0.5 } else { 1.0 }).collect();
        assert_eq!(counts.iter().sum::<f64>(), f64::from(N));
        check("ways", &counts, &expected, 1.0);
    }
}

/// The shares of mixup, and CutMix' rectangles by their middle and area.
#[test]
fn mixtures_have_torchs_beta_distribution() {
    for alpha in [0.2, 1.0, 2.5] {
        let mixing = Mixing { mixup: alpha, cutmix: 0.0 };
        let share = |drawn| match mixing.mix(drawn, SIZE) {
            Mix::Blend(share) => share.min(1.0 - f64::EPSILON),
            other => panic!("{other:?}"),
        };
        let shares: Vec<f64> = drawn(&mixing).map(share).collect();
        like_torchvision(&format!("beta-{alpha:?}"), "lambda", &shares, (0.0, 1.0));
    }
    let tiny = Mixing { mixup: 1e-3, cutmix: 0.0 };
    let whole = |drawn| matches!(tiny.mix(drawn, SIZE), Mix::Blend(share) if share > 0.999);
    let kept = drawn(&tiny).filter(|&drawn| whole(drawn)).count() as f64;
    check("small alpha", &[kept, f64::from(N) - kept], &[1.0, 1.0], 1.0);
    let cutmix = Mixing { mixup: 0.0, cutmix: 1.0 };
    // λ is uniform, so a side has √(1 − λ) of the length: where nothing sticks out, 2/3 on average.
    let heights: Vec<f64> = drawn(&cutmix)
        .filter_map(|drawn| match cutmix.mix(drawn, SIZE) {
            Mix::Paste(part) if part.top > 0 && part.top + part.height < SIZE.0 => Some(part.height as f64),
            Mix::Paste(_) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(heights.len() > 1000 && heights.iter().all(|height| height % 2.0 == 0.0));
}

#[test]
fn colours_go_as_often_as_asked() {
    let step = RandomGrayscale { probability: 0.2 };
    let grey = drawn(&step).filter(|&drawn| step.effect(drawn, SIZE) != Effect::Nothing).count() as f64;
    check("grayscale", &[grey, f64::from(N) - grey], &[0.2, 0.8], 1.0);
}

/// Half of the images, and every whole number of pixels alike for each corner: torchvision's `randint`.
#[test]
fn corners_move_evenly() {
    let step = RandomPerspective { distortion: 0.3, probability: 0.5 };
    let (height, width) = SIZE;
    let (most_x, most_y) = (30, 18);
    let mut ways = vec![Vec::new(); 8];
    for drawn in drawn(&step) {
        let Effect::Change(ops) = step.effect(drawn, SIZE) else { continue };
        let [Op::Perspective(corners)] = ops[..] else { panic!("{ops:?}") };
        for (corner, [x, y]) in corners.into_iter().enumerate() {
            let right = corner == 1 || corner == 2;
            ways[2 * corner].push(if right { width as f64 - 1.0 - x } else { x });
            ways[2 * corner + 1].push(if corner > 1 { height as f64 - 1.0 - y } else { y });
        }
    }
    let happened = ways[0].len() as f64;
    let (expected, error) = (f64::from(N) / 2.0, f64::from(N).sqrt() / 2.0);
    assert!((happened - expected).abs() < 5.0 * error, "half of the time: {happened}");
    for (axis, ways) in ways.iter().enumerate() {
        let most = if axis % 2 == 0 { most_x } else { most_y };
        let of = |way: usize| ways.iter().filter(|found| **found == way as f64).count() as f64;
        let counts: Vec<f64> = (0..=most).map(of).collect();
        assert_eq!(counts.iter().sum::<f64>(), happened, "whole pixels, {most} at most: {axis}");
        even(&format!("ways of {axis}"), &counts);
    }
}
