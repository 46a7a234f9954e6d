//! Runs that are killed, interrupted or damaged, and resumed to the same result.

use crate::bench::{Bench, Outcome};
use crate::material::{MLP, RESNET};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough to be interrupted: it would take minutes.
const LONG: &str = "--epochs 4000 --batch-size 3 --hflip --vflip --checkpoint-every 3steps";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// A run under way that has made at least so many checkpoints.
fn under_way(bench: &Bench, line: &str, checkpoints: usize) -> Child {
    let made = || {
        let events = bench.has("run/events.jsonl").then(|| bench.text("run/events.jsonl"));
        events.unwrap_or_default().matches("\"event\":\"checkpoint\"").count()
    };
    let before = made();
    let child = bench.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while made() < before + checkpoints {
        assert!(start.elapsed() < Duration::from_secs(60), "`{line}` makes no checkpoints");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

fn ended(line: &str, child: Child) -> Outcome {
    Outcome::new(line, &child.wait_with_output().unwrap())
}

/// Interrupt the run `--out run` of this command after some checkpoints.
fn interrupt(bench: &Bench, line: &str, checkpoints: usize, name: &str) -> Outcome {
    let child = under_way(bench, line, checkpoints);
    let sent = Instant::now();
    signal(&child, name);
    let outcome = ended(line, child);
    assert!(sent.elapsed() < Duration::from_secs(10), "{outcome}");
    outcome
}

/// What a run leaves that must not depend on interruptions.
fn ending(bench: &Bench, run: &str) -> (Vec<u8>, String, Vec<Vec<serde_json::Value>>) {
    let figures = ["epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"];
    let epochs = bench.events(run, "epoch");
    let epochs = epochs.iter().map(|epoch| figures.map(|figure| epoch[figure].clone()).to_vec()).collect();
    (bench.bytes(&format!("{run}/model.safetensors")), bench.text(&format!("{run}/steps.jsonl")), epochs)
}

#[cfg(unix)]
#[test]
fn a_run_with_a_time_limit_is_found_again_whatever_would_fit_now() {
    let bench = animals();
    let options = "--epochs 12 --batch-size 3 --checkpoint-every 3steps --time 1h";
    let line = format!("train animals {RESNET} {options} --out run");
    interrupt(&bench, &line, 5, "INT").exits(7);
    // As if fewer epochs had fitted into the time when the run began.
    let settings = bench.text("run/run.toml").replace("epochs = 12", "epochs = 5");
    bench.write("run/run.toml", settings);
    bench
        .run(&format!("{line} --resume auto"))
        .succeeds()
        .says("Resuming run from")
        .never_says("epochs fit into");
    assert_eq!(bench.events("run", "epoch").len(), 5);
}

#[cfg(unix)]
#[test]
fn a_run_is_interrupted_twice_and_ends_as_if_it_had_not_been() {
    let bench = animals();
    let options = "--epochs 12 --batch-size 3 --hflip --vflip --checkpoint-every 3steps";
    bench.run(&format!("train animals {RESNET} {options} --out whole --threads 1")).succeeds();

    let line = format!("train animals {RESNET} {options} --out run --threads 2");
    let outcome = interrupt(&bench, &line, 5, "INT").exits(7).says("SIGINT (Ctrl-C): saving the run");
    outcome.complains("interrupted by SIGINT (Ctrl-C); the run is saved: wellfit resume run");
    bench.run("runs .").succeeds().says("interrupted");
    interrupt(&bench, "resume run --threads 4", 5, "TERM").exits(7).complains("SIGTERM");
    let outcome = bench.run("resume run --threads 1").succeeds();
    outcome.says("Resuming run from 0").says("TRAINING COMPLETE").never_says("has no checkpoint yet");

    assert!(ending(&bench, "run") == ending(&bench, "whole"), "other weights or figures");
    assert_eq!(bench.events("run", "interrupted").len(), 2);
    assert_eq!(bench.events("run", "resumed").len(), 2);
    assert_eq!(bench.events("run", "start").len(), 1);
    bench.run("resume run").succeeds().says("run is finished after 12 epochs");
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_process_at_once_and_loses_nothing_committed() {
    let bench = animals();
    // A step takes long enough for both signals to come within it.
    let line = "train animals --model resnet20 --image-size 400 --epochs 40 --batch-size 2 --checkpoint-every 1steps --out run";
    let child = under_way(&bench, line, 1);
    let sent = Instant::now();
    let both = format!("kill -INT {0}; kill -TERM {0}", child.id());
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    let outcome = ended(line, child);
    assert!(matches!(outcome.code(), Some(130 | 143)), "128 and the number of either signal: {outcome}");
    assert!(sent.elapsed() < Duration::from_secs(2), "{outcome}");
    assert!(bench.events("run", "interrupted").is_empty());
    let outcome = interrupt(&bench, "resume run", 1, "INT").exits(7);
    outcome.says("Resuming run from ");
}

#[test]
fn runs_killed_at_random_moments_end_the_same() {
    let bench = animals();
    let data = format!("animals {RESNET} --epochs 3 --batch-size 3 --hflip --checkpoint-every 2steps");
    let outcome = bench.run(&format!("verify-resume {data} --kills 50 --json")).succeeds();
    outcome.complains("IDENTICAL: 50 kills");
    let result = outcome.json();
    assert_eq!((&result["identical"], &result["kills"]), (&true.into(), &50.into()));
    assert_eq!(bench.names("."), ["animals"], "it cleans up");
    let outcome = bench.run(&format!("verify-resume {data} --freeze --kills 10 --json")).succeeds();
    assert_eq!(outcome.json()["identical"], true);
    let outcome = bench.run(&format!("verify-resume {data} --precision bf16 --kills 10 --json")).succeeds();
    let rounded = outcome.json();
    assert_eq!(rounded["identical"], true);
    assert_ne!(rounded["weights_sha256"], result["weights_sha256"], "those of f32");
}

#[test]
fn verify_resume_says_why_a_run_cannot_be_made() {
    let bench = animals();
    bench.run("verify-resume nowhere").exits(3).complains("nowhere");
    bench
        .run(&format!("verify-resume animals {MLP} --kills 0"))
        .exits(2)
        .complains("--kills must be at least 1");
    bench
        .run(&format!("verify-resume animals {MLP} --lr 0"))
        .exits(2)
        .complains("--lr must be a positive number");
    bench.run(&format!("verify-resume animals {MLP} --precision bf17")).exits(2).complains("f32, bf16, auto");
    bench.write("out/run/precious", "");
    bench.refuses(&format!("verify-resume animals {MLP} --out out"), 5, &["out/run is there already"]);
}

#[test]
fn a_live_run_has_one_owner_and_a_dead_one_needs_no_hands() {
    let bench = animals();
    let line = format!("train animals {MLP} {LONG} --out run");
    let mut child = under_way(&bench, &line, 2);
    bench.run("resume run").exits(5).complains("another process is writing to run");
    bench.run(&format!("{line} --force")).exits(5).complains("another process is writing to run");
    let auto = format!("train animals {MLP} {LONG} --out run --resume auto");
    bench.run(&auto).exits(5).says("run is under way in another process");
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = under_way(&bench, "resume run", 2);
    signal(&resumed, "TERM");
    ended("resume run", resumed).exits(7).says("Resuming run from ");
}

#[test]
fn resume_auto_finds_the_run_of_this_configuration() {
    let bench = animals();
    let begin = |options: &str| format!("train animals {MLP} --batch-size 3 {options} --resume auto");
    let first = interrupt(&bench, &begin("--epochs 4000 --out run"), 3, "INT").exits(7);
    first.says("No unfinished run of this configuration and these data in run: a new one begins");
    std::fs::create_dir(bench.path("runs")).unwrap();
    std::fs::rename(bench.path("run"), bench.path("runs/mine")).unwrap();
    for new in ["runs/animals-mlp-1", "runs/animals-mlp-2"] {
        let other = bench.run(&begin("--epochs 1")).succeeds();
        other.says("these data in runs: a new one begins").says(&format!("Run: {new}"));
    }
    // What does not change the result may change.
    let line = begin("--epochs 4000 --workers 1 --keep 2 --checkpoint-every 3steps");
    let mut child = bench.command(&line).stdout(Stdio::piped()).spawn().unwrap();
    while bench.events("runs/mine", "resumed").is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended without resuming");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    ended(&line, child).says("Resuming runs/mine from 0");
}

#[test]
fn changed_data_are_told_apart_and_moved_data_are_found() {
    let bench = animals();
    interrupt(&bench, &format!("train animals {MLP} {LONG} --out run"), 2, "INT").exits(7);
    std::fs::rename(bench.path("animals"), bench.path("zoo")).unwrap();
    bench.run("resume run").exits(3).complains("animals");
    bench.pictures("animals", &["cat", "dog"], 0..9);
    let outcome = bench.run("resume run").exits(3);
    outcome.complains("there were 12 training and 4 validation images, there are 14 and 4");
    outcome.complains("wellfit resume run DATA");
    interrupt(&bench, "resume run zoo", 1, "INT").exits(7).says("Resuming run from ");
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_taken() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 20 --batch-size 3 --hflip");
    bench.run(&format!("{line} --out whole")).succeeds();
    bench.run(&format!("{line} --out run")).succeeds();
    let checkpoints = bench.names("run/checkpoints");
    let last = checkpoints.iter().rfind(|name| name.ends_with("-last")).unwrap();
    let model = bench.bytes(&format!("run/checkpoints/{last}/model.safetensors"));
    bench.write(&format!("run/checkpoints/{last}/model.safetensors"), &model[..model.len() - 1]);
    std::fs::remove_file(bench.path("run/model.safetensors")).unwrap();
    let outcome = bench.run("resume run").succeeds();
    outcome.complains(&format!(
        "warning: a checkpoint is passed over: run/checkpoints/{last}/model.safetensors is damaged"
    ));
    outcome.says("epoch 19, step 76");
    assert!(ending(&bench, "run") == ending(&bench, "whole"));
    assert_eq!(bench.events("run", "warning").len(), 1, "the record says so too");
}

/// What reads a run's weights finds those in two files, whatever reads them and from wherever.
#[test]
fn a_run_with_frozen_weights_is_used_before_its_end_as_after() {
    let bench = animals();
    let line =
        format!("train animals {RESNET} --freeze --hflip --batch-size 3 --epochs 6 --lr 0.01 --out run");
    bench.run(&line).succeeds();
    let best = bench.names("run/checkpoints").into_iter().find(|name| name.ends_with("-best")).unwrap();
    let best = format!("run/checkpoints/{best}");
    assert_eq!(
        bench.names(&best),
        ["frozen.safetensors", "manifest.json", "manifest.sha256", "trained.safetensors"]
    );
    let answers = |of: &str| {
        let predicted = bench.run(&format!("predict {of} animals/cat/1.png --json")).succeeds().json();
        let evaluated = bench.run(&format!("evaluate {of} animals --json")).succeeds().json();
        let out = format!("{}-out", of.replace('/', "-"));
        bench.run(&format!("export {of} --format safetensors --out {out}")).succeeds();
        let exported = bench.bytes(&format!("{out}/model.safetensors"));
        std::fs::remove_dir_all(bench.path(&out)).unwrap();
        (predicted, evaluated["loss"].clone(), exported)
    };
    let finished = answers("run");
    let whole = bench.bytes("run/model.safetensors");
    std::fs::remove_file(bench.path("run/model.safetensors")).unwrap();
    assert!(answers("run") == finished, "from the best checkpoint of an unfinished run");
    assert!(answers(&best) == finished, "from a checkpoint by name");
    let next = format!("train animals {RESNET} --epochs 1 --batch-size 3 --weights {best} --out next");
    bench.run(&next).succeeds().says("Weights from ").says(&best);

    let frozen = format!("{best}/frozen.safetensors");
    let mut damaged = bench.bytes(&frozen);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    bench.write(&frozen, damaged);
    for of in ["run", &best] {
        bench.refuses(&format!("predict {of} animals/cat/1.png"), 5, &[&frozen, "is damaged"]);
    }
    bench.run("predict run animals/cat/1.png").exits(5).complains("wellfit resume run");
    bench.run("resume run").succeeds();
    assert!(bench.bytes("run/model.safetensors") == whole, "the last checkpoint has a copy of its own");
}

#[test]
fn a_run_without_whole_weights_says_so_and_makes_them_again() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 2 --batch-size 3 --out run")).succeeds();
    let whole = bench.bytes("run/model.safetensors");
    std::fs::remove_dir_all(bench.path("run/checkpoints")).unwrap();
    std::fs::create_dir(bench.path("run/checkpoints")).unwrap();
    bench.write("run/model.safetensors", &whole[1..]);
    let damaged = "run/model.safetensors is damaged";
    let parts = [damaged, "no whole checkpoint of its best epoch", "`wellfit resume run`"];
    bench.refuses("predict run animals/cat/1.png", 5, &parts);
    bench.run("resume run").succeeds();
    assert!(bench.bytes("run/model.safetensors") == whole);
}

/// The kinds of the events that do not depend on interruptions.
fn kinds(bench: &Bench, run: &str) -> Vec<String> {
    let rows = bench.text(&format!("{run}/events.jsonl"));
    let kind = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap()["event"].to_string();
    let mut kinds: Vec<String> = rows.lines().map(kind).collect();
    kinds.retain(|kind| !["\"resumed\"", "\"warning\"", "\"interrupted\""].contains(&kind.as_str()));
    kinds
}

#[test]
fn a_record_that_was_cut_short_is_found_out_and_made_again() {
    let bench = animals();
    bench.run(&format!("train animals {MLP} --epochs 3 --batch-size 3 --out run")).succeeds();
    let whole = (ending(&bench, "run"), kinds(&bench, "run"), bench.text("run/statistics.jsonl"));
    let cuts = [
        ("events.jsonl", 4, "lacks epoch 2"),
        ("steps.jsonl", 5, "at step 5"),
        ("statistics.jsonl", 2, "epoch 2"),
    ];
    for (file, lines, lost) in cuts {
        let text = bench.text(&format!("run/{file}"));
        let kept: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        bench.write(&format!("run/{file}"), kept);
        bench.run("verify run").exits(5).says(lost);
        let outcome = bench.run("resume run").succeeds().warns(lost);
        outcome.warns("made again, to the same bits").says("Resuming run from its beginning");
        bench.run("verify run").succeeds();
        let found = (ending(&bench, "run"), kinds(&bench, "run"), bench.text("run/statistics.jsonl"));
        assert!(found == whole, "{file}");
    }
    // What a kept checkpoint stands before is made again from there.
    let text = bench.text("run/steps.jsonl").replace("\"step\":10,", "\"step\":\"damaged\",");
    bench.write("run/steps.jsonl", text);
    bench.run("resume run").succeeds().says("-last, epoch 2, step 8").warns("at step 9");
    assert!(ending(&bench, "run") == whole.0);
}

#[cfg(unix)]
#[test]
fn what_an_unfinished_run_lost_before_all_checkpoints_is_made_again_when_it_is_over() {
    let bench = animals();
    let options = "--epochs 12 --batch-size 3 --checkpoint-every 1steps";
    bench.run(&format!("train animals {RESNET} {options} --out whole")).succeeds();
    interrupt(&bench, &format!("train animals {RESNET} {options} --out run"), 16, "TERM").exits(7);
    let events = bench.text("run/events.jsonl");
    let is_lost = |line: &&str| line.contains("\"event\":\"epoch\",\"epoch\":1,");
    let kept = events.lines().filter(|line| !is_lost(line)).map(|line| format!("{line}\n"));
    bench.write("run/events.jsonl", kept.collect::<String>());
    bench.run("resume run").succeeds().warns("lacks epoch 1").warns("once it has ended").says("-last, epoch");
    let model = |run: &str| bench.bytes(&format!("{run}/model.safetensors"));
    assert!(model("run") == model("whole"));
    bench.run("verify run").exits(5).says("lacks epoch 1");
    bench.run("resume run").succeeds().warns("made again").says("Resuming run from its beginning");
    assert!(
        ending(&bench, "run") == ending(&bench, "whole") && kinds(&bench, "run") == kinds(&bench, "whole")
    );
    bench.run("verify run").succeeds();
}

#[test]
fn a_run_whose_events_are_missing_goes_on() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 2 --batch-size 3 --out run --resume auto");
    bench.run(&line).succeeds();
    let whole = ending(&bench, "run");
    std::fs::remove_file(bench.path("run/events.jsonl")).unwrap();
    bench.run("verify run").exits(5).says("events.jsonl").says("it is missing");
    bench.run(&line).succeeds().says("Resuming run");
    assert!(ending(&bench, "run") == whole);
    bench.run("verify run").succeeds();
}

#[test]
fn weights_of_an_epoch_that_were_lost_are_made_again() {
    let bench = animals();
    let line = format!(
        "train animals {MLP} --epochs 4 --batch-size 3 --checkpoint e{{epoch}}.safetensors --out run"
    );
    bench.run(&line).succeeds();
    let names = [1, 2, 3, 4].map(|epoch| format!("run/e{epoch}.safetensors"));
    let whole = names.each_ref().map(|name| bench.bytes(name));
    let is_whole = || names.each_ref().map(|name| bench.bytes(name)) == whole;
    // A checkpoint has the same bytes.
    bench.write(&names[3], "damaged");
    bench.run("resume run").succeeds().says("run is finished");
    assert!(is_whole());
    bench.write(&names[0], "damaged");
    std::fs::remove_file(bench.path(&names[1])).unwrap();
    let outcome = bench.run("resume run").succeeds().warns("safetensors is damaged or missing");
    outcome.says("Resuming run from its beginning").says("TRAINING COMPLETE");
    assert!(is_whole());
    bench.run("verify run").succeeds();
    // A job queue that starts the command again does not train for it.
    bench.write(&names[0], "damaged");
    bench.run(&format!("{line} --resume auto")).succeeds().says("run is finished");
    bench.write(&names[1], "damaged");
    // From its beginning a run that went on after its end would be another one.
    bench.run("resume run --epochs 5").succeeds();
    let model = bench.bytes("run/model.safetensors");
    bench
        .run("resume run")
        .succeeds()
        .says("run is finished")
        .warns("damaged or missing")
        .warns("stays lost");
    assert!(bench.has("run/e5.safetensors") && bench.bytes("run/model.safetensors") == model);
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let bench = animals();
    bench.run("lab dropout --epochs 5 --out lab").succeeds();
    bench.run("resume lab").exits(2).complains("lab is the run of a lab");
    bench.run("resume nowhere").exits(5).complains("nowhere");
    bench.refuses("resume animals", 5, &["animals is not a run"]);
    bench.run(&format!("train animals {MLP} --epochs 6 --optimizer sgd --lr 1e10 --out run")).exits(6);
    bench.run("resume run").exits(6).complains("it would do so again");
}

/// Training on images of 4096² with ResNet-152 takes over a terabyte.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_fit_into_memory_is_refused_with_the_batch_that_does() {
    let bench = animals();
    let line = "train animals --model resnet152 --image-size 4096 --batch-size 12";
    bench.refuses(
        line,
        2,
        &["resnet152 on images [3, 4096, 4096] in batches of 12 takes about", "of memory are free"],
    );
}
