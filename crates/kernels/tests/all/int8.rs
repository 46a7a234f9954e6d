//! Layers in 8-bit integers: every path against the scalar one to the bit, and that against sums in integers of 64 bits
//! and a naive convolution in f64.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::convolution;
use wellfit_kernels::conv::{Algorithm, Conv};
use wellfit_kernels::int8::{Affine, Codes, Epilogue, Layer, MOST_DEPTH, Path, max_pool};
use wellfit_kernels::{pool, reference};
use wellfit_rng::{Rng, Stream};

fn random(len: usize, which: u32) -> Vec<f32> {
    let mut rng = Rng::new(11, Stream::Noise, 0, which);
    (0..len).map(|_| rng.normal()).collect()
}

fn random_codes(len: usize, which: u32) -> Codes {
    let mut rng = Rng::new(11, Stream::Noise, 1, which);
    let codes: Vec<u8> = (0..len).map(|_| (256.0 * rng.uniform_in(0.0, 1.0)).min(255.0) as u8).collect();
    Codes::from_slice(&codes)
}

fn conv(batch: usize, size: (usize, usize), channels: (usize, usize), window: [usize; 3]) -> Conv {
    Conv { algorithm: Algorithm::Direct, ..convolution(batch, size, channels, window) }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The sums Σ (q_x − z_x)·q_w of each output, from the definition.
fn exact_sums(conv: &Conv, x: &[u8], zero: u8, w: &[i8]) -> Vec<i64> {
    let mut sums = Vec::new();
    let &Conv { channels_in, channels_out, kernel, .. } = conv;
    for image in 0..conv.batch {
        for (out_y, out_x) in (0..conv.out_height()).flat_map(|y| (0..conv.out_width()).map(move |x| (y, x)))
        {
            let mut row = vec![0_i64; channels_out];
            for (ky, kx) in (0..kernel).flat_map(|y| (0..kernel).map(move |x| (y, x))) {
                let y = (out_y * conv.stride + ky).wrapping_sub(conv.padding);
                let at = (out_x * conv.stride + kx).wrapping_sub(conv.padding);
                if y >= conv.height || at >= conv.width {
                    continue;
                }
                let pixel = ((image * conv.height + y) * conv.width + at) * channels_in;
                for channel in 0..channels_in {
                    let code = i64::from(x[pixel + channel]) - i64::from(zero);
                    let weights = &w[((ky * kernel + kx) * channels_in + channel) * channels_out..];
                    row.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += code * i64::from(weight));
                }
            }
            sums.extend(row);
        }
    }
    sums
}

/// A layer with everything behind it, on every path.
fn check(conv: Conv) {
    let (from, residual_scale) = (Affine { scale: 0.021, zero: 97 }, Affine { scale: 0.013, zero: 120 });
    let to = Affine { scale: 0.11, zero: 71 };
    let x = random_codes(conv.input_len(), 1);
    let layer = Layer::quantise(&conv, &random(conv.weight_len(), 2));
    let (scale, bias) = (random(conv.channels_out, 3), random(conv.channels_out, 4));
    let residual = random_codes(conv.output_len(), 5);
    let sums = exact_sums(&conv, &x, from.zero, &layer.codes());
    for (residual, relu) in [(None, false), (None, true), (Some((&residual, residual_scale)), true)] {
        let after = Epilogue { scale: Some(&scale), bias: Some(&bias), residual, relu };
        let scalar = layer.on(Path::Scalar);
        let codes = scalar.forward(conv.batch, &x, from, after, to);
        let floats = scalar.forward_to_floats(conv.batch, &x, from, after);
        for path in Path::available() {
            let layer = layer.on(path);
            let what = format!("{conv:?} on {}", path.name());
            assert!(*layer.forward(conv.batch, &x, from, after, to) == *codes, "{what}");
            assert!(layer.forward_to_floats(conv.batch, &x, from, after) == floats, "{what}");
        }
        for (place, &sum) in sums.iter().enumerate() {
            let channel = place % conv.channels_out;
            let product =
                f64::from(from.scale) * f64::from(layer.scales()[channel]) * f64::from(scale[channel]);
            let added = residual.map_or(0.0, |(codes, affine)| {
                f64::from(affine.scale) * (f64::from(codes[place]) - f64::from(affine.zero))
            });
            let value = product * sum as f64 + f64::from(bias[channel]) + added;
            let value = if relu { value.max(0.0) } else { value };
            // f32 rounds each of at most five steps by 2⁻²⁴ of the largest number on the way.
            let size = (product * sum as f64).abs() + f64::from(bias[channel]).abs() + added.abs() + 4.0;
            let tolerance = size * 5.0 / f64::from(1 << 24);
            let error = (f64::from(floats[place]) - value).abs();
            assert!(error <= tolerance, "{conv:?}: {place}: {} is not {value}", floats[place]);
            let code = (value / f64::from(to.scale) + f64::from(to.zero)).clamp(0.0, 255.0);
            let error = (f64::from(codes[place]) - code).abs();
            assert!(error <= 0.5 + 30.0 * tolerance, "{conv:?}: {place}: {} is not {code}", codes[place]);
        }
    }
}

#[test]
fn layers_of_every_kind() {
    for window in [[1, 1, 0], [1, 2, 0], [3, 1, 1], [3, 2, 1], [7, 2, 3], [3, 1, 0], [2, 2, 0], [5, 1, 4]] {
        for channels in [(1, 16), (3, 64), (5, 1), (16, 17), (33, 31), (64, 65), (4, 8), (6, 130), (7, 48)] {
            for (batch, size) in [(1, (7, 9)), (3, (8, 7))] {
                check(conv(batch, size, channels, window));
            }
        }
    }
}

/// Rows around whole tiles and tasks, columns around whole vectors and panels, depths around groups of four.
#[test]
fn shapes_at_every_threshold() {
    for rows in [1, 2, 3, 4, 5, 6, 7, 83, 84, 85, 168, 173] {
        check(conv(rows, (1, 1), (19, 33), [1, 1, 0]));
    }
    for columns in (1..=9).chain([15, 16, 17, 31, 32, 33, 47, 49, 63, 64, 65, 80, 127, 128, 129]) {
        check(conv(7, (1, 1), (10, columns), [1, 1, 0]));
    }
    for depth in (1..=9).chain([255, 256, 257]) {
        check(conv(5, (1, 1), (depth, 20), [1, 1, 0]));
        check(conv(2, (5, 4), (depth, 20), [3, 1, 1]));
    }
    // Large enough for several tasks and groups of panels.
    check(conv(2, (9, 9), (70, 300), [3, 1, 1]));
}

/// The largest codes against the largest weights: pairs of products pass 16 bits, sums come near 31.
#[test]
fn nothing_saturates_or_overflows() {
    for (code, zero, weight) in
        [(255, 0, 127), (255, 0, -127), (0, 255, 127), (0, 255, -127), (255, 255, -127), (255, 128, 127)]
    {
        for depth in [4, 7, 4608, MOST_DEPTH] {
            let conv = Conv::linear(3, depth, 5);
            let layer = Layer::from_codes(&conv, &vec![weight; 5 * depth], vec![1.0; 5]);
            let x = Codes::filled(3 * depth, code);
            let expected = (i64::from(code) - i64::from(zero)) * i64::from(weight) * depth as i64;
            for path in Path::available() {
                let from = Affine { scale: 1.0, zero };
                let found = layer.on(path).forward_to_floats(3, &x, from, Epilogue::default());
                assert!(
                    found.iter().all(|&sum| sum == expected as f32),
                    "{path:?}: {found:?}, not {expected}"
                );
            }
        }
    }
}

#[test]
#[should_panic(expected = "too deep")]
fn a_sum_that_could_overflow_is_refused() {
    let depth = MOST_DEPTH + 1;
    let _ = Layer::from_codes(&Conv::linear(1, depth, 1), &vec![1; depth], vec![1.0]);
}

/// Against the convolution of floats in f64: input, weights and output are each off by half a step at most.
#[test]
fn a_quantised_convolution_is_near_that_of_floats() {
    for (channels, window) in [((3, 8), [7, 2, 3]), ((16, 24), [3, 1, 1]), ((40, 9), [1, 1, 0])] {
        let conv = conv(2, (9, 8), channels, window);
        let (x, w) = (random(conv.input_len(), 6), random(conv.weight_len(), 7));
        let floats = reference::conv_forward(&conv, &wide(&x), &wide(&w), &[]);
        let layer = Layer::quantise(&conv, &w);
        let range = |x: &mut dyn Iterator<Item = f64>| {
            x.fold((0.0, 0.0), |(l, h): (f64, f64), x| (l.min(x), h.max(x)))
        };
        let affine = |(low, high): (f64, f64)| Affine::of_range(low as f32, high as f32);
        let from = affine(range(&mut x.iter().map(|&x| f64::from(x))));
        let to = affine(range(&mut floats.iter().copied()));
        let codes = from.quantise(&x);
        // The twin: the values that the codes stand for, in f64.
        let twin_x: Vec<f64> =
            codes.iter().map(|&q| f64::from(from.scale) * (f64::from(q) - f64::from(from.zero))).collect();
        let stored = layer.codes();
        let weights = stored
            .iter()
            .enumerate()
            .map(|(place, &q)| f64::from(q) * f64::from(layer.scales()[place % conv.channels_out]));
        let twin = reference::conv_forward(&conv, &twin_x, &weights.collect::<Vec<_>>(), &[]);
        let y = layer.forward(conv.batch, &codes, from, Epilogue::default(), to);
        for ((&code, &twin), &float) in y.iter().zip(&twin).zip(&floats) {
            let value = f64::from(to.value(code));
            let inside = twin.clamp(f64::from(to.value(0)), f64::from(to.value(255)));
            assert!(
                (value - inside).abs() <= 0.501 * f64::from(to.scale),
                "{conv:?}: {value} is not {inside}"
            );
            // Errors of the operands are independent and uniform: six standard deviations.
            let depth = (conv.kernel * conv.kernel * conv.channels_in) as f64;
            let step = f64::from(from.scale).hypot(3.0 / 127.0);
            let bound = 6.0 * step * (depth / 12.0).sqrt() + f64::from(to.scale);
            assert!((value - float).abs() <= bound, "{conv:?}: {value} is far from {float}");
        }
    }
}

#[test]
fn weights_have_one_scale_a_channel() {
    let w = [1.0, -0.5, 0.0, 0.25, 0.5, 0.0, -1.0, 0.001, 0.0];
    let layer = Layer::quantise(&Conv::linear(1, 3, 3), &w);
    assert_eq!(layer.scales(), [1.0 / 127.0, 0.5 / 127.0, 1.0]);
    assert_eq!(layer.codes(), [127, -127, 0, 32, 127, 0, -127, 0, 0]);
    for path in Path::available() {
        assert_eq!(layer.on(path).codes(), layer.codes(), "{path:?}");
    }
}

#[test]
fn codes_and_numbers() {
    let affine = Affine::of_range(-1.0, 2.0);
    assert_eq!(affine, Affine { scale: 3.0 / 255.0, zero: 85 });
    assert_eq!((affine.value(85), affine.value(255)), (0.0, 2.0));
    // Half a step below and above a code, then beyond the range.
    for (x, code) in [(0.0, 85), (0.0058, 85), (0.006, 86), (-0.006, 84), (2.5, 255), (-9.0, 0)] {
        assert_eq!(affine.code(x), code, "{x}");
    }
    for (x, code) in [(f32::INFINITY, 255), (f32::NEG_INFINITY, 0), (f32::NAN, 0)] {
        assert_eq!(affine.code(x), code, "{x}");
    }
    let halves = Affine { scale: 1.0, zero: 0 };
    assert_eq!([0.5, 1.5, 2.5, 254.5].map(|x| halves.code(x)), [0, 2, 2, 254], "ties to even");
    // 0 is exact, whatever the range.
    for (low, high) in [(0.5, 2.0), (-2.0, -0.5), (-0.3, 0.7), (-1e-3, 1e3)] {
        let affine = Affine::of_range(low, high);
        assert_eq!(affine.value(affine.zero), 0.0);
        assert_eq!(affine.code(0.0), affine.zero);
    }
    for (low, high) in [(0.0, 0.0), (f32::NAN, f32::NAN), (0.0, f32::INFINITY), (0.0, 1e-44)] {
        assert_eq!(Affine::of_range(low, high), Affine { scale: 1.0, zero: 0 });
    }
    let x = random(100_003, 8);
    let codes = affine.quantise(&x);
    assert!(codes.iter().zip(&x).all(|(&code, &x)| code == affine.code(x)) && codes.len() == x.len());
    let values = affine.dequantise(&codes);
    assert!(values.iter().zip(&*codes).all(|(&value, &code)| value == affine.value(code)));
}

/// A larger code is a larger number, so pooling codes is pooling numbers.
#[test]
fn max_pooling_of_codes_is_that_of_numbers() {
    for (kernel, stride, padding) in [(3, 2, 1), (2, 2, 0), (3, 1, 1)] {
        for (height, width, channels) in [(7, 9, 5), (8, 8, 64), (3, 3, 1)] {
            let shape = pool::MaxPool { batch: 3, height, width, channels, kernel, stride, padding };
            let codes = random_codes(3 * height * width * channels, 9);
            let affine = Affine { scale: 0.5, zero: 100 };
            let (expected, _) = shape.forward(&affine.dequantise(&codes));
            assert_eq!(affine.dequantise(&max_pool(&shape, &codes)), expected, "{shape:?}");
        }
    }
}

/// An image's result does not depend on what else is in the batch, nor on the threads.
#[test]
fn rows_are_independent_and_threads_change_nothing() {
    let conv = conv(3, (9, 9), (24, 70), [3, 1, 1]);
    let layer = Layer::quantise(&conv, &random(conv.weight_len(), 2));
    let (x, affine) = (random_codes(conv.input_len(), 1), Affine { scale: 0.02, zero: 30 });
    let run = |batch, x: &Codes| {
        layer.forward(batch, x, affine, Epilogue::default(), Affine { scale: 0.4, zero: 128 })
    };
    let whole = run(3, &x);
    for (image, expected) in whole.chunks_exact(conv.output_len() / 3).enumerate() {
        let alone = Codes::from_slice(&x[image * x.len() / 3..(image + 1) * x.len() / 3]);
        assert!(*run(1, &alone) == *expected);
    }
    for threads in [1, 3] {
        assert!(
            *wellfit_simd::Threads::new(threads).unwrap().run(|| run(3, &x)) == *whole,
            "{threads} threads"
        );
    }
}
