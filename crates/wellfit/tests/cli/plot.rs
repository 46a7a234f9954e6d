//! `wellfit plot`: the pictures of a run again, from its record.

use crate::bench::Bench;
use crate::material::MLP;

fn trained() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench.run(&format!("train animals {MLP} --epochs 3 --out run --quiet")).succeeds();
    bench
}

#[test]
fn the_record_gives_the_very_pictures_that_train_left() {
    let bench = trained();
    let result = bench.run("plot run --out again --json").succeeds().json();
    assert_eq!(result["run"], "run");
    let names = ["accuracy.png", "accuracy.svg", "loss.png", "loss.svg"];
    assert_eq!(result["pictures"], serde_json::json!(names.map(|name| format!("again/{name}"))));
    assert_eq!(bench.names("again"), names);
    for name in names {
        assert!(bench.bytes(&format!("again/{name}")) == bench.bytes(&format!("run/{name}")), "{name}");
    }
    // In the run they are the same already, and come back when they are gone.
    std::fs::remove_file(bench.path("run/loss.png")).unwrap();
    bench.run("plot run").succeeds().says("Picture: run/loss.png");
    assert!(bench.bytes("run/loss.png") == bench.bytes("again/loss.png"));
}

#[test]
fn each_kind_can_be_had_alone_and_for_dark_pages() {
    let bench = trained();
    bench.run("plot run --format png --out png").succeeds();
    assert_eq!(bench.names("png"), ["accuracy.png", "loss.png"]);
    bench.run("plot run --format svg --dark --out svg").succeeds();
    assert_eq!(bench.names("svg"), ["accuracy-dark.svg", "accuracy.svg", "loss-dark.svg", "loss.svg"]);
    assert!(bench.text("svg/loss-dark.svg").contains("#16181d"));
    for (name, title) in [("accuracy", "Accuracy of run"), ("loss", "Loss of run")] {
        let svg = bench.text(&format!("svg/{name}.svg"));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        assert!(svg.contains(&format!("<title>{title}</title>")) && svg.contains(">best epoch "), "{svg}");
        assert!(svg.contains("validation accuracy ") && svg.contains("#11588f"), "{svg}");
    }
}

#[test]
fn other_pictures_are_replaced_only_by_force() {
    let bench = trained();
    let drawn = bench.bytes("run/loss.png");
    bench.write("run/loss.png", "edited by hand");
    bench.refuses("plot run", 5, &["run/loss.png exists with other content", "--force"]);
    bench.run("plot run --force").succeeds();
    assert!(bench.bytes("run/loss.png") == drawn);
}

#[test]
fn the_batchnorm_lab_shows_the_losses_of_all_steps() {
    let bench = Bench::new();
    bench.digits("digits", 40, 10);
    bench
        .run("lab batchnorm --data digits --epochs 2 --batch-size 20 --seeds 2 --out lab --quiet")
        .succeeds();
    bench.run("plot lab --out again").succeeds();
    assert_eq!(bench.names("again"), ["loss-epoch-2.png", "loss-epoch-2.svg"]);
    assert!(bench.bytes("again/loss-epoch-2.png") == bench.bytes("lab/loss-epoch-2.png"));
}

#[test]
fn what_the_record_does_not_hold_is_said() {
    let bench = trained();
    bench.run("lab dropout --epochs 1 --out lab --quiet").succeeds();
    bench.refuses(
        "plot lab",
        5,
        &["lab is a run of `lab dropout`", "run it again with", "lab dropout --epochs 1"],
    );
    bench.refuses("plot nowhere", 5, &["cannot open nowhere"]);
    bench.refuses("plot animals", 5, &["animals", "run.toml"]);
    bench.refuses("plot run --format gif", 2, &["png", "svg"]);
    bench.refuses("plot run --out run/run.toml", 5, &["run/run.toml"]);
    let events = bench.text("run/events.jsonl");
    bench.write("run/events.jsonl", events.lines().next().unwrap());
    bench.refuses("plot run", 5, &["run has no epoch in its record yet"]);
    bench.write("run/events.jsonl", events + "{damaged\n{\"event\":\"unknown\"}\n");
    bench.run("plot run").succeeds().warns("events.jsonl");
}
