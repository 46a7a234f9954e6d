//! `--cache`: the same run with and without, and what it leaves.

use crate::bench::Bench;
use crate::material::RESNET;

/// The steps of a run with these options, and how many entries the folder `kept` has afterwards.
fn steps(bench: &Bench, name: &str, options: &str) -> (Vec<String>, usize) {
    let line = format!("train animals {RESNET} --freeze --epochs 3 --out {name} {options}");
    bench.run(&line).succeeds().says("Waiting for data: ");
    let steps = bench.lines(&format!("{name}/steps.jsonl")).iter().map(ToString::to_string).collect();
    let folders = if bench.has("kept") { bench.names("kept") } else { Vec::new() };
    (steps, folders.iter().map(|folder| bench.names(&format!("kept/{folder}")).len()).sum())
}

#[test]
fn no_result_depends_on_the_cache() {
    let bench = Bench::new();
    bench.animals();
    let (plain, none) = steps(&bench, "off", "--cache off");
    assert_eq!((plain.len(), none), (3, 0));
    assert_eq!(steps(&bench, "ram", ""), (plain.clone(), 0), "in memory by default");
    assert_eq!(steps(&bench, "small", "--cache ram --cache-size 0"), (plain.clone(), 0));
    let (cold, entries) = steps(&bench, "cold", "--cache disk --cache-dir kept");
    // 16 images; features of 4 for validation and, of the others, at least one variant.
    assert!(cold == plain && entries >= 16 + 4 + 12, "{entries} entries");
    assert_eq!(
        steps(&bench, "warm", "--cache disk --cache-dir kept"),
        (plain, entries),
        "nothing is made twice"
    );
}

#[test]
fn a_cache_that_cannot_be_is_refused() {
    let bench = Bench::new();
    bench.animals();
    bench.write("file", b"in the way");
    let refused = |options: &str| bench.run(&format!("train animals {RESNET} --epochs 1 {options}"));
    refused("--cache-dir kept").exits(2).complains("--cache disk");
    refused("--cache disk --cache-dir file").exits(5).complains("file");
    refused("--cache tape").exits(2).complains("disk");
    refused("--cache-size -1").exits(2).complains("--cache-size");
}
