//! A thread beside the parser: if it does not return from an input, the input is saved and the process stopped.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A parser that takes longer than this for one input is assumed never to return.
const FOREVER: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Current {
    since: Option<Instant>,
    input: Vec<u8>,
    over: bool,
}

/// Watches one run.
pub(crate) struct Watch {
    current: Arc<Mutex<Current>>,
    thread: Option<JoinHandle<()>>,
}

fn lock(current: &Mutex<Current>) -> MutexGuard<'_, Current> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    pub(crate) fn start(name: &str) -> Self {
        let current = Arc::new(Mutex::new(Current::default()));
        let (name, watched) = (name.to_owned(), Arc::clone(&current));
        let thread = thread::spawn(move || {
            loop {
                thread::park_timeout(Duration::from_secs(1));
                let current = lock(&watched);
                if current.over {
                    return;
                }
                if current.since.is_some_and(|since| since.elapsed() > FOREVER) {
                    eprintln!("{name}: no end; the input is {}", save(&name, &current.input).display());
                    std::process::abort();
                }
            }
        });
        Self { current, thread: Some(thread) }
    }

    pub(crate) fn begin(&self, input: &[u8]) {
        let mut current = lock(&self.current);
        current.input.clear();
        current.input.extend_from_slice(input);
        current.since = Some(Instant::now());
    }

    pub(crate) fn end(&self) {
        lock(&self.current).since = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.current).over = true;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Save an input that failed, and give the path of the file.
pub(crate) fn save(name: &str, input: &[u8]) -> PathBuf {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fuzz"));
    let path = dir.join(format!("{name}-{}", input.len()));
    if let Err(error) = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, input)) {
        eprintln!("cannot keep the input: {error}");
    }
    path
}
