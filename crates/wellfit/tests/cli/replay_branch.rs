//! `wellfit replay --branch`: what a record cannot tell is trained, and comes to the bits of a whole run.

use crate::bench::Bench;
use crate::prove_branches::{branched_after, is_a_whole_run};

/// A rate so large that the loss soon rises: policies act.
const OPTIONS: &str =
    "--model mlp --image-size 16 --batch-size 4 --epochs 8 --lr 0.03 --record-answers --quiet";

fn animals(options: &str) -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench.run(&format!("train animals {OPTIONS} {options} --out run")).succeeds();
    bench
}

#[test]
fn a_scheduler_begins_where_it_first_lowers_the_rate() {
    let bench = animals("--keep 8");
    bench.run("replay --run run --lr-scheduler patience=0,factor=0.1 --branch --out new").succeeds();
    let changes = bench.events("new", "lr_change");
    let first = changes.first().map(|event| event["epoch"].as_u64().unwrap());
    assert!(first.is_some_and(|epoch| epoch < 8), "the rate is lowered before the end: {changes:?}");
    assert_eq!(branched_after(&bench, "new"), first);
    is_a_whole_run(&bench, "new");
}

#[test]
fn a_longer_patience_goes_on_where_the_run_stopped() {
    let stop = "--early-stopping --patience 1 --min-delta 0.01";
    let bench = animals(stop);
    let ended = bench.events("run", "epoch").len();
    assert!(ended < 8, "it stopped early");
    let line = "replay --run run --early-stopping patience=3,min_delta=0.01 --branch --out new --json";
    let found = bench.run(line).succeeds().json();
    assert_eq!(branched_after(&bench, "new"), Some(ended as u64));
    let epochs = bench.events("new", "epoch").len();
    assert!(epochs > ended, "{epochs} epochs are no more than {ended}");
    assert_eq!(found["branch"]["trained"], epochs - ended);
    is_a_whole_run(&bench, "new");
}

#[test]
fn without_a_state_in_common_it_is_trained_from_the_beginning() {
    let bench = animals("");
    let line = "replay --run run --lr-scheduler patience=0,factor=0.1 --branch --out new";
    bench.run(line).succeeds().says("a run keeps more with --keep");
    assert_eq!(branched_after(&bench, "new"), None);
    is_a_whole_run(&bench, "new");
}

#[test]
fn what_the_record_tells_is_not_trained() {
    let bench = animals("");
    let before = bench.snapshot();
    let stop = "replay --run run --early-stopping patience=1 --branch --out new";
    bench.run(stop).succeeds().says("Nothing is left to train");
    bench.run("replay --run run --early-stopping patience=50 --branch").succeeds().says("has the 8 epochs");
    assert!(bench.snapshot() == before, "something was written");
}

#[test]
fn policies_that_no_run_has_are_refused() {
    let bench = animals("--lr-patience 2");
    for (options, parts) in [
        ("--run run --early-stopping patience=2,start_from_epoch=2", &["--patience, --min-delta"][..]),
        ("--run run --lr-scheduler patience=2,cooldown=1", &["--lr-patience, --lr-factor, --min-lr"]),
        ("--run run --early-stopping --semantics keras", &["--semantics", "under torch"]),
        ("--losses run/events.jsonl --early-stopping", &["--run"]),
        ("--run run --early-stopping --lr 0.1", &["--lr", "cannot be used with"]),
    ] {
        bench.refuses(&format!("replay {options} --branch"), 2, parts);
    }
    bench.pictures("others", &["cat", "dog"], 20..28);
    let line = "replay --run run --early-stopping --branch --data others";
    bench.refuses(line, 3, &["others is not what run was trained on", "--data"]);
}
