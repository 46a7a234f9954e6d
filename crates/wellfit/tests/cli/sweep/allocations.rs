//! Allocations that fail: a command may end early, even abort, but what is on the disk stays whole.

use super::scenarios::{ALL, Sweep, Wanted};
use super::tracer::Seen;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than any command of a test takes.
const LIMIT: Duration = Duration::from_secs(120);

/// The library that lets allocations fail, made by the system's C compiler; none if there is no compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let source = folder.join("failing_alloc.c");
    let library = folder.join("failing_alloc.so");
    fs::write(&source, include_str!("failing_alloc.c")).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-fno-builtin", "-o"]).arg(&library).arg(&source);
    compiler.status().is_ok_and(|status| status.success()).then_some(library)
}

/// Run a command whose allocation of that number fails.
fn run(command: &mut Command, library: &Path, which: &str) -> (Seen, Option<usize>) {
    let count = library.with_extension("count");
    let _ = fs::remove_file(&count);
    let errors = tempfile::NamedTempFile::new().unwrap();
    command.env("LD_PRELOAD", library).env("FAIL_ALLOCATION", which).env("FAIL_ALLOCATION_COUNT", &count);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors.reopen().unwrap());
    let (mut child, begun) = (command.spawn().unwrap(), Instant::now());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begun.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let code = status.and_then(|status| status.code());
    let stderr = fs::read_to_string(errors.path()).unwrap_or_default();
    let allocations = fs::read_to_string(count).ok().and_then(|text| text.trim().parse().ok());
    (Seen { calls: Vec::new(), hit: Vec::new(), code, hung: status.is_none(), stderr }, allocations)
}

/// `WELLFIT_SWEEP` as for the system calls.
#[test]
fn an_allocation_that_fails_damages_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library(folder.path()) else {
        println!("SKIPPED: no C compiler `cc` here");
        return;
    };
    let wanted = Wanted::read();
    let mut wrong = Vec::new();
    for (number, scenario) in ALL.iter().filter(|scenario| wanted.has(scenario.name)).enumerate() {
        let mut sweep = Sweep::begin(scenario);
        sweep.reset();
        let (seen, total) = run(&mut sweep.bench.command(scenario.line), &library, "-1");
        assert_eq!(seen.code, Some(0), "{}", seen.stderr);
        let total = total.unwrap();
        // Before its own work a command reads its options, which touches no file and takes most of the allocations.
        let idle = run(&mut sweep.bench.command("runs nowhere"), &library, "-1").1.unwrap().min(total);
        for (kind, lasts) in [("allocation", ""), ("no memory", "+")] {
            if !wanted.has_kind(kind) {
                continue;
            }
            let (begun, before) = (Instant::now(), sweep.states());
            let (mut tried, mut bad) = (0, 0);
            let stride = wanted.stride.map_or((total - idle) / 4, |stride| stride * 10).max(1);
            for nth in (idle + (number * 37 + 11) % stride..total).step_by(stride) {
                sweep.reset();
                let (seen, _) =
                    run(&mut sweep.bench.command(scenario.line), &library, &format!("{nth}{lasts}"));
                tried += 1;
                if let Err(problem) = sweep.judge(&seen, true) {
                    bad += 1;
                    println!("WRONG {} {kind} {nth}: {problem}\n{}", scenario.name, seen.stderr);
                    wrong.push(format!("{} {kind} {nth}", scenario.name));
                }
            }
            println!(
                "{:14} {kind:12} {tried:5} of {:6} fail, {:4} states, {bad:3} wrong, {:.0} s",
                scenario.name,
                total - idle,
                sweep.states() - before,
                begun.elapsed().as_secs_f64()
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
