//! A fixed file is written once for each checkpoint that stays, and no failure reaches two of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod faulty;
mod helper;

use faulty::{Fault, Faulty, at_every_operation};
use helper::{fresh_on, with};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use wellfit_record::{
    Blob, Checkpoint, Dir, Disk, Io, RecordError, Result, RunDir, RunWriter, read_checkpoint,
};

const FILE: &str = "frozen.bin";

fn bytes() -> Vec<u8> {
    b"frozen".repeat(1000)
}

/// The same content at every call.
fn fixed() -> Blob {
    static FIXED: OnceLock<Blob> = OnceLock::new();
    FIXED.get_or_init(|| Blob::new(bytes())).clone()
}

fn commit(run: &mut RunWriter, keep: usize, epoch: u32) -> Result<Checkpoint> {
    run.commit(with("last", keep, (FILE, &fixed()), epoch))
}

/// A run on a disk that nobody waits for.
fn fresh(root: &Path) -> RunWriter {
    fresh_on(Faulty::new(Fault::Once), root)
}

fn checkpoints(root: &Path) -> Vec<PathBuf> {
    RunDir::open(root).unwrap().checkpoints().unwrap()
}

/// Every checkpoint is whole and holds the file.
fn all_are_whole(root: &Path) {
    for path in checkpoints(root) {
        let found = read_checkpoint(&path).unwrap();
        assert_eq!(found.files[FILE], bytes(), "{}", path.display());
    }
}

/// Which file on the disk a checkpoint's is, and how many names that has.
#[cfg(unix)]
fn inode(checkpoint: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let metadata = checkpoint.join(FILE).metadata().unwrap();
    (metadata.ino(), metadata.nlink())
}

#[cfg(unix)]
#[test]
fn it_is_written_once_for_each_that_stays_and_never_shared_by_two() {
    for keep in 0..3 {
        let root = tempfile::tempdir().unwrap();
        let disk = Faulty::new(Fault::Once);
        let mut run = fresh_on(disk.clone(), root.path());
        let mut inodes = Vec::new();
        for epoch in 1..=8 {
            let new = commit(&mut run, keep, epoch).unwrap();
            // Another name's checkpoints neither give nor take.
            run.commit(with("best", 0, (FILE, &fixed()), epoch)).unwrap();
            inodes.push(inode(&new.path).0);
            for path in checkpoints(root.path()) {
                assert_eq!(inode(&path).1, 1, "{} shares its file", path.display());
            }
        }
        all_are_whole(root.path());
        for (place, &number) in inodes.iter().enumerate() {
            let first = inodes.iter().position(|&other| other == number).unwrap();
            assert_eq!(first, place % (keep + 1), "{inodes:?}");
        }
        let links = disk.done.lock().unwrap().iter().filter(|&&name| name == "link").count();
        assert_eq!(links, 8 - (keep + 1) + 7);
    }
}

#[test]
fn a_fault_at_any_operation_leaves_every_checkpoint_whole() {
    for keep in 0..2 {
        at_every_operation(25, |disk, n| {
            let root = tempfile::tempdir().unwrap();
            let mut run = fresh_on(disk.clone(), root.path());
            commit(&mut run, keep, 1).unwrap();
            commit(&mut run, keep, 2).unwrap();
            disk.arm(n);
            let new = commit(&mut run, keep, 3);
            let struck = disk.struck(n);
            all_are_whole(root.path());
            let newest = RunDir::open(root.path()).unwrap().newest_good(None).unwrap();
            assert!(newest.skipped.is_empty(), "operation {n}: {:?}", newest.skipped);
            let epoch = newest.found.unwrap().checkpoint.manifest.info.epoch;
            assert!(epoch == 3 || (epoch == 2 && new.is_err()), "operation {n}: {epoch}");
            if disk.fault == Fault::ForGood {
                drop(run);
                run = RunWriter::resume_with(Faulty::new(Fault::Once), root.path()).unwrap();
            }
            disk.arm(faulty::NEVER);
            commit(&mut run, keep, 4).unwrap();
            commit(&mut run, keep, 5).unwrap();
            all_are_whole(root.path());
            let left = fs::read_dir(root.path().join("checkpoints")).unwrap().count();
            assert_eq!(left, keep + 1, "operation {n}");
            struck
        });
    }
}

/// Gives a file its second name, says that this failed, and fails for good from then on.
#[derive(Debug, Default)]
struct Treacherous(AtomicBool);

impl Io for Treacherous {
    fn link(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        self.0.store(true, SeqCst);
        Disk.link(from, to).and(Err(io::Error::from_raw_os_error(5)))
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        if self.0.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Disk.write(file, bytes) }
    }
}

/// Whoever writes the file after all must not write into the older checkpoint.
#[test]
fn a_link_that_was_made_and_reported_as_failed_costs_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh_on(Arc::new(Treacherous::default()), root.path());
    commit(&mut run, 0, 1).unwrap();
    let refused = commit(&mut run, 0, 2).unwrap_err();
    assert!(matches!(refused, RecordError::Io { action: "link", .. }), "{refused}");
    assert_eq!(checkpoints(root.path()).len(), 1);
    all_are_whole(root.path());
}

/// As exFAT and many network drives.
#[derive(Debug)]
struct OneName;

impl Io for OneName {
    fn link(&self, _: (&Dir, &OsStr), _: (&Dir, &OsStr)) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn where_a_file_has_one_name_only_it_is_written_each_time() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh_on(Arc::new(OneName), root.path());
    for epoch in 1..=4 {
        commit(&mut run, 1, epoch).unwrap();
        all_are_whole(root.path());
    }
    assert_eq!(checkpoints(root.path()).len(), 2);
}

#[test]
fn damage_is_not_handed_on_to_a_resumed_run() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    (1..=3).for_each(|epoch| drop(commit(&mut run, 1, epoch).unwrap()));
    drop(run);
    for path in checkpoints(root.path()) {
        let mut damaged = bytes();
        damaged[1234] ^= 4;
        fs::write(path.join(FILE), damaged).unwrap();
        let told = read_checkpoint(&path).unwrap_err().to_string();
        assert!(told.contains(FILE) && told.contains("damaged"), "{told}");
    }
    let mut run = RunWriter::resume(root.path()).unwrap();
    (4..=5).for_each(|epoch| drop(commit(&mut run, 1, epoch).unwrap()));
    all_are_whole(root.path());
}

#[test]
fn what_is_gone_cut_short_or_another_is_written() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    let first = commit(&mut run, 0, 1).unwrap();
    fs::write(first.path.join(FILE), "short").unwrap();
    let second = commit(&mut run, 0, 2).unwrap();
    all_are_whole(root.path());
    fs::remove_file(second.path.join(FILE)).unwrap();
    commit(&mut run, 0, 3).unwrap();
    all_are_whole(root.path());
    // As long as the one before it.
    let other = Blob::new(b"thawed".repeat(1000));
    let fourth = run.commit(with("last", 0, (FILE, &other), 4)).unwrap();
    assert_eq!(read_checkpoint(&fourth.path).unwrap().files[FILE], b"thawed".repeat(1000));
}

#[test]
fn its_name_is_its_own() {
    let root = tempfile::tempdir().unwrap();
    let mut run = fresh(root.path());
    for taken in ["state.bin", "manifest.json", "../frozen.bin"] {
        let refused = run.commit(with("last", 0, (taken, &fixed()), 1));
        assert!(matches!(refused, Err(RecordError::BadName(_))), "{taken}");
    }
}
