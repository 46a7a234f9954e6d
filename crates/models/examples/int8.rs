//! Seconds of an evaluation pass in f32 and in 8-bit integers, in turn, on random pixels.
//!
//! `cargo run --release -p wellfit-models --example int8 -- resnet50 32 224`

use std::time::Instant;
use wellfit_models::int8::{Calibration, Quantised};
use wellfit_models::{Engine, ModelError, Shape, build};
use wellfit_rng::{Rng, Stream};

/// Measurements of each, after one to warm up.
const TIMES: usize = 7;

fn main() -> Result<(), ModelError> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default| words.get(i).and_then(|word| word.parse().ok()).unwrap_or(default);
    let model = words.first().map_or("resnet50", String::as_str);
    let (batch, size) = (number(1, 32), number(2, 224));
    let mut network = build(model, Shape::image(size, size, 3), 1000)?;
    network.initialise(0);
    let mut images = vec![0.0; batch * network.input.len()];
    Rng::new(0, Stream::Noise, 0, 0).fill_uniform(&mut images);
    let mut calibration = Calibration::new(&network);
    calibration.watch(&network, &images[..network.input.len()])?;
    let quantised = Quantised::new(&network, &calibration.ranges(&network)?)?;
    let (mut floats, mut integers) = (Vec::new(), Vec::new());
    for _ in 0..=TIMES {
        floats.push(seconds(|| drop(network.evaluate(&images))));
        integers.push(seconds(|| drop(quantised.evaluate(&images))));
    }
    let [floats, integers] = [floats, integers].map(|times| spread(times[1..].to_vec()));
    println!("{model}, batch {batch}, {size}²: f32 {floats}, int8 {integers} ({})", quantised.name());
    Ok(())
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Median, least and most.
fn spread(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    format!("{:.4} s ({:.4}–{:.4})", times[times.len() / 2], times[0], times[times.len() - 1])
}
