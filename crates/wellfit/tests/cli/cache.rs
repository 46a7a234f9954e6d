//! `--cache`: the same run with and without, whatever happens to it, and what it leaves.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a run with these options leaves that no cache may change: every step's loss and the weights.
fn ending(bench: &Bench, name: &str, options: &str) -> (String, Vec<u8>) {
    bench.run(&format!("train animals --out {name} {options}")).succeeds().says("Waiting for data: ");
    left(bench, name)
}

fn left(bench: &Bench, run: &str) -> (String, Vec<u8>) {
    (bench.text(&format!("{run}/steps.jsonl")), bench.bytes(&format!("{run}/model.safetensors")))
}

/// How many entries the cache in the folder `kept` has.
fn entries(bench: &Bench) -> usize {
    let folders = if bench.has("kept") { bench.names("kept") } else { Vec::new() };
    folders.iter().map(|folder| bench.names(&format!("kept/{folder}")).len()).sum()
}

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

const FROZEN: &str = "--freeze --hflip --vflip --batch-size 5 --epochs 3";
const DISK: &str = "--cache disk --cache-dir kept";

#[test]
fn no_result_depends_on_the_cache() {
    let bench = animals();
    let frozen = format!("{RESNET} {FROZEN}");
    let networks = [
        ("frozen", &*frozen),
        ("resnet", &format!("{RESNET} --hflip --vflip --batch-size 5 --epochs 2")),
        ("mlp", &format!("{MLP} --hflip --batch-size 5 --epochs 2")),
    ];
    for (name, options) in networks {
        let run = |cache: &str, place: &str| {
            ending(&bench, &format!("{name}-{place}"), &format!("{options} {cache}"))
        };
        let plain = run("--cache off", "off");
        assert!(plain == run("", "ram"), "{name}: in memory by default");
        assert!(plain == run("--cache-size 0", "small"), "{name}: no room");
        assert!(plain == run(DISK, "cold"), "{name}: on disk");
        let before = entries(&bench);
        assert!(plain == run(DISK, "warm"), "{name}: on disk by now");
        assert_eq!(entries(&bench), before, "{name}: nothing is made twice");
    }
    // The 16 images of the two that train on them; features of 4 for validation and of 12 in some variants.
    let all = entries(&bench);
    assert!((16 + 4 + 12 + 1..=16 + 4 + 4 * 12).contains(&all), "{all} entries");
    ending(&bench, "exact", &format!("{frozen} {DISK} --exact-conv"));
    assert!(entries(&bench) >= all + 16, "features of direct sums are others");
}

/// A kill leaves whole entries and a run that goes on, here from the middle of an epoch.
#[test]
fn a_killed_run_and_its_cache_come_to_the_same() {
    let bench = animals();
    let options =
        format!("{RESNET} --freeze --hflip --vflip --batch-size 2 --epochs 8 --checkpoint-every 4steps");
    let plain = ending(&bench, "plain", &format!("{options} --cache off"));
    for (name, enough) in [("early", 3), ("late", 20)] {
        let line = format!("train animals --out {name} {options} {DISK}-{name}");
        let mut child = bench.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (start, folder) = (Instant::now(), format!("kept-{name}"));
        let made = || bench.has(&folder) && bench.names(&folder).len() >= enough;
        while !made() || !bench.has(&format!("{name}/steps.jsonl")) {
            assert!(start.elapsed() < Duration::from_secs(60), "nothing is kept");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "killed before its end");
        bench.run(&format!("resume {name}")).succeeds();
        assert!(left(&bench, name) == plain, "{name}: other steps or weights");
    }
}

#[test]
fn runs_at_the_same_time_share_a_cache() {
    let bench = animals();
    let options = format!("{RESNET} {FROZEN}");
    let plain = ending(&bench, "plain", &format!("{options} --cache off"));
    let names = ["one", "two", "three"];
    let start = |name: &str| {
        let line = format!("train animals --out {name} {options} {DISK}");
        bench.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    for (name, mut child) in names.map(|name| (name, start(name))) {
        assert!(child.wait().unwrap().success(), "{name}");
        assert!(left(&bench, name) == plain, "{name}: other steps or weights");
    }
}

/// As on a full disk: every file that the cache would write fails.
#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let bench = animals();
    (0..256).for_each(|folder| bench.write(&format!("kept/{folder:02x}"), "in the way"));
    let options = format!("{RESNET} {FROZEN}");
    let plain = ending(&bench, "plain", &format!("{options} --cache off"));
    let outcome = bench.run(&format!("train animals --out full {options} {DISK}")).succeeds();
    outcome.warns("--cache disk: ").complains("nothing more is kept");
    assert!(left(&bench, "full") == plain);
}

#[test]
fn a_cache_that_cannot_be_is_refused() {
    let bench = animals();
    bench.write("file", b"in the way");
    let refused = |options: &str| bench.run(&format!("train animals {RESNET} --epochs 1 {options}"));
    refused("--cache-dir kept").exits(2).complains("--cache disk");
    refused("--cache disk --cache-dir file").exits(5).complains("file");
    refused("--cache tape").exits(2).complains("disk");
    refused("--cache-size -1").exits(2).complains("--cache-size");
}

#[test]
fn the_wait_for_data_is_in_the_record() {
    let bench = animals();
    bench.run(&format!("train animals --out run {MLP} --epochs 2 --workers 0")).succeeds();
    for epoch in bench.events("run", "epoch") {
        let (waited, trained) = (epoch["data_wait_seconds"].as_f64(), epoch["train_seconds"].as_f64());
        assert!(waited > Some(0.0) && waited < trained, "{epoch}");
    }
    bench.run("runs .").succeeds().says("waiting");
    let listed = bench.run("runs . --json").succeeds().json();
    let share = listed["runs"].as_array().unwrap().iter().find_map(|run| run["data_wait_share"].as_f64());
    assert!(share > Some(0.0) && share < Some(1.0), "{listed}");
}
