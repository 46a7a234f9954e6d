//! What is wrong is found out, nothing is destroyed before its replacement stands, and nothing outside a run is touched.

use crate::bench::Bench;
use crate::material::MLP;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use wellfit::record::RunDir;

/// Long enough to be interrupted: it would take minutes.
const LONG: &str = "--epochs 4000 --batch-size 3 --hflip --checkpoint-every 3steps";

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

fn finished(bench: &Bench, run: &str) {
    bench.run(&format!("train animals {MLP} --epochs 2 --batch-size 3 --out {run}")).succeeds();
}

/// A run under way that has made some checkpoints.
fn under_way(bench: &Bench, line: &str) -> Child {
    let child = bench.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let made = || bench.has("run/events.jsonl") && bench.events("run", "checkpoint").len() >= 3;
    while !made() {
        assert!(start.elapsed() < Duration::from_secs(60), "`{line}` makes no checkpoints");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn ended(line: &str, child: Child) -> crate::bench::Outcome {
    crate::bench::Outcome::new(line, &child.wait_with_output().unwrap())
}

fn interrupted(bench: &Bench) {
    let line = format!("train animals {MLP} {LONG} --out run");
    let child = under_way(bench, &line);
    signal(&child, "TERM");
    ended(&line, child).exits(7);
}

fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn id(bench: &Bench, run: &str) -> String {
    RunDir::open(bench.path(run)).unwrap().id().unwrap().unwrap()
}

#[test]
fn force_with_settings_that_cannot_be_kept_keeps_the_old_run() {
    let bench = animals();
    finished(&bench, "run");
    let before = bench.bytes("run/run.toml");
    let line = format!("train animals {MLP} --epochs 1 --out run --force --keep 18446744073709551615");
    let outcome = bench.run(&line);
    assert!(outcome.code() != Some(0), "{outcome}");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let model = bench.bytes("run/model.safetensors");
        let odd = bench.path("").join(std::ffi::OsStr::from_bytes(b"odd-\xff.safetensors"));
        fs::write(&odd, model).unwrap();
        let line = format!("train animals {MLP} --epochs 1 --out run --force --weights");
        let output = bench.command(&line).arg(&odd).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        fs::remove_file(odd).unwrap();
    }
    assert_eq!(bench.bytes("run/run.toml"), before);
    bench.run("verify run").succeeds().says("all sound");
    assert_eq!(bench.names("."), ["animals", "run"], "nothing half-made");
}

#[test]
fn a_kill_while_a_run_is_replaced_leaves_the_old_or_the_new_one_whole() {
    let bench = animals();
    finished(&bench, "run");
    let line = format!("train animals {MLP} --epochs 2 --batch-size 3 --out run --force --quiet");
    let begun = Instant::now();
    bench.run(&line).succeeds();
    let time = begun.elapsed();
    let (mut old, mut seen) = (id(&bench, "run"), [0, 0]);
    for turn in 0..12_u32 {
        let mut child = bench.command(&line).spawn().unwrap();
        std::thread::sleep(time * turn / 12);
        child.kill().unwrap();
        child.wait().unwrap();
        let now = id(&bench, "run");
        seen[usize::from(now != old)] += 1;
        old = now;
        bench.run("verify run").succeeds();
        bench.run("resume run").succeeds();
        let left: Vec<_> =
            fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}: the kills came all before or all after");
}

#[cfg(unix)]
#[test]
fn a_link_in_a_run_is_refused_and_what_it_leads_to_stays() {
    for name in ["steps.jsonl", "events.jsonl", "checkpoints", ".lock", "run.toml"] {
        let bench = animals();
        interrupted(&bench);
        let outside = bench.path("outside");
        fs::rename(bench.path("run").join(name), &outside).unwrap();
        std::os::unix::fs::symlink(&outside, bench.path("run").join(name)).unwrap();
        bench.refuses("resume run", 5, &[if name == "run.toml" { "is not a run" } else { "it is a link" }]);
    }
}

#[test]
fn verify_resume_leaves_the_users_files_alone() {
    let bench = animals();
    for name in ["config.toml", "errors.txt"] {
        bench.write(name, "mine");
    }
    bench.run(&format!("verify-resume animals {MLP} --batch-size 3 --kills 1 --out .")).succeeds();
    for name in ["config.toml", "errors.txt"] {
        assert_eq!(bench.text(name), "mine");
    }
    assert_eq!(bench.names("."), ["animals", "config.toml", "errors.txt", "run"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_verify_resume_that_is_killed_takes_its_processes_along() {
    let bench = animals();
    let line = format!("verify-resume animals {MLP} {LONG} --kills 1 --out trial");
    let mut child = bench.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    // It cannot be opened while it is put into its place.
    let run = loop {
        match RunDir::open(bench.path("trial/run")) {
            Ok(run) if run.is_running() => break run,
            _ => assert!(start.elapsed() < Duration::from_secs(60)),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    while run.is_running() {
        assert!(start.elapsed() < Duration::from_secs(10), "it goes on alone");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_checkpoint_or_record_of_another_run_is_refused() {
    let bench = animals();
    interrupted(&bench);
    bench.run(&format!("train animals {MLP} --epochs 2 --batch-size 3 --out other")).succeeds();
    let foreign = bench.names("other/checkpoints").into_iter().find(|name| name.ends_with("-last")).unwrap();
    let to = bench.path("run/checkpoints/90000-last");
    fs::rename(bench.path(&format!("other/checkpoints/{foreign}")), &to).unwrap();
    bench.refuses("resume run", 5, &["90000-last is of another run"]);
    bench.run("verify run").exits(5).says("BAD");
    fs::remove_dir_all(to).unwrap();
    let events = bench.bytes("run/events.jsonl");
    fs::copy(bench.path("other/events.jsonl"), bench.path("run/events.jsonl")).unwrap();
    bench.refuses("resume run", 5, &["events.jsonl is of another run"]);
    bench.write("run/events.jsonl", events);
    bench.run("verify run").succeeds();
}

/// Whatever takes its place, a live run notices before the next commit, and writes nothing there.
#[cfg(unix)]
#[test]
fn a_live_run_that_is_moved_replaced_or_unlocked_ends() {
    for case in ["moved", "replaced", "unlocked", "renamed"] {
        let bench = animals();
        finished(&bench, "new");
        let line = format!("train animals {MLP} {LONG} --out run");
        let child = under_way(&bench, &line);
        let away = || fs::rename(bench.path("run"), bench.path("away")).unwrap();
        match case {
            "moved" => away(),
            "replaced" => {
                away();
                fs::rename(bench.path("new"), bench.path("run")).unwrap();
            }
            "unlocked" => fs::remove_file(bench.path("run/.lock")).unwrap(),
            _ => {
                fs::copy(bench.path("new/run.toml"), bench.path("run/run.toml")).unwrap();
            }
        }
        let outcome = ended(&line, child).exits(5);
        outcome.complains("run is no longer the run that this process began");
        match case {
            "moved" => assert!(!bench.has("run"), "nothing is made in its place"),
            "replaced" => drop(bench.run("verify run").succeeds()),
            _ => {}
        }
        if bench.has("away") {
            bench.run("verify away").succeeds();
        }
    }
}

#[test]
fn damaged_weights_are_found_out_and_made_again() {
    let bench = animals();
    finished(&bench, "run");
    let whole = bench.bytes("run/model.safetensors");
    let answer = bench.run("predict run animals/cat/1.png --json").succeeds().json();
    let mut damaged = whole.clone();
    let last = damaged.len() - 3;
    damaged[last] ^= 0x40;
    bench.write("run/model.safetensors", &damaged);
    bench.run("verify run").exits(5).says("model.safetensors").says("BAD");
    let outcome = bench.run("predict run animals/cat/1.png --json").succeeds();
    assert_eq!(outcome.json(), answer);
    outcome.complains("run/model.safetensors is damaged");
    bench.write("run/model.safetensors", &damaged[..last]);
    bench.write("run/loss.svg", "<svg/>");
    fs::remove_file(bench.path("run/accuracy.png")).unwrap();
    bench.run("resume run").succeeds().says("TRAINING COMPLETE");
    assert!(bench.bytes("run/model.safetensors") == whole);
    bench.run("verify run").succeeds();
    bench.run("resume run").succeeds().says("run is finished");
    let result = bench.run("verify run --json").succeeds().json();
    assert_eq!(result["sound"], true);
    let names: Vec<&str> =
        result["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    for name in ["run.toml", "events.jsonl", "steps.jsonl", "model.safetensors", "loss.png", "accuracy.svg"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn verify_checks_weights_of_epochs_and_exports() {
    let bench = animals();
    let line = format!(
        "train animals {MLP} --epochs 2 --batch-size 3 --checkpoint e{{epoch}}.safetensors --out run"
    );
    bench.run(&line).succeeds();
    bench.run("export run --format safetensors").succeeds();
    let outcome = bench.run("verify run").succeeds().says("e1.safetensors").says("export/config.json");
    outcome.says("export/model.safetensors");
    bench.write("run/export/model.safetensors", "other weights");
    bench.run("verify run").exits(5).complains("is not as written");
    bench.run("export run --format safetensors --force").succeeds();
    bench.run("verify run").succeeds();
}

#[test]
fn resume_auto_gets_past_a_beginning_that_was_killed_and_stops_at_the_end() {
    let bench = animals();
    let line = format!("train animals {MLP} --epochs 1 --batch-size 3 --out run --resume auto");
    // What versions of before and this one leave when they are killed before the run is one.
    bench.write("run/.lock", "");
    bench.write("run/events.jsonl", "");
    bench.write("run/steps.jsonl", "");
    fs::create_dir(bench.path("run/checkpoints")).unwrap();
    let half = format!("run/.wellfit-{}.tmp", "0123456789abcdef".repeat(2));
    bench.write(&format!("{half}/events.jsonl"), "{}\n");
    bench.write(&format!("{half}/.lock"), "");
    bench.run(&line).succeeds().says("TRAINING COMPLETE");
    assert!(!bench.has(&half));
    bench.run(&line).succeeds().says("run is finished after 1 epoch");
    let result = bench.run(&format!("{line} --json")).succeeds().json();
    assert_eq!(result["finished"], true);
}

#[cfg(unix)]
#[test]
fn a_closed_terminal_and_limits_save_the_run() {
    for (name, told) in [("HUP", "SIGHUP"), ("XCPU", "SIGXCPU"), ("XFSZ", "SIGXFSZ")] {
        let bench = animals();
        let line = format!("train animals {MLP} {LONG} --out run");
        let child = under_way(&bench, &line);
        signal(&child, name);
        ended(&line, child).exits(7).complains(told);
        assert_eq!(bench.events("run", "interrupted").len(), 1);
    }
}

#[test]
fn a_new_description_never_lies_beside_weights_of_other_classes() {
    let bench = animals();
    finished(&bench, "run");
    bench.run("export run --format pth --out out").succeeds();
    bench.run("export run --format onnx --out out").succeeds();
    bench.pictures("pets", &["bird", "fish", "newt"], 0..8);
    bench.run(&format!("train pets {MLP} --epochs 1 --batch-size 3 --out pets-run")).succeeds();
    bench.refuses(
        "export pets-run --format pth --out out --force",
        5,
        &["out/model.onnx is of an earlier export"],
    );
    fs::remove_file(bench.path("out/model.onnx")).unwrap();
    bench.run("export pets-run --format pth --out out --force").succeeds();
    assert!(bench.text("out/config.json").contains("newt"));
}
