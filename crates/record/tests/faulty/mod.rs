//! A disk that fails on purpose; tests of other crates take it from here, too.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use wellfit_record::{Dir, Disk, Io};

/// How a disk fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// One operation is refused (a write after half its bytes), the next ones work.
    Once,
    /// From that operation on nothing works: as if the process had been killed there.
    ForGood,
    /// The operation is done and then reported as failed.
    Late,
}

/// A disk whose `n`-th operation from now fails. It need not wait for the hardware, only say when it would.
#[derive(Debug)]
pub struct Faulty {
    pub fault: Fault,
    countdown: AtomicUsize,
    pub done: Mutex<Vec<&'static str>>,
    /// Whether two names can change places.
    pub exchanges: AtomicBool,
}

pub const NEVER: usize = usize::MAX / 2;

impl Faulty {
    pub fn new(fault: Fault) -> Arc<Self> {
        Arc::new(Self { fault, countdown: NEVER.into(), done: Mutex::default(), exchanges: true.into() })
    }

    pub fn arm(&self, countdown: usize) {
        self.countdown.store(countdown, SeqCst);
    }

    /// Whether the fault armed with `n` struck.
    pub fn struck(&self, n: usize) -> bool {
        let left = self.countdown.load(SeqCst);
        left == 0 || left > n
    }

    fn run<T>(
        &self,
        name: &'static str,
        refused: impl FnOnce(),
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        self.done.lock().unwrap().push(name);
        let left = self.countdown.load(SeqCst);
        if left == 0 && self.fault == Fault::ForGood {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.countdown
            .store(if left <= 1 && self.fault != Fault::ForGood { NEVER } else { left - 1 }, SeqCst);
        match (left, self.fault) {
            (1, Fault::Late) => work().and(Err(io::Error::from_raw_os_error(5))),
            (1, _) => {
                refused();
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => work(),
        }
    }
}

impl Io for Faulty {
    fn create_dir(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        self.run("create_dir", || (), || Disk.create_dir(dir, name))
    }
    fn open(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        self.run("open", || (), || Disk.open(dir, name))
    }
    fn create(&self, dir: &Dir, name: &OsStr) -> io::Result<File> {
        self.run("create", || (), || Disk.create(dir, name))
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let half = || drop(Disk.write(file, &bytes[..bytes.len() / 2]));
        // A write is also short, so that the rest takes another call.
        self.run("write", half, || Disk.write(file, &bytes[..bytes.len().div_ceil(2)]))
    }
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.run("truncate", || (), || Disk.truncate(file, length))
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        self.run("sync", || (), || file.metadata().map(drop))
    }
    fn sync_dir(&self, dir: &Dir) -> io::Result<()> {
        self.run("sync_dir", || (), || dir.identity().map(drop))
    }
    fn link(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        self.run("link", || (), || Disk.link(from, to))
    }
    fn rename(&self, from: (&Dir, &OsStr), to: (&Dir, &OsStr)) -> io::Result<()> {
        self.run("rename", || (), || Disk.rename(from, to))
    }
    fn exchange(&self, dir: &Dir, one: &OsStr, other: &OsStr) -> io::Result<()> {
        let unknown = || Err(io::ErrorKind::Unsupported.into());
        let exchanges = self.exchanges.load(SeqCst);
        self.run("exchange", || (), || if exchanges { Disk.exchange(dir, one, other) } else { unknown() })
    }
    fn remove(&self, dir: &Dir, name: &OsStr) -> io::Result<()> {
        self.run("remove", || (), || Disk.remove(dir, name))
    }
}

/// Runs `case` with the first, second, ... operation failing, until one goes through without failing.
pub fn at_every_operation(least: usize, case: impl Fn(&Arc<Faulty>, usize) -> bool) {
    for fault in [Fault::Once, Fault::ForGood, Fault::Late] {
        let reached = (1..).find(|&n| !case(&Faulty::new(fault), n)).unwrap();
        assert!(reached > least, "{fault:?}: only {reached} operations, so the test tests too little");
    }
}
