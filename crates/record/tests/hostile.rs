//! Records that are nested, endless or lead elsewhere: an answer that names the file, and little memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod helper;

use std::fs;
use std::path::Path;

use helper::{SMALL, at, fresh};
use sha2::{Digest, Sha256};
use wellfit_fuzz::memory_of;
use wellfit_record::{RecordError, RunDir, RunInfo, read_checkpoint};

fn toml_problem(text: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    drop(fresh(root.path()));
    let path = root.path().join("run.toml");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace("[data]", &format!("{text}\n[data]"))).unwrap();
    let error = RunDir::open(root.path()).unwrap().read_run_toml::<RunInfo>().unwrap_err();
    assert!(error.to_string().contains("run.toml is damaged"), "{error}");
    error.to_string()
}

/// Recursion follows the nesting, so the nesting must end before the stack does.
#[test]
fn deep_toml_is_refused() {
    toml_problem(&format!("deep = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    toml_problem(&format!("deep = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)));
    toml_problem(&format!("deep{} = 1", ".a".repeat(100_000)));
    toml_problem(&format!("[deep{}]", ".a".repeat(100_000)));
}

#[test]
fn a_run_toml_of_megabytes_is_no_run_toml() {
    let root = tempfile::tempdir().unwrap();
    drop(fresh(root.path()));
    let file = fs::File::options().append(true).open(root.path().join("run.toml")).unwrap();
    file.set_len((16 << 20) + 1).unwrap();
    let told = RunDir::open(root.path()).unwrap().read_run_toml::<RunInfo>().unwrap_err().to_string();
    assert!(told.contains("at most 16777216 are allowed"), "{told}");
}

#[test]
fn deep_json_is_a_damaged_line() {
    let root = tempfile::tempdir().unwrap();
    drop(fresh(root.path()));
    let deep = ["[".repeat(200_000), "]".repeat(200_000)].concat();
    let lines = format!("{{\"event\":\"warning\",\"message\":{deep}}}\n{{\"event\":{deep}}}\n{deep}\n");
    fs::write(root.path().join("events.jsonl"), lines).unwrap();
    assert_eq!(RunDir::open(root.path()).unwrap().events().unwrap().problems.len(), 3);
}

/// Four million empty lines. (The limit leaves room for the tests beside this one.)
#[test]
fn a_file_of_newlines_costs_little_more_than_its_length() {
    let root = tempfile::tempdir().unwrap();
    drop(fresh(root.path()));
    fs::write(root.path().join("events.jsonl"), vec![b'\n'; 4 << 20]).unwrap();
    let (log, memory) = memory_of(|| RunDir::open(root.path()).unwrap().events().unwrap());
    assert!(memory < 64 << 20, "{memory} bytes");
    let last = log.problems.last().unwrap().to_string();
    assert_eq!(log.problems.len(), 100);
    assert!(last.contains("(and 4194204 damaged lines after it)"), "{last}");
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_and_devices_are_no_records() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let path = fresh(root.path()).checkpoint("best", SMALL, at(1)).unwrap().path;
    for file in ["events.jsonl", "steps.jsonl", "checkpoints/0001-best/state.bin"] {
        let file = root.path().join(file);
        fs::remove_file(&file).unwrap();
        symlink("/dev/zero", &file).unwrap();
    }
    let run = RunDir::open(root.path()).unwrap();
    let problems = [
        run.events().map(drop).unwrap_err(),
        run.steps().map(drop).unwrap_err(),
        read_checkpoint(&path).map(drop).unwrap_err(),
    ];
    assert!(problems.iter().all(|error| error.to_string().contains("where a file belongs")), "{problems:?}");
}

/// Names with a path, also an absolute one, never leave the checkpoint's directory.
#[test]
fn a_manifest_cannot_name_files_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let path = fresh(root.path()).checkpoint("best", SMALL, at(1)).unwrap().path;
    let manifest = fs::read_to_string(path.join("manifest.json")).unwrap();
    let outside = root.path().join("run.toml");
    for name in [
        "../../run.toml",
        "../../x",
        "/etc/hostname",
        outside.to_str().unwrap(),
        "..",
        ".",
        "",
        "a/b",
        "C:\\\\x",
    ] {
        let changed = manifest.replace("\"state.bin\"", &format!("\"{name}\""));
        assert_ne!(changed, manifest);
        write_with_sum(&path, &changed);
        assert!(matches!(read_checkpoint(&path), Err(RecordError::BadName(_))), "{name}");
    }
}

fn write_with_sum(checkpoint: &Path, manifest: &str) {
    fs::write(checkpoint.join("manifest.json"), manifest).unwrap();
    let sum = format!("{:x}  manifest.json\n", Sha256::digest(manifest));
    fs::write(checkpoint.join("manifest.sha256"), sum).unwrap();
}
