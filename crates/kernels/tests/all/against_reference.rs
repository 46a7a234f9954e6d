//! Every kernel against its naive f64 version, on shapes at each threshold where the fast path changes course.
//!
//! Run with `WELLFIT_SIMD=scalar` (or `avx2`, `avx512`, `neon`) to test another instruction set.

use crate::common::{assert_close, convolution, random, wide};
use wellfit_kernels::activation::{self, Swish};
use wellfit_kernels::conv::{self, Algorithm, Conv, Destination, GroupedConv};
use wellfit_kernels::norm::{self, Passed};
use wellfit_kernels::pool::{self, MaxPool};
use wellfit_kernels::{Buffer, Epilogue};
use wellfit_kernels::{elementwise, reference};

/// A normalisation by this scale and shift of each channel.
fn affine(x: &[f32], (scale, shift): (&[f32], &[f32]), residual: Option<&[f32]>, relu: bool) -> Buffer {
    norm::affine(x, scale.len(), Epilogue { scale: Some(scale), bias: Some(shift), residual, relu })
}

/// What is asked for by name is what is computed: direct sums of small whole numbers have no rounding at all, those of
/// Winograd's method do.
#[test]
fn direct_convolutions_take_no_detour() {
    let whole = |len, index| -> Vec<f32> { random(len, index).iter().map(|x| (2.0 * x).round()).collect() };
    for (channels_in, channels_out, kernel, size, stride) in
        [(32, 48, 3, 9, 1), (32, 48, 3, 45, 2), (3, 64, 7, 45, 2)]
    {
        let fastest = convolution(8, (size, size), (channels_in, channels_out), [kernel, stride, kernel / 2]);
        let direct = Conv { algorithm: Algorithm::Direct, ..fastest };
        let (x, w) = (whole(direct.input_len(), 1), whole(direct.weight_len(), 2));
        let dy = whole(direct.output_len(), 3);
        let passes = |conv: &Conv| {
            let mut dx = vec![0.0; x.len()];
            conv.data_gradient(&dy, &w, Destination::new(&mut dx));
            [conv.forward(&x, &w, None).to_vec(), dx, conv.weight_gradient(&x, &dy).to_vec()]
                .map(|p| wide(&p))
        };
        let exact = [
            reference::conv_forward(&direct, &wide(&x), &wide(&w), &[]),
            reference::conv_data_gradient(&direct, &wide(&dy), &wide(&w)),
            reference::conv_weight_gradient(&direct, &wide(&x), &wide(&dy)),
        ];
        assert!(passes(&direct) == exact, "{direct:?}");
        let [forward, _, weights] = passes(&fastest);
        assert!(forward != exact[0] && weights != exact[2], "{fastest:?} was direct too");
    }
}

fn check_conv(conv: Conv) {
    let (x, w) = (random(conv.input_len(), 1), random(conv.weight_len(), 2));
    let (dy, bias) = (random(conv.output_len(), 3), random(conv.channels_out, 4));
    let what = format!("{conv:?}");
    let y = conv.forward(&x, &w, Some(&bias));
    assert_close(&what, &y, &reference::conv_forward(&conv, &wide(&x), &wide(&w), &wide(&bias)), 1e-5);
    let unbiased = conv.forward(&x, &w, None);
    assert_close(&what, &unbiased, &reference::conv_forward(&conv, &wide(&x), &wide(&w), &[]), 1e-5);
    let dw = conv.weight_gradient(&x, &dy);
    assert_close(&what, &dw, &reference::conv_weight_gradient(&conv, &wide(&x), &wide(&dy)), 1e-5);
    let expected = reference::conv_data_gradient(&conv, &wide(&dy), &wide(&w));
    let mut dx = vec![f32::NAN; x.len()];
    conv.data_gradient(&dy, &w, Destination::new(&mut dx));
    assert_close(&what, &dx, &expected, 1e-5);
    let mut sum = x.clone();
    conv.data_gradient(&dy, &w, Destination { accumulate: true, ..Destination::new(&mut sum) });
    let expected: Vec<f64> = expected.iter().zip(wide(&x)).map(|(d, x)| d + x).collect();
    assert_close(&what, &sum, &expected, 1e-5);
    // Past a ReLU that made the input of another image: what passes has the bits it had.
    let relu = elementwise::relu(&random(x.len(), 5));
    for (accumulate, all) in [(false, dx), (true, sum)] {
        let mut masked = x.clone();
        let to = Destination { dx: &mut masked, accumulate, passed: Some(&relu) };
        conv.data_gradient(&dy, &w, to);
        let expected: Vec<f32> =
            all.iter().zip(&relu[..]).map(|(&d, &y)| if y > 0.0 { d } else { 0.0 }).collect();
        assert!(masked == expected, "{what}: past a ReLU");
    }
}

#[test]
fn convolutions_of_every_kind() {
    for (kernel, stride, padding) in
        [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3), (3, 1, 0), (2, 2, 0)]
    {
        for (channels_in, channels_out) in [(1, 16), (3, 64), (5, 1), (16, 17), (33, 31), (64, 65), (4, 8)] {
            for (batch, height, width) in [(1, 7, 9), (3, 8, 7)] {
                check_conv(convolution(
                    batch,
                    (height, width),
                    (channels_in, channels_out),
                    [kernel, stride, padding],
                ));
            }
        }
    }
}

/// Channels in whole vectors take Winograd's way: every size modulo the tile, every padding.
#[test]
fn three_by_three_at_stride_one() {
    for (channels_in, channels_out) in [(32, 32), (64, 48), (48, 80), (256, 64)] {
        for (batch, height, width, padding) in
            [(1, 3, 5, 1), (2, 8, 8, 1), (3, 7, 14, 1), (1, 6, 9, 0), (1, 5, 4, 2)]
        {
            check_conv(convolution(batch, (height, width), (channels_in, channels_out), [3, 1, padding]));
        }
    }
}

/// At stride 2 they do with 32 tiles an image, the gradient of the weights with 256 in all.
#[test]
fn three_by_three_at_stride_two() {
    let channels = [(32, 32), (64, 48), (48, 80), (32, 48)];
    let sizes = [(1, 44, 46), (8, 41, 48), (9, 45, 42), (8, 48, 47)];
    for ((channels_in, channels_out), (batch, height, width)) in channels.into_iter().zip(sizes) {
        let (kernel, stride, padding) = (3, 2, 1);
        check_conv(convolution(
            batch,
            (height, width),
            (channels_in, channels_out),
            [kernel, stride, padding],
        ));
    }
}

/// So does the first layer of a ResNet, with up to four channels: sizes modulo the tile, odd and even.
#[test]
fn seven_by_seven_of_few_channels() {
    for (channels_in, channels_out) in [(1, 32), (3, 64), (4, 48)] {
        for (batch, height, width) in [(2, 5, 6), (1, 16, 16), (3, 13, 23), (1, 33, 30)] {
            let (kernel, stride, padding) = (7, 2, 3);
            check_conv(convolution(
                batch,
                (height, width),
                (channels_in, channels_out),
                [kernel, stride, padding],
            ));
        }
    }
}

#[test]
fn large_weights_are_split_by_rows() {
    let base = Conv::linear(70, 400, 500);
    assert!(base.weight_len() > 1 << 17, "above the threshold between the two splits");
    check_conv(base);
    check_conv(convolution(2, (5, 5), (130, 140), [3, 2, 1]));
}

#[test]
fn many_rows_are_summed_in_parts() {
    check_conv(convolution(9, (20, 21), (8, 12), [3, 1, 1]));
    check_conv(Conv::linear(3001, 7, 9));
}

#[test]
fn linear_layers_of_every_tail() {
    for batch in [1, 2, 5, 6, 7, 83, 84, 85] {
        for (features_in, features_out) in [(1, 1), (3, 8), (15, 9), (63, 33), (784, 48), (24, 10)] {
            check_conv(Conv::linear(batch, features_in, features_out));
        }
    }
}

#[test]
fn batch_norm_with_residual_and_relu() {
    for (rows, channels) in [(2, 1), (3, 3), (50, 16), (777, 63), (5000, 64), (700, 65), (33, 2048)] {
        let n = rows * channels;
        // A mean of 3 would show a variance computed by subtracting large squares.
        let x: Vec<f32> = random(n, 1).iter().map(|x| x * 0.5 + 3.0).collect();
        let (gamma, beta) = (random(channels, 2), random(channels, 3));
        let (residual, dy) = (random(n, 4), random(n, 5));
        let eps = 1e-5_f32;
        let (y_ref, [dx, d_gamma, d_beta, d_residual]) = reference::batch_norm(
            &wide(&x),
            &wide(&gamma),
            &wide(&beta),
            &wide(&residual),
            &wide(&dy),
            f64::from(eps),
        );
        let what = format!("{rows} × {channels}");
        let found = norm::statistics(&x, channels);
        let (mean, variance) = reference::statistics(&wide(&x), channels);
        assert_close(&what, &found.mean, &mean, 1e-6);
        assert_close(&what, &found.variance, &variance, 1e-5);
        let (scale, shift) = norm::scale_and_shift(&gamma, &beta, &found, eps);
        let y = affine(&x, (&scale, &shift), Some(&residual), true);
        // x·scale + shift cancels: |mean|/std is 6 here, so up to 6 times the plain rounding.
        assert_close(&what, &y, &y_ref, 1e-5);
        // The mask must be the reference's, or a value near zero decides differently.
        let mask: Vec<f32> = y_ref.iter().map(|&y| y as f32).collect();
        let mut g = Buffer::from_slice(&dy);
        let back = norm::backward(&mut g, &x, Passed::Output(&mask), &gamma, &found, eps, true);
        assert_close(&what, &g, &d_residual, 1e-7);
        assert_close(&what, &back.beta, &d_beta, 1e-5);
        assert_close(&what, &back.gamma, &d_gamma, 1e-4);
        if rows > 3 {
            assert_close(&what, &back.input.beside(&g, &x), &dx, 1e-4);
            assert_eq!(back.input.beside(&g, &x)[..], back.input.over(g, &x)[..], "{what}");
        }
    }
}

#[test]
fn batch_norm_whose_mask_is_computed_again() {
    for (rows, channels) in [(2, 1), (50, 16), (777, 63), (5000, 64), (33, 2048)] {
        let n = rows * channels;
        let (x, dy) = (random(n, 1), random(n, 5));
        let (gamma, beta) = (random(channels, 2), random(channels, 3));
        let what = format!("{rows} × {channels}");
        let found = norm::statistics(&x, channels);
        let (scale, shift) = norm::scale_and_shift(&gamma, &beta, &found, 1e-5);
        let y = affine(&x, (&scale, &shift), None, true);
        let run = |passed| {
            let mut g = Buffer::from_slice(&dy);
            let back = norm::backward(&mut g, &x, passed, &gamma, &found, 1e-5, true);
            [back.input.over(g, &x), back.gamma, back.beta]
        };
        // The output decides in the same way, and every sum runs in the same order.
        assert_eq!(run(Passed::Output(&y)), run(Passed::Affine(&scale, &shift)), "{what}");
    }
}

#[test]
fn a_convolution_and_the_normalisation_behind_it_go_backward_together() {
    // One block and several, a last one that is no whole tile, one part and several, all widths of a last panel.
    for (batch, side, channels_in, channels_out) in [
        (1, 3, 32, 32),
        (2, 9, 64, 96),
        (3, 23, 96, 64),
        (1, 40, 160, 128),
        (2, 17, 256, 512),
        (5, 11, 32, 256),
    ] {
        let conv = convolution(batch, (side, side), (channels_in, channels_out), [1, 1, 0]);
        assert!(conv.joins_norm());
        let what = format!("{conv:?}");
        let (x, w) = (random(conv.input_len(), 1), random(conv.weight_len(), 2));
        let (gamma, beta) = (random(channels_out, 3), random(channels_out, 4));
        let (y, found) = conv.forward_with_statistics(&x, &w, None);
        let (scale, shift) = norm::scale_and_shift(&gamma, &beta, &found, 1e-5);
        for passed in [Passed::All, Passed::Affine(&scale, &shift)] {
            let mut dy = Buffer::from_slice(&random(conv.output_len(), 5));
            let back = norm::backward(&mut dy, &y, passed, &gamma, &found, 1e-5, true);
            let (mut dx, mut sum) = (vec![f32::NAN; x.len()], x.clone());
            let behind = conv::BehindNorm { y: &y, dy: &dy, gradient: &back.input };
            let dw = conv.gradients(&x, &w, behind, Destination::new(&mut dx));
            let to = Destination { dx: &mut sum, accumulate: true, passed: Some(&x) };
            assert_eq!(dw, conv.gradients(&x, &w, behind, to), "{what}");
            // One after the other: the data gradient adds up in the same order, the weight gradient in other blocks.
            let between = back.input.over(dy, &y);
            let (mut one, mut added) = (vec![f32::NAN; x.len()], x.clone());
            conv.data_gradient(&between, &w, Destination::new(&mut one));
            let to = Destination { dx: &mut added, accumulate: true, passed: Some(&x) };
            conv.data_gradient(&between, &w, to);
            assert_eq!((one, added), (dx, sum), "{what}");
            let expected = reference::conv_weight_gradient(&conv, &wide(&x), &wide(&between));
            assert_close(&what, &dw, &expected, 1e-5);
        }
    }
}

#[test]
fn convolutions_do_more_before_they_write() {
    for (channels_in, channels_out, kernel, stride) in [
        (3, 5, 3, 2),
        (16, 33, 1, 1),
        (32, 48, 3, 1),
        (64, 64, 3, 1),
        (32, 48, 3, 2),
        (3, 64, 7, 2),
        (7, 40, 1, 1),
    ] {
        let (batch, height, width, padding) = (2, 41, 43, kernel / 2);
        let conv =
            convolution(batch, (height, width), (channels_in, channels_out), [kernel, stride, padding]);
        let (x, w) = (random(conv.input_len(), 1), random(conv.weight_len(), 2));
        let residual = random(conv.output_len(), 3);
        // A mean of 20 would show a variance computed by subtracting large squares.
        let (scale, bias) = (random(channels_out, 4), vec![20.0; channels_out]);
        let what = format!("{conv:?}");
        let sums = reference::conv_forward(&conv, &wide(&x), &wide(&w), &[]);
        let epilogue =
            Epilogue { scale: Some(&scale), bias: Some(&bias), residual: Some(&residual), relu: true };
        let expected: Vec<f64> = (0..sums.len())
            .map(|i| {
                let c = i % channels_out;
                let (scale, bias) = (f64::from(scale[c]), f64::from(bias[c]));
                (sums[i] * scale + bias + f64::from(residual[i])).max(0.0)
            })
            .collect();
        assert_close(&what, &conv.forward_with(&x, &w, epilogue), &expected, 1e-5);
        let (y, found) = conv.forward_with_statistics(&x, &w, Some(&bias));
        assert_eq!(y[..], conv.forward(&x, &w, Some(&bias))[..], "{what}");
        let (mean, variance) = reference::statistics(&wide(&y), channels_out);
        assert_close(&what, &found.mean, &mean, 1e-6);
        assert_close(&what, &found.variance, &variance, 1e-5);
    }
}

/// Neither a NaN nor an infinity may end as a variance of zero, nor a constant channel as one below it.
#[test]
fn statistics_tell_what_is_no_number() {
    for (channels, kernel) in [(5, 1), (48, 3)] {
        let (batch, size) = (3, 9);
        let conv = convolution(batch, (size, size), (channels, channels), [kernel, 1, kernel / 2]);
        let w = random(conv.weight_len(), 2);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut x = random(conv.input_len(), 1);
            x[conv.input_len() / 2] = bad;
            let (y, found) = conv.forward_with_statistics(&x, &w, None);
            for found in [found, norm::statistics(&y, channels)] {
                assert!(found.variance.iter().all(|v| v.is_nan()), "{bad}: {:?}", found.variance);
            }
        }
        let bias = vec![1e10; channels];
        let (y, found) = conv.forward_with_statistics(&vec![0.0; conv.input_len()], &w, Some(&bias));
        for found in [found, norm::statistics(&y, channels)] {
            assert!(found.variance.iter().all(|&v| v >= 0.0), "{:?}", found.variance);
        }
    }
}

/// What an epilogue leaves out changes nothing.
#[test]
fn an_empty_epilogue_keeps_what_it_is_given() {
    let (x, residual, bias) = (random(7 * 5, 1), random(7 * 5, 2), random(5, 3));
    assert_eq!(norm::affine(&x, 5, Epilogue::default())[..], x);
    assert_eq!(norm::affine(&x, 5, Epilogue { relu: true, ..Epilogue::default() }), elementwise::relu(&x));
    let epilogue = Epilogue { bias: Some(&bias), residual: Some(&residual), ..Epilogue::default() };
    let expected: Vec<f32> = (0..x.len()).map(|i| x[i] + bias[i % 5] + residual[i]).collect();
    assert_eq!(norm::affine(&x, 5, epilogue)[..], expected);
    // A layer without weights to speak of: what it adds up is the input.
    let mut identity = vec![0.0; 25];
    identity.iter_mut().step_by(6).for_each(|w| *w = 1.0);
    assert_eq!(Conv::linear(7, 5, 5).forward_with(&x, &identity, epilogue)[..], expected);
}

#[test]
fn running_statistics_take_the_unbiased_variance() {
    let found = norm::Statistics { mean: vec![2.0], variance: vec![3.0] };
    let (mut mean, mut variance) = ([1.0], [1.0]);
    found.update_running(&mut mean, &mut variance, 0.1, 4);
    assert!((mean[0] - 1.1_f32).abs() < 1e-6);
    assert!((variance[0] - (0.9 + 0.1 * 3.0 * 4.0 / 3.0_f32)).abs() < 1e-6);
}

#[test]
fn max_pooling_keeps_the_first_maximum() {
    for (kernel, stride, padding) in [(3, 2, 1), (2, 2, 0), (3, 1, 1)] {
        for (height, width, channels) in [(7, 9, 3), (8, 8, 64), (5, 6, 65)] {
            let pool = MaxPool { batch: 2, height, width, channels, kernel, stride, padding };
            // Whole numbers in a small range: plenty of ties.
            let x: Vec<f32> = random(2 * height * width * channels, 1).iter().map(|x| x.round()).collect();
            let dy = random(2 * pool.out_height() * pool.out_width() * channels, 2);
            let (y, dx) = reference::max_pool(&pool, &wide(&x), &wide(&dy));
            let (found, taps) = pool.forward(&x);
            assert_close("maxima", &found, &y, 0.0);
            assert_close("gradient", &pool.backward(&dy, &taps), &dx, 1e-6);
        }
    }
    let pool = MaxPool { batch: 1, height: 2, width: 2, channels: 1, kernel: 2, stride: 2, padding: 0 };
    assert!(pool.forward(&[1.0, f32::NAN, 3.0, 2.0]).0[0].is_nan(), "NaN shows, as in torch");
    let wide = MaxPool { channels: 17, ..pool };
    let mut x = vec![1.0; wide.height * wide.width * wide.channels];
    x[17..34].fill(f32::NAN);
    let (y, taps) = wide.forward(&x);
    assert!(y.iter().all(|y| y.is_nan()) && taps.iter().all(|&tap| tap == 1), "in every channel");
}

#[test]
fn pooling_and_sums() {
    let x = random(3 * 49 * 65, 1);
    let y = pool::global_average(&x, 49, 65);
    let expected: Vec<f64> = (0..3 * 65)
        .map(|i| (0..49).map(|p| f64::from(x[(i / 65 * 49 + p) * 65 + i % 65])).sum::<f64>() / 49.0)
        .collect();
    assert_close("average", &y, &expected, 1e-6);
    let share = |i: usize| y[i / 65 / 49 * 65 + i % 65] / 49.0;
    let back = |accumulate, passed| {
        let mut dx = x.clone();
        pool::global_average_backward(&y, 49, 65, Destination { dx: &mut dx, accumulate, passed });
        dx
    };
    assert!(back(false, None).iter().enumerate().all(|(i, &dx)| dx == share(i)));
    assert!(back(true, None).iter().enumerate().all(|(i, &dx)| dx == x[i] + share(i)));
    let masked = |i: usize| if x[i] > 0.0 { x[i] + share(i) } else { 0.0 };
    assert!(back(true, Some(&x)).iter().enumerate().all(|(i, &dx)| dx == masked(i)));
    let sums = elementwise::sum_rows(&x, 65);
    let expected: Vec<f64> =
        (0..65).map(|c| x.iter().skip(c).step_by(65).map(|&v| f64::from(v)).sum()).collect();
    assert_close("sums", &sums, &expected, 1e-5);
}

/// Groups of one channel, of fewer than a vector, of whole vectors, one group; with direct sums (as many outputs as inputs,
/// up to 32, 3×3) and with products of matrices; lines shorter than a window, one band of lines and several, more images
/// than parts.
#[test]
fn grouped_convolutions() {
    for (groups, channels_in, channels_out, kernel, stride, padding) in [
        (5, 1, 1, 3, 1, 1),
        (3, 1, 2, 3, 2, 1),
        (32, 4, 4, 3, 1, 1),
        (4, 4, 4, 3, 2, 1),
        (24, 2, 2, 3, 1, 0),
        (6, 8, 8, 3, 2, 2),
        (3, 16, 16, 3, 1, 1),
        (2, 32, 32, 3, 1, 2),
        (2, 32, 32, 3, 2, 1),
        (4, 16, 8, 3, 2, 1),
        (2, 5, 7, 1, 1, 0),
        (2, 32, 48, 3, 1, 1),
        (1, 6, 9, 5, 3, 2),
    ] {
        for (batch, height, width) in [(1, 7, 9), (3, 16, 14), (9, 3, 3), (2, 21, 40)] {
            let algorithm = Algorithm::Fastest;
            let group =
                Conv { batch, height, width, channels_in, channels_out, kernel, stride, padding, algorithm };
            check_grouped_conv(GroupedConv { groups, group });
        }
    }
}

fn check_grouped_conv(conv: GroupedConv) {
    let what = format!("{conv:?}");
    let (x, w) = (random(conv.input_len(), 1), random(conv.weight_len(), 2));
    let (dy, relu) = (random(conv.output_len(), 3), elementwise::relu(&random(x.len(), 4)));
    let run = |passed, accumulate| {
        let mut dx = x.clone();
        conv.data_gradient(&dy, &w, Destination { dx: &mut dx, accumulate, passed });
        dx
    };
    let all = || [conv.forward(&x, &w).to_vec(), run(None, false), conv.weight_gradient(&x, &dy).to_vec()];
    let found = all();
    let expected = reference::grouped_conv(&conv, &wide(&x), &wide(&w), &wide(&dy));
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(&what, found, expected, 1e-5);
    }
    let sum: Vec<f32> = found[1].iter().zip(&x).map(|(d, x)| d + x).collect();
    assert_eq!(run(None, true), sum, "{what}: added");
    let masked: Vec<f32> = sum.iter().zip(&relu[..]).map(|(&d, &y)| if y > 0.0 { d } else { 0.0 }).collect();
    assert_eq!(run(Some(&relu), true), masked, "{what}: past a ReLU");
    for threads in [1, 2, 3, 4] {
        let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else {
            panic!("no threads")
        };
        assert_eq!(pool.install(all), found, "{what} on {threads} threads");
    }
}

/// One block and several, whole vectors and a rest; the kinks and what is no number among the values.
#[test]
fn hard_swish() {
    for len in [1, 9, 1 << 15, (1 << 16) + 11] {
        let mut x: Vec<f32> = random(len, 1).iter().map(|x| 3.0 * x).collect();
        x.iter_mut().zip([-3.0, 3.0, 0.0, -4.0, 4.0]).for_each(|(x, kink)| *x = kink);
        let dy = random(len, 2);
        let (y, dx) = reference::hardswish(&wide(&x), &wide(&dy));
        let run = || {
            let mut gradient = dy.clone();
            activation::swish_backward(Swish::Hard, &mut gradient, &x);
            (activation::swish(Swish::Hard, &x), gradient)
        };
        let (found, gradient) = run();
        assert_close("hard swish", &found, &y, 1e-6);
        assert_close("its gradient", &gradient, &dx, 1e-6);
        for threads in [1, 2, 3, 4] {
            let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else {
                panic!("no threads")
            };
            assert_eq!(pool.install(run), (found.clone(), gradient.clone()), "{threads} threads");
        }
    }
    let ends = activation::swish(Swish::Hard, &[f32::NAN, f32::INFINITY, -3.0, 3.0]);
    assert!(ends[0].is_nan() && ends[1..] == [f32::INFINITY, 0.0, 3.0], "{ends:?}");
}

/// The bits of a result must not depend on how many threads computed it.
#[test]
fn bits_do_not_depend_on_threads() {
    for (channels_in, channels_out, kernel) in [(24, 40, 3), (32, 48, 3), (32, 64, 1)] {
        let (batch, height, width, padding) = (7, 14, 13, kernel / 2);
        same_bits(convolution(batch, (height, width), (channels_in, channels_out), [kernel, 1, padding]));
    }
    for (channels_in, channels_out, kernel) in [(32, 48, 3), (3, 64, 7)] {
        let (batch, height, width, padding) = (8, 45, 42, kernel / 2);
        same_bits(convolution(batch, (height, width), (channels_in, channels_out), [kernel, 2, padding]));
    }
}

fn same_bits(conv: Conv) {
    let (x, w, dy) =
        (random(conv.input_len(), 1), random(conv.weight_len(), 2), random(conv.output_len(), 3));
    let run = |threads: usize| {
        let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else {
            panic!("no threads")
        };
        pool.install(|| {
            let y = conv.forward(&x, &w, None);
            let dw = conv.weight_gradient(&x, &dy);
            let mut dx = vec![0.0; x.len()];
            conv.data_gradient(&dy, &w, Destination::new(&mut dx));
            let found = norm::statistics(&y, conv.channels_out);
            let (_, fused) = conv.forward_with_statistics(&x, &w, None);
            let gamma = vec![1.0; conv.channels_out];
            let mut g = Buffer::from_slice(&dy);
            let back = norm::backward(&mut g, &y, Passed::All, &gamma, &found, 1e-5, true);
            let statistics = [found.mean, found.variance, fused.mean, fused.variance].concat();
            if conv.joins_norm() {
                let behind = conv::BehindNorm { y: &y, dy: &g, gradient: &back.input };
                let to = Destination { accumulate: true, ..Destination::new(&mut dx) };
                let together = conv.gradients(&x, &w, behind, to);
                return [y, together, Buffer::from_slice(&dx), dw, back.gamma, back.beta].map(|b| b.to_vec());
            }
            [y.to_vec(), dw.to_vec(), dx, statistics, back.input.over(g, &y).to_vec(), back.gamma.to_vec()]
        })
    };
    let one = run(1);
    for threads in [2, 3, 4] {
        assert_eq!(one, run(threads), "{conv:?} on {threads} threads");
    }
}

/// Outputs too large for the caches are written past them.
#[test]
fn large_outputs_have_the_bits_of_small_ones() {
    for kernel in [1, 3] {
        let side = 110;
        let whole = convolution(6, (side, side), (32, 128), [kernel, 1, kernel / 2]);
        assert!(whole.output_len() > 1 << 23);
        let half = Conv { batch: 3, ..whole };
        let (x, w) = (random(whole.input_len(), 1), random(whole.weight_len(), 2));
        let (scale, shift, r) = (random(128, 3), random(128, 4), random(whole.output_len(), 5));
        let run = |conv: Conv, x: &[f32], r: &[f32]| {
            let epilogue =
                Epilogue { scale: Some(&scale), bias: Some(&shift), residual: Some(r), relu: true };
            let (y, _) = conv.forward_with_statistics(x, &w, None);
            let [with, without] = [(Some(r), true), (None, false)]
                .map(|(residual, relu)| affine(&y, (&scale, &shift), residual, relu));
            [conv.forward_with(x, &w, epilogue), y, with, without].map(|y| y.to_vec())
        };
        let halves = x.chunks(half.input_len()).zip(r.chunks(half.output_len()));
        let halves: Vec<_> = halves.map(|(x, r)| run(half, x, r)).collect();
        for (i, y) in run(whole, &x, &r).into_iter().enumerate() {
            assert!(y == [&*halves[0][i], &halves[1][i]].concat(), "output {i} of {whole:?}");
        }
    }
}

#[test]
fn an_image_gives_the_same_bits_wherever_it_lies_in_a_batch() {
    for (channels_in, channels_out, kernel, height, stride) in
        [(3, 20, 3, 9, 1), (24, 40, 3, 9, 1), (32, 48, 3, 9, 1), (32, 48, 3, 45, 2), (3, 64, 7, 45, 2)]
    {
        let conv = |batch| {
            convolution(
                batch,
                (height, height - 2),
                (channels_in, channels_out),
                [kernel, stride, kernel / 2],
            )
        };
        let (x, w) = (random(conv(13).input_len(), 1), random(conv(1).weight_len(), 2));
        let all = conv(13).forward(&x, &w, None);
        for (x, y) in x.chunks(conv(1).input_len()).zip(all.chunks(conv(1).output_len())) {
            assert_eq!(&conv(1).forward(x, &w, None)[..], y);
        }
    }
}
