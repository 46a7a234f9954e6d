//! The same seed gives the same bits, whatever the number of threads and loaders.

use crate::bench::Bench;
use crate::material::RESNET;

/// The bytes of a trained model and of its losses; flips, shuffling and BatchNorm take part.
fn trained(bench: &Bench, options: &str) -> (Vec<u8>, String) {
    let line = format!("train animals {RESNET} --epochs 2 --batch-size 5 --out run --force {options}");
    bench.run(&line).succeeds();
    (bench.bytes("run/model.safetensors"), bench.text("run/steps.jsonl"))
}

#[test]
fn threads_loaders_and_repetition_change_nothing() {
    let bench = Bench::new();
    bench.animals();
    let first = trained(&bench, "--threads 1");
    for options in ["--threads 1", "--threads 2", "--threads 4 --workers 3", "--workers 0"] {
        assert!(trained(&bench, options) == first, "{options} made another model");
    }
}

#[test]
fn threads_change_no_lab() {
    let bench = Bench::new();
    bench.digits("digits", 200, 50);
    for lab in ["dropout --epochs 40", "batchnorm --data digits --epochs 2 --batch-size 20"] {
        let of = |threads: usize| {
            bench.run(&format!("lab {lab} --out lab --force --threads {threads}")).succeeds();
            (bench.text("lab/steps.jsonl"), bench.text("lab/summary.txt"))
        };
        let first = of(1);
        assert!(of(2) == first && of(4) == first, "lab {lab}");
    }
}

#[test]
fn the_seed_matters() {
    let bench = Bench::new();
    bench.animals();
    assert!(trained(&bench, "--seed 0") != trained(&bench, "--seed 1"));
}
