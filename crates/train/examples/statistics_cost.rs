//! What recording costs: `cargo run --release -p wellfit-train --example statistics_cost`.
//!
//! A watched step is compared with the steps around it, so that what else the machine does falls on both alike. One step in
//! a hundred is watched: the cost of a run is a hundredth of what is printed.

#![allow(clippy::unwrap_used, reason = "a measurement may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wellfit_data::{Augmentations, Dataset, Images, Loader, LoaderOptions, Preprocessing};
use wellfit_models::{Shape, build};
use wellfit_record::{Phase, RunWriter};
use wellfit_rng::{Rng, Stream};
use wellfit_train::{Callback, FitConfig, Tick, fit};

/// Notes when each batch of training was done.
struct Clock(Vec<Duration>);

impl Callback for Clock {
    fn tick(&mut self, tick: &Tick) {
        if tick.phase == Phase::Train {
            self.0.push(tick.elapsed);
        }
    }
}

/// Grey noise of 28×28 pixels in ten classes.
fn loader(images: usize) -> Loader {
    let mut rng = Rng::new(1, Stream::Noise, 0, 0);
    let pixels = Arc::new((0..images * 28 * 28).map(|_| rng.below(256) as u8).collect());
    let labels = (0..images as u32).map(|i| i % 10).collect();
    let images = Images::Memory { height: 28, width: 28, channels: 1, pixels };
    let data = Dataset::new((0..10).map(|i| i.to_string()).collect(), labels, images).unwrap();
    let preprocessing = Preprocessing::new((28, 28), 1, vec![0.5], vec![0.3]);
    let options = LoaderOptions { batch_size: 32, workers: 0, ..LoaderOptions::default() };
    Loader::new(data, preprocessing, Augmentations::none(), options).unwrap()
}

/// When each step of such a training was done.
fn train(name: &str, steps: usize) -> Vec<Duration> {
    let root = tempfile::tempdir().unwrap();
    let mut run = RunWriter::create(Some(&root.path().join("run")), "cost", false).unwrap();
    run.write_run_toml(&BTreeMap::from([("seed", 0)])).unwrap();
    let mut network = build(name, Shape::image(28, 28, 1), 10).unwrap();
    network.initialise(0);
    let config = FitConfig { statistics: true, ..FitConfig::default() };
    let mut clock = Clock(Vec::new());
    fit(network, (&loader(steps * 32), &loader(32)), &config, &mut run, &mut clock).unwrap();
    clock.0
}

fn main() {
    println!("network     steps    a step   a watched one takes so much more: quartiles   of a run");
    for (name, steps) in [("mlp", 10_000), ("resnet20", 1600)] {
        let done = train(name, steps);
        let seconds = |step: usize| (done[step - 1] - done[step - 2]).as_secs_f64();
        let (mut extra, mut ordinary) = (Vec::new(), Vec::new());
        for watched in (100..steps - 5).step_by(100) {
            let mut around: Vec<f64> =
                (watched - 5..watched + 6).filter(|&step| step != watched).map(seconds).collect();
            around.sort_by(f64::total_cmp);
            ordinary.push(around[5]);
            extra.push(seconds(watched) / around[5] - 1.0);
        }
        extra.sort_by(f64::total_cmp);
        ordinary.sort_by(f64::total_cmp);
        let quartile = |values: &[f64], part: usize| values[values.len() * part / 4];
        let [low, middle, high] = [1, 2, 3].map(|part| quartile(&extra, part));
        let step = 1e3 * quartile(&ordinary, 2);
        println!("{name:10} {steps:6} {step:6.2} ms   {low:.2}  {middle:.2}  {high:.2}   {middle:.2} %");
    }
}
