//! File systems that lack something: no syncing of folders, no locks, no exchange, layers.

use super::calls::Call;
use super::scenarios::{ALL, Sweep};
use super::tracer::{self, Fault, What, When};
use nix::errno::Errno;

/// What such a file system refuses, always.
struct Lack {
    error: Errno,
    which: fn(&Call) -> bool,
    /// What the user is told; nothing if it makes no difference.
    told: Option<&'static str>,
}

const SYNC: Lack =
    Lack { error: Errno::EINVAL, which: |call| call.name == "fsync" && call.path.is_dir(), told: None };
const LOCKS: Lack =
    Lack { error: Errno::ENOLCK, which: |call| call.name == "flock", told: Some("without locks") };
const LOCKS_AT_ALL: Lack = Lack { error: Errno::EOPNOTSUPP, ..LOCKS };
const EXCHANGE: Lack = Lack { error: Errno::EINVAL, which: |call| call.name == "renameat2", told: None };
const EXCHANGE_OF_LAYERS: Lack = Lack { error: Errno::EXDEV, ..EXCHANGE };
/// A folder of a layer below cannot be renamed.
const LAYERS: Lack = Lack {
    error: Errno::EXDEV,
    which: |call| {
        let checkpoint =
            |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit());
        call.name == "renameat" && call.path.is_dir() && call.path.file_name().is_some_and(checkpoint)
    },
    told: None,
};

/// The scenario of that name, on a system that lacks something, does as well as anywhere.
fn does_without(scenario: &str, lacks: &[Lack]) {
    if let Err(reason) = tracer::available() {
        println!("SKIPPED: {reason}");
        return;
    }
    let mut sweep = Sweep::begin(ALL.iter().find(|one| one.name == scenario).unwrap());
    for lack in lacks {
        let fault = Fault { what: What::Fail(lack.error), when: When::From(0), which: lack.which };
        let (seen, judged) = sweep.suffer(&fault);
        assert_eq!(seen.code, Some(0), "{}: {}", lack.error, seen.stderr);
        assert!(!seen.hit.is_empty(), "{}: nothing was refused", lack.error);
        judged.unwrap_or_else(|problem| panic!("{}: {problem}", lack.error));
        if let Some(told) = lack.told {
            assert!(seen.stderr.contains(told), "{}: {}", lack.error, seen.stderr);
        }
    }
}

#[test]
fn a_run_is_begun_where_folders_cannot_be_synced_nor_anything_locked() {
    does_without("train", &[SYNC, LOCKS, LOCKS_AT_ALL]);
}

#[test]
fn a_run_goes_on_in_layers_that_cannot_rename_folders() {
    does_without("resume", &[LAYERS, SYNC, LOCKS]);
}

#[test]
fn a_run_is_replaced_where_names_cannot_change_places() {
    does_without("force", &[EXCHANGE, EXCHANGE_OF_LAYERS, LOCKS]);
}

#[test]
fn an_export_is_replaced_where_names_cannot_change_places() {
    does_without("export", &[EXCHANGE, EXCHANGE_OF_LAYERS, SYNC]);
}

/// A page with less on it would take a whole one's place.
#[test]
fn a_report_that_cannot_read_something_leaves_the_page_that_is_there() {
    if let Err(reason) = tracer::available() {
        println!("SKIPPED: {reason}");
        return;
    }
    let mut sweep = Sweep::begin(ALL.iter().find(|one| one.name == "report").unwrap());
    let files: [fn(&Call) -> bool; 3] = [
        |call| call.path.ends_with("run/evaluation.json"),
        |call| call.path.ends_with("run/pictures.json"),
        |call| call.path.ends_with("run/statistics.jsonl"),
    ];
    for which in files {
        let (seen, judged) =
            sweep.suffer(&Fault { what: What::Fail(Errno::EIO), when: When::From(0), which });
        assert_eq!(seen.code, Some(5), "{}", seen.stderr);
        judged.unwrap();
    }
}

/// What is no checkpoint, among the checkpoints.
#[test]
fn a_plain_file_among_the_checkpoints_does_no_harm() {
    let scenario = ALL.iter().find(|one| one.name == "resume").unwrap();
    let sweep = Sweep::begin(scenario);
    for name in ["0099-last", "0004-best", "0099-best", "notes.txt"] {
        sweep.reset();
        sweep.bench.write(&format!("run/checkpoints/{name}"), "mine");
        sweep.bench.run("resume run").succeeds();
        sweep.bench.run("predict run animals/cat/1.png").succeeds();
        let now = sweep.bench.bytes("run/model.safetensors");
        sweep.reset();
        sweep.bench.run("resume run").succeeds();
        assert!(sweep.bench.bytes("run/model.safetensors") == now, "{name}");
    }
}
