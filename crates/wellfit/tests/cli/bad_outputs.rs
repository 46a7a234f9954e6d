//! Output that cannot be written (exit code 5) and losses that are no number (exit code 6): what was there
//! before stays.

use crate::bench::{Bench, Outcome};
use crate::material::MLP;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

#[test]
fn a_run_is_replaced_only_by_force() {
    let bench = animals();
    bench.earlier_run();
    let line = format!("train animals {MLP} --epochs 1 --out earlier");
    bench.refuses(&line, 5, &["earlier holds a run already", "--force"]);
    bench.run(&format!("{line} --force")).succeeds();
    assert!(bench.toml("earlier/run.toml").contains_key("config"), "the new run is there");
    assert_ne!(bench.text("earlier/events.jsonl"), "");
}

#[test]
fn a_foreign_folder_is_left_alone_even_with_force() {
    let bench = animals();
    bench.write("thesis/recipe.tex", "years of work");
    for command in [format!("train animals {MLP} --epochs 1"), "lab dropout --epochs 1".to_owned()] {
        for force in ["", "--force"] {
            let line = format!("{command} --out thesis {force}");
            bench.refuses(&line, 5, &["thesis is not empty and holds no Wellfit run", "another directory"]);
        }
    }
}

#[test]
fn an_output_below_a_file_cannot_be_written() {
    let bench = animals();
    bench.write("file", "a file");
    for command in [format!("train animals {MLP}"), "lab dropout".to_owned()] {
        bench.refuses(&format!("{command} --out file/run"), 5, &["file/run"]);
        bench.refuses(&format!("{command} --out file --force"), 5, &["file is a file, not a directory"]);
    }
    bench.refuses("data show animals --out file/grid.png", 5, &["file/grid.png"]);
}

#[test]
fn runs_that_cannot_be_kept_in_the_current_folder() {
    let bench = animals();
    bench.write("runs", "a file where the folder of runs belongs");
    bench.refuses(&format!("train animals {MLP}"), 5, &["runs"]);
}

#[test]
fn a_picture_is_replaced_only_by_force() {
    let bench = animals();
    bench.write("grid.png", "an earlier picture");
    bench.refuses("data show animals --out grid.png", 5, &["grid.png exists", "--force"]);
    bench.run("data show animals --out grid.png --force").succeeds();
    assert!(bench.bytes("grid.png").starts_with(b"\x89PNG"));
}

/// One step an epoch at an absurd rate: the first epoch ends with a finite loss of some 10²⁷, the next ones
/// overflow.
fn diverge(bench: &Bench) -> Outcome {
    let line = format!("train animals {MLP} --epochs 6 --optimizer sgd --lr 1e10 --out run");
    bench.run(&line).exits(6)
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_names_epoch_and_step() {
    let bench = animals();
    let outcome = diverge(&bench);
    for part in ["NaN in epoch 3, step 3", "the weights of epoch 1, the best so far, are kept", "smaller"] {
        outcome.complains(part);
    }
    let stop = &bench.events("run", "stop")[0];
    assert_eq!((&stop["reason"], &stop["best_epoch"]), (&"diverged".into(), &1.into()));
    bench.run("runs .").succeeds().says("diverged");
}

#[test]
fn the_last_good_weights_of_a_diverged_run_still_predict() {
    let bench = animals();
    diverge(&bench);
    bench.run("predict run animals/cat/0.png").succeeds().says("1. ");
    bench.run("evaluate run animals").succeeds();
}

#[test]
fn a_run_that_diverges_in_its_first_epoch_has_nothing_to_predict_with() {
    let bench = animals();
    let options = "--batch-size 4 --optimizer sgd --lr 1e30 --out run";
    let outcome = bench.run(&format!("train animals {MLP} {options}")).exits(6);
    outcome.complains("epoch 1, step 2");
    outcome.complains("no epoch");
    bench.refuses("predict run animals/cat/0.png", 5, &["run has no weights yet"]);
}

#[test]
fn weights_that_no_epoch_could_validate_are_not_called_a_result() {
    let bench = animals();
    let outcome =
        bench.run(&format!("train animals {MLP} --epochs 1 --optimizer sgd --lr 1e30 --json")).exits(6);
    outcome.complains("the validation loss was NaN");
    outcome.never_says("best");
    assert!(!bench.has("runs/animals-mlp-1/model.safetensors"));
}

#[test]
fn a_lab_that_diverges_says_so_in_its_record() {
    let bench = Bench::new();
    bench.run("lab dropout --epochs 50 --lr 1e30 --out lab").exits(6).complains("epoch 2, step 2");
    assert_eq!(bench.events("lab", "stop")[0]["reason"], "diverged");
}

/// `/dev/full` is a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn lines_that_a_full_disk_did_not_take_are_told_at_the_end() {
    use std::process::Stdio;
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 1 --out run");
    let run = |line: &str| Outcome::new(line, &bench.command(line).stdout(full()).output().unwrap());
    run(&line).exits(5).complains("standard output could not be written: No space left on device");
    assert!(bench.has("run/model.safetensors"), "training went on");
    for line in ["runs .", "predict run animals", "evaluate run animals --json"] {
        run(line).exits(5);
    }
    // Nowhere to complain to either.
    let line = "runs .";
    let status = bench.command(line).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(5));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 1 --out run")).succeeds();
    let mut child =
        bench.command("predict run animals").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
