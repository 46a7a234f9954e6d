//! `--dropout`: before the head of any network, in training only.

use crate::bench::Bench;
use crate::material::{MLP, RESNET};

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

#[test]
fn it_changes_training_of_every_kind_of_network_and_is_kept() {
    let bench = animals();
    for (kind, network) in
        [("mlp", MLP), ("resnet", RESNET), ("mobile", "--model mobilenet_v3_small --image-size 32")]
    {
        let line = format!("train animals {network} --epochs 1 --batch-size 6 --schedule constant");
        bench.run(&format!("{line} --out {kind}")).succeeds();
        bench.run(&format!("{line} --dropout 0 --out {kind}-zero")).succeeds();
        bench.run(&format!("{line} --dropout 0.5 --out {kind}-half")).succeeds();
        let loss = |run: String| bench.events(&run, "epoch")[0]["train_loss"].as_f64().unwrap();
        let [own, zero, half] = [kind.to_owned(), format!("{kind}-zero"), format!("{kind}-half")].map(loss);
        assert_eq!(own == zero, kind != "mobile", "MobileNets have dropout of their own: 0 turns it off");
        assert!(half != zero && half != own, "{kind}: {own} {zero} {half}");
        let kept = bench.toml(&format!("{kind}-half/run.toml"))["config"]["dropout"].as_float();
        assert_eq!(kept, Some(0.5));
    }
}

/// The same weights answer alike with and without it, also exported.
#[test]
fn nothing_is_dropped_from_answers() {
    let bench = animals();
    bench.run(&format!("train animals {RESNET} --epochs 1 --dropout 0.5 --out run")).succeeds();
    let predict = || bench.run("--json predict run animals/cat").succeeds().json().to_string();
    assert_eq!(predict(), predict());
    bench.run("export run --format onnx").succeeds();
    let bytes = bench.bytes("run/export/model.onnx");
    assert!(!bytes.windows(7).any(|part| part == b"Dropout"), "an ONNX file drops nothing");
}

#[test]
fn killed_runs_with_dropout_and_warmup_end_with_the_same_bits() {
    let bench = animals();
    let options = "--epochs 3 --batch-size 5 --dropout 0.4 --warmup 1 --checkpoint-every 1steps";
    let outcome = bench.run(&format!("verify-resume animals {RESNET} {options} --kills 3 --out trial"));
    outcome.succeeds().says("IDENTICAL: 3 kills");
}

#[test]
fn what_is_no_share_is_refused() {
    let bench = animals();
    for (value, part) in
        [("1", "below 1"), ("-0.1", "--dropout"), ("nan", "--dropout"), ("half", "--dropout")]
    {
        bench.refuses_to_train(&format!("animals {MLP} --dropout {value}"), 2, &[part]);
    }
}
