//! Classes of different size: `--sampler`, `--class-weights`, `--loss`.

use crate::bench::Bench;
use crate::material::{MLP, picture};

/// 12 ants and 4 bees.
fn uneven() -> Bench {
    let bench = Bench::new();
    for (class, name, count) in [(0, "ant", 12), (1, "bee", 4)] {
        for number in 0..count {
            bench.write(&format!("uneven/{name}/{number}.png"), picture(class, number));
        }
    }
    bench
}

#[test]
fn each_option_changes_the_run_and_is_resumed_to_the_same_bits() {
    let bench = uneven();
    let line = format!("train uneven {MLP} --batch-size 3 --val-split 0.25");
    bench.run(&format!("{line} --epochs 4 --out plain")).succeeds();
    for (name, options) in [
        ("sampler", "--sampler balanced"),
        ("weights", "--class-weights balanced"),
        ("named", "--class-weights bee=3"),
        ("focal", "--loss focal --focal-gamma 1.5 --label-smoothing 0.1"),
    ] {
        bench.run(&format!("{line} {options} --epochs 4 --out {name}")).succeeds();
        bench.run(&format!("{line} {options} --epochs 2 --out {name}-cut")).succeeds();
        bench.run(&format!("resume {name}-cut --epochs 4")).succeeds();
        let steps = |run: &str| bench.text(&format!("{run}/steps.jsonl"));
        assert_ne!(steps(name), steps("plain"), "{name}");
        assert_eq!(steps(name), steps(&format!("{name}-cut")), "{name}");
    }
    // 9 ants and 3 bees train: 12 / (2 × 9) and 12 / (2 × 3).
    bench.write("weights.csv", "ant,0.6666666666666666\nbee,2\n");
    bench.run(&format!("{line} --class-weights weights.csv --epochs 4 --out file")).succeeds();
    assert_eq!(bench.text("file/steps.jsonl"), bench.text("weights/steps.jsonl"));
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let bench = uneven();
    for (options, parts) in [
        ("--class-weights cat=2", &["--class-weights", "no class cat", "ant, bee"][..]),
        ("--class-weights 1,2,3", &["3 weights", "2 classes"]),
        ("--class-weights nowhere.csv", &["no such file"]),
        ("--focal-gamma -1", &["--focal-gamma must be at least 0"]),
    ] {
        bench.refuses(&format!("train uneven {MLP} {options} --out none"), 2, parts);
    }
}
