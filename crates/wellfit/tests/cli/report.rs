//! `report.html`, `wellfit report`, and `export` of curves.

use crate::bench::Bench;
use crate::material::MLP;

/// `run-1` and `run-2`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.animals();
    for seed in [1, 2] {
        bench
            .run(&format!("train animals {MLP} --epochs 3 --seed {seed} --out run-{seed} --quiet"))
            .succeeds();
    }
    bench
}

#[test]
fn each_run_leaves_its_page_and_the_record_gives_the_same_again() {
    let bench = trained();
    let page = bench.text("run-1/report.html");
    for expected in
        ["<title>run-1: Wellfit report</title>", "of 3", "What training saw", "data:image/jpeg;base64,"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    bench.run("report run-1 --out again.html").succeeds().says("Report: again.html");
    let (again, page) = (bench.text("again.html"), bench.text("run-1/report.html"));
    assert!(again == page, "the page that train left is that of the whole record");
    // In the run it is replaced.
    bench.write("run-1/report.html", &page[..2000]);
    let result = bench.run("report run-1 --json").succeeds().json();
    assert_eq!(result, serde_json::json!({ "report": "run-1/report.html", "runs": ["run-1"] }));
    assert!(bench.text("run-1/report.html") == page);
}

#[test]
fn a_resumed_run_has_its_page_and_no_report_leaves_it_out() {
    let bench = Bench::new();
    bench.animals();
    bench.run(&format!("train animals {MLP} --epochs 1 --out run --no-report --quiet")).succeeds();
    let names = bench.names("run");
    assert!(!names.iter().any(|name| name == "report.html" || name == "pictures.json"), "{names:?}");
    bench.run("report run").succeeds();
    assert!(bench.text("run/report.html").contains("run: Wellfit report"));

    bench.run(&format!("train animals {MLP} --epochs 1 --out other --quiet")).succeeds();
    bench.run("resume other --epochs 2 --quiet").succeeds();
    assert!(bench.text("other/report.html").contains("of 2</dd>"));
}

#[test]
fn runs_are_compared_and_files_of_others_are_kept() {
    let bench = trained();
    let result = bench.run("report run-1 run-2 --json").succeeds().json();
    assert_eq!(result["report"], "comparison.html");
    let page = bench.text("comparison.html");
    assert!(
        page.contains("2 runs compared") && page.contains("<code>seed</code>"),
        "the setting that differs"
    );
    bench.run("report run-1 run-2").succeeds();
    bench.write("notes.html", "<p>mine</p>");
    bench.refuses(
        "report run-1 --out notes.html",
        5,
        &["notes.html exists and is no page of Wellfit’s", "--force"],
    );
    bench.run("report run-1 --out notes.html --force").succeeds();
    bench.refuses("report animals", 5, &["animals"]);
    bench.refuses("report missing", 5, &["missing"]);
}

#[test]
fn curves_are_exported_for_other_tools() {
    let bench = trained();
    bench.run("export run-1 --format csv").succeeds().says("3 epochs: run-1/export/curves.csv");
    let table = bench.text("run-1/export/curves.csv");
    assert_eq!(table.lines().count(), 4);
    assert!(table.starts_with("epoch,step,train_loss,train_accuracy,val_loss,val_accuracy"), "{table}");
    bench.run("export run-1 --format jsonl --out lines").succeeds();
    for (line, epoch) in bench.text("lines/curves.jsonl").lines().zip(1..) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["epoch"], epoch);
        assert!(row["val_loss"].is_f64() && row["lr"].is_f64());
    }
    let result = bench.run("export run-1 --format tensorboard --json").succeeds().json();
    let file = result["file"].as_str().unwrap();
    assert!(file.starts_with("run-1/export/events.out.tfevents."), "{file}");
    // Our own reader of TensorBoard's files, which checks every sum, finds the same curves.
    let read = bench.run(&format!("diagnose {file} --json")).succeeds().json();
    assert_eq!((read["format"].as_str(), read["epochs"].as_u64()), (Some("tensorboard"), Some(3)));
    bench.refuses("export run-1 --format csv --int8", 2, &["--int8"]);
}
