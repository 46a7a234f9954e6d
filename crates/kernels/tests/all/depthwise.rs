//! Depth-wise convolution against its naive f64 version.
//!
//! Run with `WELLFIT_SIMD=scalar` (or `avx2`, `avx512`, `neon`) to test another instruction set.

use crate::common::{assert_close, random, wide};
use wellfit_kernels::conv::{DepthwiseConv, Destination};
use wellfit_kernels::{Buffer, Epilogue, elementwise, norm, reference};

fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else { panic!("no threads") };
    pool.install(work)
}

fn passes(conv: &DepthwiseConv, x: &[f32], w: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let mut dx = vec![f32::NAN; x.len()];
    conv.data_gradient(dy, w, Destination::new(&mut dx));
    [conv.forward(x, w).to_vec(), dx, conv.weight_gradient(x, dy).to_vec()]
}

/// Sums of 9 or 25 products round by a few 2⁻²⁴; the weights' gradient sums up to 3 · 37² of them, in parts.
fn check(conv: DepthwiseConv) {
    let what = format!("{conv:?}");
    let (x, w, dy) =
        (random(conv.input_len(), 1), random(conv.weight_len(), 2), random(conv.output_len(), 3));
    let found = passes(&conv, &x, &w, &dy);
    let expected = reference::depthwise_conv(&conv, &wide(&x), &wide(&w), &wide(&dy));
    let names = ["output", "input's gradient", "weights' gradient"];
    for ((name, tolerance), (found, expected)) in
        names.into_iter().zip([5e-7, 5e-7, 2e-6]).zip(found.iter().zip(&expected))
    {
        assert_close(&format!("{name} of {what}"), found, expected, tolerance);
    }
    for threads in [1, 2, 3, 4] {
        assert_eq!(on_threads(threads, || passes(&conv, &x, &w, &dy)), found, "{what} on {threads} threads");
    }
}

/// Channels of one vector, of whole vectors, of whole groups and with a rest of each; lines shorter than a window and
/// than a tile, with a rest; one band and several.
#[test]
fn every_shape() {
    for (kernel, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
        for channels in [16, 17, 24, 64, 72, 120] {
            for (batch, height, width) in [(2, 3, 3), (1, 7, 7), (2, 8, 6), (1, 13, 14), (1, 1, 20)] {
                check(DepthwiseConv { batch, height, width, channels, kernel, stride, padding: kernel / 2 });
            }
        }
        for padding in [0, 1, 2] {
            check(DepthwiseConv { batch: 1, height: 9, width: 10, channels: 40, kernel, stride, padding });
        }
        let padding = kernel / 2;
        check(DepthwiseConv { batch: 3, height: 37, width: 37, channels: 96, kernel, stride, padding });
    }
}

#[test]
fn more_is_done_before_the_output_is_written() {
    for (kernel, stride, channels) in [(3, 1, 96), (5, 2, 72)] {
        let conv = DepthwiseConv { batch: 2, height: 41, width: 43, channels, kernel, stride, padding: 2 };
        let (x, w) = (random(conv.input_len(), 1), random(conv.weight_len(), 2));
        let y = conv.forward(&x, &w);
        let (same, found) = conv.forward_with_statistics(&x, &w);
        assert_eq!(same, y);
        let (mean, variance) = reference::statistics(&wide(&y), channels);
        let scale = mean.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        assert!(scale < 1.0);
        // Means are near 0, the values near 4: they err by that much.
        for (found, expected) in found.mean.iter().zip(&mean) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_close("variance", &found.variance, &variance, 2e-6);
        let (scale, bias) = (random(channels, 4), random(channels, 5));
        let epilogue = Epilogue { scale: Some(&scale), bias: Some(&bias), residual: None, relu: true };
        // The same two roundings as a pass of its own.
        assert_eq!(conv.forward_with(&x, &w, epilogue), norm::affine(&y, channels, epilogue));
    }
}

/// Added to what is there, and past a ReLU that made the input.
#[test]
fn the_gradient_goes_to_its_destination() {
    let conv =
        DepthwiseConv { batch: 2, height: 9, width: 11, channels: 24, kernel: 3, stride: 2, padding: 1 };
    let (x, w, dy) =
        (random(conv.input_len(), 1), random(conv.weight_len(), 2), random(conv.output_len(), 3));
    let [_, dx, _] = passes(&conv, &x, &w, &dy);
    let relu = elementwise::relu(&random(x.len(), 4));
    for (accumulate, passed) in [(true, None), (false, Some(&relu[..])), (true, Some(&relu[..]))] {
        let mut found = Buffer::from_slice(&x);
        conv.data_gradient(&dy, &w, Destination { dx: &mut found, accumulate, passed });
        for (i, found) in found.iter().enumerate() {
            let sum = if accumulate { dx[i] + x[i] } else { dx[i] };
            let expected = if passed.is_none_or(|y| y[i] > 0.0) { sum } else { 0.0 };
            assert_eq!(*found, expected, "{accumulate} {}", passed.is_some());
        }
    }
}
