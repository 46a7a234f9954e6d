//! Networks in 8-bit integers: against the same network in f32, against a pass of plain loops with the rounding at the
//! stated places, and through files.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::collections::BTreeMap;
use wellfit_kernels::int8::Affine;
use wellfit_models::graph::Builder;
use wellfit_models::int8::{Calibration, Quantised, Ranges};
use wellfit_models::{DropoutKey, Engine, Network, Shape, build};
use wellfit_rng::{Rng, Stream};
use wellfit_weights::{Array, Data, WeightFile, from_bytes, to_safetensors_bytes};

fn noise(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(7, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// An initialised network whose normalisations have statistics of their own.
fn settled(mut network: Network) -> Network {
    network.initialise(5);
    let images = noise(4 * network.input.len(), 1);
    let _ = network.forward(&images, DropoutKey { seed: 1, step: 0, row: 0 }).unwrap();
    // One step moved them by a tenth: the rest of the way to those of the batch.
    for norm in &mut network.norms {
        norm.mean.iter_mut().for_each(|mean| *mean *= 10.0);
        norm.variance.iter_mut().for_each(|variance| *variance = 10.0 * *variance - 9.0);
    }
    for (place, vector) in network.parameters.iter_mut().enumerate() {
        if vector.shape.len() == 1 {
            let change = noise(vector.value.len(), 100 + place as u32);
            vector.value.iter_mut().zip(change).for_each(|(value, change)| *value += 0.2 * change);
        }
    }
    network
}

fn ranges(network: &Network, images: &[f32]) -> Ranges {
    let mut calibration = Calibration::new(network);
    calibration.watch(network, images).unwrap();
    calibration.ranges(network).unwrap()
}

fn quantised(network: &Network, images: &[f32]) -> Quantised {
    Quantised::new(network, &ranges(network, images)).unwrap()
}

/// Root mean square of a − b over that of b.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |x: f32| f64::from(x).powi(2);
    let off: f64 = a.iter().zip(b).map(|(a, b)| square(a - b)).sum();
    (off / b.iter().map(|&b| square(b)).sum::<f64>()).sqrt()
}

#[test]
fn every_architecture_is_near_its_f32_self() {
    for model in wellfit_models::MODELS.iter() {
        let network = build(model, Shape::image(32, 32, 3), 10).unwrap();
        // What is larger has the same layers, and takes minutes.
        if network.parameter_count() > 30_000_000 {
            continue;
        }
        let network = settled(network);
        let images = noise(4 * network.input.len(), 2);
        let floats = network.evaluate(&images);
        let found = distance(&quantised(&network, &images).evaluate(&images), &floats);
        // Each of up to 54 products adds an error of about a percent. Behind SiLU and gates, where few values are large,
        // one scale a tensor errs more (docs/int8.md).
        let most = if *model == "efficientnet_b0" { 0.9 } else { 0.3 };
        assert!(found > 1e-4 && found < most, "{model}: {found}");
    }
}

/// A network with a pooling, a residual sum with and without a convolution on its other side, and a layer in f32 between.
fn small() -> Network {
    let mut net = Builder::new("small", Shape::image(9, 8, 3));
    let stem = net.conv("stem", 0, 8, 3, 1, 1);
    let stem = net.batch_norm("bn", stem);
    let stem = net.relu("relu", stem);
    let pooled = net.max_pool("pool", stem, 3, 2, 1);
    let a = net.conv("a", pooled, 8, 3, 1, 1);
    let a = net.batch_norm("bn_a", a);
    let sum = net.add("sum", a, pooled);
    let value = net.relu("relu_a", sum);
    let mean = net.global_average_pool("mean", value);
    net.linear("fc", mean, 4);
    settled(net.finish())
}

/// The same as a pass of plain loops over one image: what the integers stand for in f64, rounded to codes where the
/// equations say.
fn twin(network: &Network, file: &WeightFile, image: &[f32]) -> Vec<f64> {
    let affine = |node: &str| {
        let of = |what: &str| &file.get(&format!("{node}.{what}")).unwrap().data;
        let (Data::F32(scale), Data::I64(zero)) = (of("output_scale"), of("output_zero_point")) else {
            panic!()
        };
        Affine { scale: scale[0], zero: zero[0] as u8 }
    };
    let round = |values: &[f64], affine: Affine| -> Vec<f64> {
        let (scale, zero) = (f64::from(affine.scale), f64::from(affine.zero));
        values
            .iter()
            .map(|x| scale * ((x / scale + zero).round_ties_even().clamp(0.0, 255.0) - zero))
            .collect()
    };
    // Weights `[out][in][k][k]` in torch's layout.
    let weight = |name: &str| -> Vec<f64> {
        let codes = file.get(&format!("{name}.weight")).unwrap();
        let scales = file.get(&format!("{name}.weight_scale")).unwrap().as_f32().unwrap();
        let each = codes.as_i8().unwrap().len() / scales.len();
        let value = |(i, &code): (usize, &i8)| f64::from(code) * f64::from(scales[i / each]);
        codes.as_i8().unwrap().iter().enumerate().map(value).collect()
    };
    let conv = |x: &[f64], (h, w, from): (usize, usize, usize), name: &str| -> Vec<f64> {
        let weight = weight(name);
        let to = weight.len() / (9 * from);
        let mut y = vec![0.0; h * w * to];
        for (place, y) in y.iter_mut().enumerate() {
            let (row, column, out) = (place / (w * to), place / to % w, place % to);
            for (ky, kx, c) in
                (0..3).flat_map(|a| (0..3).flat_map(move |b| (0..from).map(move |c| (a, b, c))))
            {
                let (at_y, at_x) = ((row + ky).wrapping_sub(1), (column + kx).wrapping_sub(1));
                if at_y < h && at_x < w {
                    *y += x[(at_y * w + at_x) * from + c] * weight[((out * from + c) * 3 + ky) * 3 + kx];
                }
            }
        }
        y
    };
    let norm = |x: &mut [f64], name: &str| {
        let of = |what: &str| -> Vec<f64> {
            let array = file.get(&format!("{name}.{what}")).unwrap();
            array.as_f32().unwrap().iter().map(|&x| f64::from(x)).collect()
        };
        let [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(of);
        for (i, x) in x.iter_mut().enumerate() {
            let c = i % gamma.len();
            *x = gamma[c] * (*x - mean[c]) / (variance[c] + 1e-5).sqrt() + beta[c];
        }
    };
    let relu = |x: &mut [f64]| x.iter_mut().for_each(|x| *x = x.max(0.0));

    let wide: Vec<f64> = image.iter().map(|&x| f64::from(x)).collect();
    let mut x = conv(&round(&wide, affine("input")), (9, 8, 3), "stem");
    norm(&mut x, "bn");
    relu(&mut x);
    let x = round(&x, affine("relu"));
    let shape = network.nodes[3].shape;
    let mut pooled = vec![f64::NEG_INFINITY; shape.len()];
    for (place, best) in pooled.iter_mut().enumerate() {
        let (row, column, c) = (place / (shape.width * 8), place / 8 % shape.width, place % 8);
        for (ky, kx) in (0..3).flat_map(|a| (0..3).map(move |b| (a, b))) {
            let (y, at) = ((2 * row + ky).wrapping_sub(1), (2 * column + kx).wrapping_sub(1));
            if y < 9 && at < 8 {
                *best = best.max(x[(y * 8 + at) * 8 + c]);
            }
        }
    }
    let mut y = conv(&pooled, (shape.height, shape.width, 8), "a");
    norm(&mut y, "bn_a");
    y.iter_mut().zip(&pooled).for_each(|(y, x)| *y += x);
    relu(&mut y);
    let pixels = shape.pixels() as f64;
    let mean: Vec<f64> = (0..8).map(|c| y.iter().skip(c).step_by(8).sum::<f64>() / pixels).collect();
    let mean = round(&mean, affine("mean"));
    let (weight, bias) = (weight("fc"), file.get("fc.bias").unwrap().as_f32().unwrap());
    let row = |(row, &bias): (&[f64], &f32)| {
        row.iter().zip(&mean).map(|(w, x)| w * x).sum::<f64>() + f64::from(bias)
    };
    weight.chunks_exact(8).zip(bias).map(row).collect()
}

#[test]
fn a_small_network_is_its_twin_in_f64() {
    let network = small();
    let images = noise(20 * network.input.len(), 3);
    let quantised = quantised(&network, &images);
    let file = quantised.state();
    let found = quantised.evaluate(&images);
    let mut equal = 0;
    for (image, found) in images.chunks_exact(network.input.len()).zip(found.chunks_exact(4)) {
        let expected = twin(&network, &file, image);
        let off = found.iter().zip(&expected).map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
        equal += usize::from(off < 1e-5);
        // A number that f32 and f64 round to neighbouring codes may differ; a rare one does.
        assert!(off < 0.03, "{found:?} is not {expected:?}");
    }
    assert!(equal >= 15, "{equal} of 20 images");
}

#[test]
fn an_image_does_not_depend_on_the_batch() {
    let network = settled(build("resnet20", Shape::image(16, 16, 3), 5).unwrap());
    let images = noise(6 * network.input.len(), 4);
    let quantised = quantised(&network, &images);
    let whole = quantised.evaluate(&images);
    for (image, expected) in images.chunks_exact(network.input.len()).zip(whole.chunks_exact(5)) {
        assert_eq!(*quantised.evaluate(image), *expected);
    }
    assert_eq!(Engine::evaluate(&quantised, &network, &images, 0).unwrap(), whole);
    assert!(Engine::evaluate(&quantised, &network, &images, 3).is_err());
}

#[test]
fn a_file_holds_all_of_it() {
    for network in [small(), settled(build("resnext50_32x4d", Shape::image(32, 32, 3), 3).unwrap()), {
        settled(build("mlp-bn", Shape::image(6, 6, 1), 3).unwrap())
    }] {
        let images = noise(4 * network.input.len(), 5);
        let quantised = quantised(&network, &images);
        let file = quantised.state();
        let back = from_bytes(&to_safetensors_bytes(&file).unwrap()).unwrap();
        let mut other = network.clone();
        other.initialise(9);
        let loaded = Quantised::load(other, &back).unwrap();
        assert_eq!(loaded.evaluate(&images), quantised.evaluate(&images), "{}", network.name);
        assert_eq!(loaded.state(), file);
        let (integers, floats) = quantised.counts();
        let all: usize = network.norms.iter().map(|norm| 2 * norm.mean.len()).sum();
        assert_eq!(integers + floats, network.parameter_count() + all);
        let codes: usize = file.arrays.iter().filter_map(|(_, a)| Some(a.as_i8()?.len())).sum();
        assert_eq!(codes, integers);
    }
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let network = small();
    let images = noise(4 * network.input.len(), 6);
    let whole = quantised(&network, &images).state();
    let scalar = |data| Array { shape: Vec::new(), data };
    let problem = |change: &dyn Fn(&mut BTreeMap<String, Array>)| {
        let mut arrays: BTreeMap<String, Array> = whole.arrays.iter().cloned().collect();
        change(&mut arrays);
        let file = WeightFile { arrays: arrays.into_iter().collect(), ..WeightFile::default() };
        Quantised::load(network.clone(), &file).unwrap_err().to_string()
    };
    let replaced = |name: &'static str, array: Array| {
        problem(&move |arrays: &mut BTreeMap<String, Array>| {
            drop(arrays.insert(name.to_owned(), array.clone()));
        })
    };
    let removed = |name: &'static str| problem(&move |arrays| drop(arrays.remove(name).unwrap()));
    let floats = |values: Vec<f32>| Array { shape: vec![values.len()], data: Data::F32(values) };
    for (found, parts) in [
        (removed("a.weight"), ["`a.weight`", "missing"]),
        (removed("a.weight_scale"), ["`a.weight`", "no scales"]),
        (removed("relu.output_scale"), ["`relu`", "range"]),
        (removed("input.output_zero_point"), ["`input`", "zero point"]),
        (removed("bn.running_var"), ["`bn.running_var`", "missing"]),
        (replaced("a.weight_scale", floats(vec![1.0; 7])), ["a.weight_scale", "each channel"]),
        (replaced("a.weight_scale", floats(vec![-1.0; 8])), ["a.weight_scale", "positive"]),
        (replaced("a.weight_scale", floats(vec![f32::NAN; 8])), ["a.weight_scale", "8 NaN"]),
        (replaced("relu.output_scale", scalar(Data::F32(vec![0.0]))), ["`relu`", "positive"]),
        (
            replaced("relu.output_scale", scalar(Data::F32(vec![f32::INFINITY]))),
            ["`relu.output_scale`", "infinite"],
        ),
        (replaced("relu.output_zero_point", scalar(Data::I64(vec![256]))), ["`relu`", "zero point"]),
        (replaced("bn.weight", floats(vec![f32::NAN; 8])), ["`bn.weight`", "NaN"]),
        (replaced("bn.running_var", floats(vec![-1.0; 8])), ["`bn`", "NaN"]),
        (replaced("fc.bias", floats(vec![0.0; 5])), ["`fc.bias`", "[5]"]),
        (
            replaced("fc.weight", Array { shape: vec![4, 8], data: Data::I8(vec![-128; 32]) }),
            ["`fc.weight`", "-128"],
        ),
        (
            replaced("fc.weight", Array { shape: vec![4, 8], data: Data::F32(vec![1.0; 32]) }),
            ["`fc.weight`", "8-bit"],
        ),
        (
            replaced("fc.weight", Array { shape: vec![8, 4], data: Data::I8(vec![1; 32]) }),
            ["`fc.weight`", "[8, 4]"],
        ),
    ] {
        assert!(parts.iter().all(|part| found.contains(part)), "{found}: {parts:?}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused_by_name() {
    let mut network = small();
    let images = noise(2 * network.input.len(), 7);
    let found = ranges(&network, &images);
    network.parameters[0].value[3] = f32::NAN;
    let error = Quantised::new(&network, &found).unwrap_err().to_string();
    assert!(error.contains("`stem.weight`"), "{error}");
    let mut calibration = Calibration::new(&network);
    calibration.watch(&network, &images).unwrap();
    let error = calibration.ranges(&network).unwrap_err().to_string();
    assert!(error.contains("`relu` gave NaN"), "{error}");
    let error = Quantised::new(&small(), &Ranges::new()).unwrap_err().to_string();
    assert!(error.contains("`input` is missing"), "{error}");
}
