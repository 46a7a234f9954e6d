//! What the tests against naive f64 versions share.

#![allow(dead_code, reason = "no test uses all of it")]

use wellfit_kernels::conv::{Algorithm, Conv};
use wellfit_rng::{Rng, Stream};

/// Normal noise; another for each index.
pub fn random(len: usize, index: u32) -> Vec<f32> {
    let mut rng = Rng::new(5, Stream::Noise, 0, index);
    (0..len).map(|_| rng.normal()).collect()
}

/// The same numbers in f64.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Largest difference relative to the largest expected value. A sum of n products of numbers around 1 errs
/// by about √n·2⁻²⁴ of its size, so 1e-5 allows n in the ten thousands and still sees a missing term.
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let scale = expected.iter().fold(1e-30_f64, |m, x| m.max(x.abs()));
    let worst = got.iter().zip(expected).map(|(&g, e)| (f64::from(g) - e).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance * scale, "{what}: off by {worst:e} at scale {scale:e}");
}

/// A convolution by the fastest way, with window: size, stride and padding.
pub fn convolution(
    batch: usize,
    (height, width): (usize, usize),
    (channels_in, channels_out): (usize, usize),
    [kernel, stride, padding]: [usize; 3],
) -> Conv {
    let algorithm = Algorithm::Fastest;
    Conv { batch, height, width, channels_in, channels_out, kernel, stride, padding, algorithm }
}
