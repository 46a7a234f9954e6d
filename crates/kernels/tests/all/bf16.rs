//! Kernels on bf16 against f64 twins that round where the documents say so: inputs and weights before, the output after.
//!
//! Run with `WELLFIT_BF16=widened` to test the way without instructions for bf16, with `WELLFIT_SIMD=scalar` (or `avx2`,
//! `avx512`, `neon`) another instruction set.

use crate::common::convolution;
use wellfit_kernels::activation::{self, Swish};
use wellfit_kernels::conv::{BehindNorm, Conv, Destination, GroupedConv};
use wellfit_kernels::norm::{self, Passed};
use wellfit_kernels::pool::{self, MaxPool};
use wellfit_kernels::{Bf16, Buffer, Element, Epilogue, elementwise, reference};
use wellfit_rng::{Rng, Stream};

/// Half of the last place of a number near 1: what rounding to bf16 may change.
const HALF_PLACE: f64 = 1.0 / 256.0;
/// What sums in f32 may err by, of the largest output: as in `against_reference`, which has the reason. Winograd's method
/// errs up to five times as much on short sums.
const SUMS: f64 = 1e-5;

fn random(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(7, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// Numbers as they are stored, and the same in f64.
fn stored(len: usize, index: u32) -> (Buffer<Bf16>, Vec<f64>) {
    let numbers = elementwise::narrow(&random(len, index));
    let exact = wide(&numbers);
    (numbers, exact)
}

fn wide<E: Element>(x: &[E]) -> Vec<f64> {
    x.iter().map(|x| f64::from(x.to_f32())).collect()
}

/// Weights, which are f32, and what products take them for.
fn weights(len: usize, index: u32) -> (Vec<f32>, Vec<f64>) {
    let w = random(len, index);
    let rounded = w.iter().map(|&w| f64::from(Bf16::from_f32(w).to_f32())).collect();
    (w, rounded)
}

/// Each number is the expected one rounded to its type, as far as sums in f32 tell.
fn assert_rounded<E: Element>(what: &str, got: &[E], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let scale = expected.iter().fold(1e-30_f64, |m, x| m.max(x.abs()));
    let half = if size_of::<E>() == 2 { HALF_PLACE } else { 0.0 };
    for (i, (got, expected)) in wide(got).iter().zip(expected).enumerate() {
        let limit = half * expected.abs() + SUMS * scale;
        assert!((got - expected).abs() <= limit, "{what}: number {i} is {got}, not {expected} ± {limit:e}");
    }
}

fn conv(kernel: usize, stride: usize, channels: (usize, usize), batch: usize, size: (usize, usize)) -> Conv {
    convolution(batch, size, channels, [kernel, stride, kernel / 2])
}

fn check(conv: Conv) {
    let what = format!("{conv:?}");
    let ((x, exact_x), (w, exact_w)) = (stored(conv.input_len(), 1), weights(conv.weight_len(), 2));
    let ((dy, exact_dy), bias) = (stored(conv.output_len(), 3), random(conv.channels_out, 4));
    let exact_bias = wide(&bias);
    let y = conv.forward(&x, &w, Some(&bias));
    assert_rounded(&what, &y, &reference::conv_forward(&conv, &exact_x, &exact_w, &exact_bias));
    let dw = conv.weight_gradient(&x, &dy);
    assert_rounded(&what, &dw, &reference::conv_weight_gradient(&conv, &exact_x, &exact_dy));
    let expected = reference::conv_data_gradient(&conv, &exact_dy, &exact_w);
    let mut dx = Buffer::zeroed(x.len());
    conv.data_gradient(&dy, &w, Destination::new(&mut dx));
    assert_rounded(&what, &dx, &expected);
    // Added to what is there, where another image's ReLU passes.
    let (passed, exact_passed) = stored(x.len(), 5);
    let mut sum = x.clone();
    conv.data_gradient(&dy, &w, Destination { dx: &mut sum, accumulate: true, passed: Some(&passed) });
    let expected = expected.iter().zip(&exact_x).zip(exact_passed);
    let expected: Vec<f64> = expected.map(|((d, x), p)| if p > 0.0 { d + x } else { 0.0 }).collect();
    assert_rounded(&what, &sum, &expected);
}

/// Odd and even channels, which fill their lanes or do not; whole tiles and parts of them.
#[test]
fn convolutions_of_every_kind() {
    for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2), (2, 2)] {
        for channels in [(1, 16), (3, 64), (5, 1), (16, 17), (33, 31), (64, 65), (4, 8)] {
            for (batch, size) in [(1, (7, 9)), (3, (8, 7))] {
                check(conv(kernel, stride, channels, batch, size));
            }
        }
    }
}

/// Channels in whole vectors take Winograd's way, which is computed in f32.
#[test]
fn convolutions_by_winograds_method() {
    check(conv(3, 1, (32, 48), 2, (9, 14)));
    check(conv(3, 2, (32, 48), 8, (45, 44)));
    check(conv(7, 2, (3, 64), 1, (33, 30)));
}

#[test]
fn linear_layers_of_odd_and_even_sizes() {
    for (batch, from, to) in [(1, 1, 1), (5, 25, 3), (70, 400, 501), (33, 784, 10)] {
        check(Conv::linear(batch, from, to));
    }
}

/// A number behind a run that ends within a lane is multiplied by nothing, whatever it is.
#[test]
fn what_lies_behind_an_odd_run_does_not_matter() {
    let one = conv(1, 1, (5, 32), 1, (1, 2));
    let (mut x, (w, _)) = (stored(one.input_len(), 1).0, weights(one.weight_len(), 2));
    x[5] = Bf16::from_f32(f32::NAN);
    let y = one.forward(&x, &w, None);
    assert!(y[..32].iter().all(|y| !y.to_f32().is_nan()) && y[32..].iter().all(|y| y.to_f32().is_nan()));
}

/// By products of matrices and by direct sums.
#[test]
fn grouped_convolutions() {
    for (groups, group) in [(3, conv(3, 1, (5, 4), 2, (7, 8))), (8, conv(3, 2, (4, 4), 3, (9, 8)))] {
        let grouped = GroupedConv { groups, group };
        let ((x, exact_x), (w, exact_w)) = (stored(grouped.input_len(), 1), weights(grouped.weight_len(), 2));
        let (dy, exact_dy) = stored(grouped.output_len(), 3);
        let [y, dx, dw] = reference::grouped_conv(&grouped, &exact_x, &exact_w, &exact_dy);
        assert_rounded("y", &grouped.forward(&x, &w), &y);
        assert_rounded("dw", &grouped.weight_gradient(&x, &dy), &dw);
        let mut found = Buffer::zeroed(x.len());
        grouped.data_gradient(&dy, &w, Destination::new(&mut found));
        assert_rounded("dx", &found, &dx);
    }
}

/// The epilogue is f32: what is scaled, shifted and added is the sum before it is rounded.
#[test]
fn epilogues_round_once() {
    let conv = conv(1, 1, (64, 96), 3, (5, 7));
    let ((x, exact_x), (w, exact_w)) = (stored(conv.input_len(), 1), weights(conv.weight_len(), 2));
    let (scale, bias) = (random(96, 3), random(96, 4));
    let (residual, exact_residual) = stored(conv.output_len(), 5);
    let epilogue = Epilogue { scale: Some(&scale), bias: Some(&bias), residual: Some(&residual), relu: true };
    let y = conv.forward_with(&x, &w, epilogue);
    let sums = reference::conv_forward(&conv, &exact_x, &exact_w, &[]);
    let expected = sums
        .iter()
        .zip(exact_residual)
        .enumerate()
        .map(|(i, (sum, r))| (sum * f64::from(scale[i % 96]) + f64::from(bias[i % 96]) + r).max(0.0));
    // What is added may cancel: an error of the sums is one of their size.
    let size = sums.iter().fold(0.0_f64, |m, x| m.max(x.abs())) * 4.0;
    for (got, expected) in wide(&y).iter().zip(expected) {
        assert!((got - expected).abs() <= HALF_PLACE * expected + SUMS * size, "{got} for {expected}");
    }
    let (_, statistics) = conv.forward_with_statistics(&x, &w, None);
    let (mean, variance) = reference::statistics(&sums, 96);
    assert_rounded("means", &statistics.mean, &mean);
    assert_rounded("variances", &statistics.variance, &variance);
}

/// Normalisation forward and backward, alone and joined with the convolution before it.
#[test]
fn normalisation_and_joint_gradients() {
    for (rows, from, to) in [(37, 32, 64), (1201, 64, 32), (600, 64, 256)] {
        let conv = conv(1, 1, (from, to), rows, (1, 1));
        assert!(conv.joins_norm());
        let (gamma, beta) = (random(to, 1), random(to, 2));
        let ((y, exact_y), (mut dy, exact_dy)) = (stored(rows * to, 3), stored(rows * to, 4));
        let (residual, exact_residual) = stored(rows * to, 5);
        let [exact_gamma, exact_beta] = [&gamma, &beta].map(|v| wide(v));
        let eps = 1e-5;
        let statistics = norm::statistics(&y, to);
        let (scale, shift) = norm::scale_and_shift(&gamma, &beta, &statistics, eps);
        let epilogue =
            Epilogue { scale: Some(&scale), bias: Some(&shift), residual: Some(&residual), relu: true };
        let z = norm::affine(&y, to, epilogue);
        let (exact_z, [dx, d_gamma, d_beta, g]) = reference::batch_norm(
            &exact_y,
            &exact_gamma,
            &exact_beta,
            &exact_residual,
            &exact_dy,
            f64::from(eps),
        );
        assert_rounded("normalised", &z, &exact_z);
        let found = norm::backward(&mut dy, &y, Passed::Output(&z), &gamma, &statistics, eps, true);
        assert_rounded("dγ", &found.gamma, &d_gamma);
        assert_rounded("dβ", &found.beta, &d_beta);
        assert_rounded("passed", &dy, &g);
        assert_rounded("dx", &found.input.beside(&dy, &y), &dx);
        // The joint pass rounds that gradient, and takes it as both products' operand.
        let rounded: Vec<f64> = dx.iter().map(|&x| f64::from(Bf16::from_f32(x as f32).to_f32())).collect();
        let ((x, exact_x), (w, exact_w)) = (stored(rows * from, 6), weights(conv.weight_len(), 7));
        let mut out = Buffer::zeroed(x.len());
        let behind = BehindNorm { y: &y, dy: &dy, gradient: &found.input };
        let dw = conv.gradients(&x, &w, behind, Destination::new(&mut out));
        // A gradient that lies within rounding of the middle of two numbers may become the other one: one place of one
        // term of a sum.
        let terms = |name: &str, got: &[f64], expected: Vec<f64>, slack: f64| {
            let scale = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (got, expected) in got.iter().zip(&expected) {
                let limit = HALF_PLACE * expected.abs() * slack + 1e-3 * scale;
                assert!((got - expected).abs() <= limit, "{name} {rows}×{from}×{to}: {got} for {expected}");
            }
        };
        terms("dx", &wide(&out), reference::conv_data_gradient(&conv, &rounded, &exact_w), 1.0);
        terms("dw", &wide(&dw), reference::conv_weight_gradient(&conv, &exact_x, &rounded), 0.0);
    }
}

#[test]
fn pooling_and_elementwise_passes() {
    let pool = MaxPool { batch: 2, height: 9, width: 8, channels: 37, kernel: 3, stride: 2, padding: 1 };
    let (x, exact_x) = stored(2 * 9 * 8 * 37, 1);
    let (y, taps) = pool.forward(&x);
    let (dy, exact_dy) = stored(y.len(), 2);
    let (exact_y, exact_dx) = reference::max_pool(&pool, &exact_x, &exact_dy);
    assert_eq!(wide(&y), exact_y, "a maximum is not rounded");
    // A pixel that is the largest of several windows adds their gradients one after another, each sum being rounded.
    let limit = 4.0 * HALF_PLACE * 8.0;
    let dx = wide(&pool.backward(&dy, &taps));
    assert!(dx.iter().zip(&exact_dx).all(|(a, b)| (a - b).abs() <= limit), "gradient of pooling");
    let mean = pool::global_average(&x, 72, 37);
    let expected: Vec<f64> = (0..2 * 37)
        .map(|i| (0..72).map(|p| exact_x[(i / 37 * 72 + p) * 37 + i % 37]).sum::<f64>() / 72.0)
        .collect();
    assert_rounded("mean", &mean, &expected);
    let mut spread = Buffer::<Bf16>::scratch(x.len());
    pool::global_average_backward(&mean, 72, 37, Destination::new(&mut spread));
    assert_rounded("spread", &spread[..37], &wide(&mean[..37]).iter().map(|x| x / 72.0).collect::<Vec<_>>());
    let (exact_hard, exact_slope) = reference::hardswish(&exact_x, &exact_x);
    assert_rounded("hardswish", &activation::swish(Swish::Hard, &x), &exact_hard);
    let mut slope = x.clone();
    activation::swish_backward(Swish::Hard, &mut slope, &x);
    assert_rounded("its gradient", &slope, &exact_slope);
    let mut sum = x.clone();
    elementwise::add_to(&mut sum, &x);
    assert_eq!(wide(&sum), exact_x.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
    assert_eq!(wide(&elementwise::relu(&x)), exact_x.iter().map(|x| x.max(0.0)).collect::<Vec<_>>());
    let columns: Vec<f64> = (0..37).map(|c| exact_x.iter().skip(c).step_by(37).sum()).collect();
    assert_rounded("sums of rows", &elementwise::sum_rows(&x, 37), &columns);
}

/// Rounding to nearest, ties to even, of every kind of number: as torch's `to(torch.bfloat16)`.
#[test]
fn rounding() {
    let cases = [
        (1.0, 0x3f80),
        (-0.0, 0x8000),
        (1.0 + 1.0 / 256.0, 0x3f80), // a tie, to even
        (1.0 + 3.0 / 256.0, 0x3f82), // a tie, to even
        (1.0 + 1.0 / 256.0 + 1e-6, 0x3f81),
        (f32::MAX, 0x7f80),
        (f32::NEG_INFINITY, 0xff80),
        (f32::from_bits(0x7f7f_7fff), 0x7f7f),
    ];
    for (x, bits) in cases {
        assert_eq!(Bf16::from_f32(x).0, bits, "{x:e}");
        // The same in whole vectors, as an epilogue rounds.
        let row = [x; 64];
        let one = Epilogue { bias: None, ..Epilogue::<Bf16>::default() };
        let narrow: Buffer<Bf16> = elementwise::narrow(&row);
        assert!(norm::affine(&narrow, 64, one).iter().all(|y| y.0 == bits || x == 0.0), "{x:e}");
        assert!(narrow.iter().all(|y| y.0 == bits), "{x:e}");
    }
    for bits in [0x7f80_0001_u32, 0xffff_ffff, 0x7fc0_0000] {
        assert!(Bf16::from_f32(f32::from_bits(bits)).to_f32().is_nan(), "a NaN stays one: {bits:x}");
    }
}
