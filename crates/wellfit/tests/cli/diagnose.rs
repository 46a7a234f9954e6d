//! `wellfit diagnose`: curves of runs and files, what it prints, exit codes.

use crate::bench::Bench;
use crate::material::MLP;
use serde_json::Value;

/// Overfitting from epoch 3 on.
const OVERFIT: &str = "epoch,train_loss,val_loss\n1,0.9,0.8\n2,0.5,0.6\n3,0.4,0.5\n4,0.3,0.6\n5,0.2,0.7\n6,0.1,0.8\n7,0.05,0.9\n";

fn bench(name: &str, text: &str) -> Bench {
    let bench = Bench::new();
    bench.write(name, text);
    bench
}

#[test]
fn a_table_is_diagnosed_for_people_and_for_programs() {
    let bench = bench("log.csv", OVERFIT);
    let said = bench.run("diagnose log.csv").succeeds();
    said.says("log.csv: a table, 7 epochs").says("overfitting (from epoch 3)").says("--early-stopping");
    let result = bench.run("diagnose log.csv --json").succeeds().json();
    assert_eq!(
        (&result["source"], &result["format"], &result["epochs"]),
        (&Value::from("log.csv"), &Value::from("table"), &Value::from(7))
    );
    let finding = &result["findings"][0];
    assert_eq!((&finding["name"], &finding["onset"]), (&Value::from("overfitting"), &Value::from(3)));
    for key in ["name", "onset", "confidence", "evidence", "sentence", "advice"] {
        assert!(finding.get(key).is_some(), "{key} of {finding}");
    }
    for key in ["series", "value", "threshold", "source"] {
        assert!(finding["evidence"][0].get(key).is_some(), "{key} of {finding}");
    }
    assert_eq!(finding["advice"][0]["flag"], "--early-stopping");
    assert!(result["not_looked_at"].as_array().unwrap().len() > 5);
}

#[test]
fn several_sources_are_told_one_by_one_and_bad_ones_named() {
    let bench = bench("log.csv", OVERFIT);
    bench.write("bad.csv", "epoch,val_loss\n1,x\n");
    let both = bench.run("diagnose log.csv log.csv --json").succeeds().json();
    assert_eq!(both["diagnoses"].as_array().unwrap().len(), 2);
    let partly = bench.run("diagnose log.csv bad.csv").exits(8);
    partly.complains("could not read 1 of 2: bad.csv");
    partly.complains("line 2: `x` is not a number");
    bench.run("diagnose bad.csv").exits(3).complains("bad.csv, line 2: `x` is not a number");
    bench.run("diagnose none.csv").exits(3).complains("none.csv");
}

#[test]
fn what_a_table_cannot_tell_is_said_on_the_command_line() {
    let stopped = "epoch,train_loss,val_loss\n1,2.1,1.6\n2,0.7,0.9\n3,0.6,0.56\n4,0.5,0.51\n5,0.37,0.68\n6,0.47,0.71\n7,0.4,0.6\n8,0.37,1.4\n";
    let bench = bench("log.csv", stopped);
    bench
        .run("diagnose log.csv")
        .succeeds()
        .says("stopped-too-early: whether early stopping ended it (--early-stopping)");
    let both = bench.run("diagnose log.csv --early-stopping patience=5 --lr-scheduler patience=5").succeeds();
    both.says("the scheduler can never act");
    bench.run("diagnose log.csv --early-stopping").succeeds().says("stopped-too-early (from epoch 4)");
    bench.run("diagnose --early-stopping log.csv").exits(2);
    bench.run("diagnose log.csv --early-stopping patience=x").exits(2);
    bench.run("diagnose log.csv --n-val 0").exits(2).complains("--n-val must be at least 1");
    bench.run("diagnose log.csv --classes 1").exits(2).complains("--classes must be at least 2");
    bench.run("diagnose log.csv --columns loss=a").exits(2).complains("there is no series `loss`");
    bench.run("diagnose log.csv --columns val_loss=a").exits(2).complains("has no column `a`");
    bench.write("other.csv", "e,a,b\n1,2,3\n");
    bench.run("diagnose other.csv").exits(2).complains("--columns train_loss=…,val_loss=…");
    bench.run("diagnose other.csv --columns epoch=e,train_loss=a,val_loss=b").succeeds();
}

#[test]
fn a_run_is_diagnosed_and_train_ends_with_its_weightiest_lines() {
    let bench = Bench::new();
    // Far too high a rate: whatever it does, it is nothing good.
    let trained = bench.run(&format!("train sample {MLP} --epochs 8 --lr 1e-8 --out r")).succeeds();
    trained.says("not-learning").says("more of this: wellfit diagnose");
    let result = bench.run("diagnose r --json").succeeds().json();
    assert_eq!(result["format"], "wellfit");
    assert_eq!(result["findings"][0]["name"], "not-learning");
    assert_eq!(result["findings"][0]["advice"][0]["from"], "0.00000001");
    bench.write("empty/run.toml", "format = 1\n");
    bench.run("diagnose empty").exits(5);
}

#[test]
fn a_picture_shows_the_curves_with_the_findings_at_their_epochs() {
    let bench = bench("log.csv", OVERFIT);
    bench.run("diagnose log.csv --picture a.svg").succeeds().says("Picture: a.svg");
    let svg = bench.text("a.svg");
    for part in ["overfitting", "validation loss", "log.csv, 7 epochs"] {
        assert!(svg.contains(part), "{part} in {svg}");
    }
    bench.run("diagnose log.csv --picture a.PNG --quiet").succeeds().keeps_silent();
    assert!(bench.bytes("a.PNG").starts_with(b"\x89PNG"));
    bench.refuses("diagnose log.csv --picture a.svg", 5, &["a.svg exists", "--force"]);
    bench.run("diagnose log.csv --picture a.svg --force").succeeds();
    bench.refuses("diagnose log.csv --picture a.jpg", 2, &["--picture a.jpg", ".png or .svg"]);
    bench.refuses("diagnose log.csv log.csv --picture b.svg", 2, &["one run or log"]);
    bench.refuses("diagnose log.csv --picture none/b.svg", 5, &["none/b.svg"]);
    // Where a finding is about answers, these are drawn.
    bench
        .write("few.csv", "epoch,train_loss,val_loss,val_acc\n1,0.9,0.8,0.6\n2,0.5,0.6,0.7\n3,0.4,0.5,0.8\n");
    bench.run("diagnose few.csv --n-val 20 --picture b.svg").succeeds().says("validation-too-small");
    assert!(bench.text("b.svg").contains("validation accuracy"));
}
