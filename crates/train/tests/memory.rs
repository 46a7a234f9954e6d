//! The estimate of memory against what a process really takes. Only Linux tells that.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod material;

use material::{cases, config, images, new_run};
use std::process::Command;
use wellfit_data::{Augmentations, Loader, LoaderOptions, Preprocessing};
use wellfit_kernels::optim::Rule;
use wellfit_models::{Shape, build};
use wellfit_train::{Every, FitConfig, fit, memory_need};

/// Peak and current resident memory of this process, in bytes.
fn resident(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    1024 * line.trim_start_matches(':').trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap()
}

/// Four steps of a model, with a checkpoint that also holds the best weights, as (estimate, truth) in bytes.
fn case(model: &str, size: usize, batch: usize, freeze: bool) -> (u64, u64) {
    let preprocessing = Preprocessing {
        channels: 3,
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
        ..Preprocessing::imagenet((size, size))
    };
    let options = LoaderOptions { batch_size: batch, workers: 1, prefetch: 2, ..LoaderOptions::default() };
    let loader = |n, index| {
        let none = Augmentations::none();
        Loader::new(images(n, index), preprocessing.clone(), none, options.clone()).unwrap()
    };
    let (train, validation) = (loader(2 * batch, 0), loader(batch, 1));
    let mut network = build(model, Shape::image(size, size, 3), 2).unwrap();
    network.initialise(0);
    if freeze {
        network.freeze_backbone();
    }
    let rule = Rule::Adam { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, decoupled: false };
    let config = FitConfig { rule, checkpoint_every: Some(Every::Steps(3)), ..config(2, 1e-4) };
    // An epoch has two batches, so no more are ever ready.
    let ahead = 2 * (batch * size * size * 3 * 4) as u64;
    let estimate = memory_need(&network, &config, batch) + ahead;
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let before = resident("VmRSS");
    fit(network, (&train, &validation), &config, &mut run, &mut ()).unwrap();
    (estimate, resident("VmHWM") - before)
}

const CASES: [(&str, usize, usize, bool); 5] = [
    ("resnet20", 32, 64, false),
    ("mlp", 128, 64, false),
    ("resnet18", 64, 16, false),
    ("resnet50", 64, 8, false),
    ("resnet50", 64, 8, true),
];

/// A process has one peak, so each case is a process of its own: this very test, told which.
#[test]
fn the_estimate_is_close_to_what_a_process_takes() {
    const WHICH: &str = "WELLFIT_MEMORY_CASE";
    if let Ok(which) = std::env::var(WHICH) {
        let (model, size, batch, freeze) = CASES[which.parse::<usize>().unwrap()];
        let (estimate, truth) = case(model, size, batch, freeze);
        let mb = |bytes: u64| bytes / 1_000_000;
        let ratio = estimate as f64 / truth as f64;
        println!(
            "{model} {size} batch {batch}: estimate {} MB, truth {} MB, {ratio:.3}",
            mb(estimate),
            mb(truth)
        );
        return;
    }
    for which in 0..cases(2, CASES.len()) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.arg("--nocapture").env(WHICH, which.to_string()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.contains("estimate")).unwrap_or_else(|| panic!("{text}"));
        println!("{line}");
        let ratio: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        // The margin is for other allocators and page sizes.
        assert!((0.85..1.15).contains(&ratio), "{line}");
    }
}
