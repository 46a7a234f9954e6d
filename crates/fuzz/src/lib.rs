//! Feeds a parser with damaged files and watches its memory and time. Tests only.
//!
//! Seeds are valid files and files that once broke a parser; each input is one of them after a few mutations,
//! a pure function of its number. A parser answers with a result; an answer of a new kind (a message never
//! seen, digits aside) makes its input a seed too, so that damage goes deeper with time. A panic, more than
//! [`MOST_MEMORY`] or more than [`MOST_TIME`] for one input fails the test, and leaves the input in
//! `target/fuzz/`. Put it into `tests/corpus/<target>/` of its crate, and every later run begins with it.
//!
//! A test runs a few thousand inputs; `WELLFIT_FUZZ=1000000` sets another number (`just fuzz`).

mod mutate;
mod watch;

use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

use mutate::mutated;
use watch::{Watch, save};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most bytes one input may have allocated at once: 1 GiB.
pub const MOST_MEMORY: usize = 1 << 30;

/// The most time one input may take, on a processor of its own.
pub const MOST_TIME: Duration = Duration::from_secs(1);

/// How many inputs a test runs unless `WELLFIT_FUZZ` says otherwise.
const INPUTS: u32 = 3000;

/// The most seeds that new kinds of answers may add.
const MOST_FOUND: usize = 4000;

/// A parser's name and what its inputs are made of.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// For the report and for the names of files.
    pub name: &'a str,
    /// Files to begin with.
    pub seeds: &'a [Vec<u8>],
    /// Bytes that mean something to the parser, such as keywords.
    pub tokens: &'a [&'a [u8]],
    /// Makes a mutated input valid again where a checksum or a length would stop the parser at once; applied
    /// to three inputs of four.
    pub repair: fn(&mut [u8]),
}

/// What a run found.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Inputs run.
    pub inputs: u32,
    /// Different kinds of answers.
    pub answers: usize,
    /// The most bytes an input had allocated at once.
    pub memory: usize,
    /// The longest an input took.
    pub slowest: Duration,
}

/// A repair that does nothing.
pub fn as_it_is(_: &mut [u8]) {}

/// The files in `directories`, whose order does not matter, of at most 64 KiB.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn files(directories: &[&str], wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let list = |directory: &&str| fs::read_dir(directory).unwrap_or_else(|e| panic!("{directory}: {e}"));
    let mut paths: Vec<_> = directories.iter().flat_map(list).map(|entry| entry.map(|e| e.path())).collect();
    paths.sort_by_key(|path| path.as_ref().ok().cloned());
    let read = |path: std::io::Result<std::path::PathBuf>| {
        let path = path.unwrap_or_else(|error| panic!("{error}"));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        wanted(&name).then(|| fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    };
    paths.into_iter().filter_map(read).filter(|file| file.len() <= 1 << 16).collect()
}

/// Run `parse` on all seeds and then on as many mutated inputs as asked for, and print a [`Report`].
///
/// # Panics
/// If `parse` does, or takes too much memory or time.
pub fn fuzz<T, E: Display>(target: &Target<'_>, parse: impl Fn(&[u8]) -> Result<T, E>) -> Report {
    fuzz_with(target, INPUTS, parse)
}

/// The same with another number of inputs, unless `WELLFIT_FUZZ` says otherwise.
///
/// # Panics
/// As [`fuzz`].
pub fn fuzz_with<T, E: Display>(
    target: &Target<'_>,
    inputs: u32,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Report {
    let _alone = alone();
    let inputs = std::env::var("WELLFIT_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(inputs);
    let watch = Watch::start(target.name);
    let mut pool = target.seeds.to_vec();
    assert!(!pool.is_empty(), "{}: no seeds", target.name);
    let mut known = HashSet::new();
    let mut report = Report { inputs, answers: 0, memory: 0, slowest: Duration::ZERO };
    let began = Instant::now();
    for number in 0..inputs {
        let fresh = pool.get(number as usize).filter(|_| (number as usize) < target.seeds.len());
        let input = fresh.cloned().unwrap_or_else(|| mutated(target, &pool, number));
        let answer = one(target.name, &watch, &input, &parse, &mut report);
        if known.insert(answer) && pool.len() < target.seeds.len() + MOST_FOUND {
            pool.push(input);
        }
    }
    report.answers = known.len();
    let rate = f64::from(inputs) / began.elapsed().as_secs_f64();
    println!(
        "fuzz {:18} {inputs:>8} inputs, {rate:>7.0} a second, {:>6.1} MiB at most, slowest {:>6.1} ms, {} kinds of answers",
        target.name,
        report.memory as f64 / f64::from(1 << 20),
        report.slowest.as_secs_f64() * 1e3,
        report.answers
    );
    report
}

/// Run one input, add to the report, and give the kind of its answer.
fn one<T, E: Display>(
    name: &str,
    watch: &Watch,
    input: &[u8],
    parse: &impl Fn(&[u8]) -> Result<T, E>,
    report: &mut Report,
) -> u64 {
    watch.begin(input);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let began = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| parse(input).map(drop).map_err(|error| error.to_string())));
    let mut time = began.elapsed();
    let memory = MEMORY.peak_usage().saturating_sub(before);
    watch.end();
    let answer = answer.unwrap_or_else(|panic| {
        eprintln!("{name}: a panic; the input is {}", save(name, input).display());
        resume_unwind(panic);
    });
    if time > MOST_TIME / 4 {
        // Maybe another process had the processor.
        let again = || {
            let before = processor_time();
            let began = Instant::now();
            let _ = parse(input);
            let after = processor_time();
            after.zip(before).map_or_else(|| began.elapsed(), |(after, before)| after.saturating_sub(before))
        };
        time = (0..3).map(|_| again()).min().unwrap_or(time);
    }
    let fits = memory <= MOST_MEMORY && time <= MOST_TIME;
    assert!(fits, "{name}: {memory} bytes, {time:?}; the input is {}", save(name, input).display());
    if time > MOST_TIME / 4 && time > report.slowest {
        eprintln!("{name}: {time:?} for {}", save(name, input).display());
    }
    report.memory = report.memory.max(memory);
    report.slowest = report.slowest.max(time);
    kind(answer.as_ref().map(|()| "").map_err(String::as_str))
}

/// How long this thread has had a processor, where the system (Linux) says.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Answers that differ only in numbers or in what they quote are of one kind.
fn kind(answer: Result<&str, &str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.is_ok().hash(&mut hasher);
    let text = answer.unwrap_or_else(|error| error);
    let unquoted = text.split(['`', '"', '\'', '‘', '’']).step_by(2);
    let letters = unquoted.flat_map(str::chars).filter(char::is_ascii_alphabetic);
    letters.take(300).for_each(|letter| letter.hash(&mut hasher));
    hasher.finish()
}

/// What `run` gives, and the most bytes it had allocated at once.
pub fn memory_of<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let _alone = alone();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = run();
    (result, MEMORY.peak_usage().saturating_sub(before))
}

/// One at a time: memory is counted for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of this process for a parser that reads files, in memory where the system has such a disk.
#[must_use]
pub fn scratch(name: &str) -> std::path::PathBuf {
    let base = Some(Path::new("/dev/shm")).filter(|shm| shm.is_dir());
    let dir = base.map_or_else(std::env::temp_dir, Path::to_path_buf);
    dir.join(format!("wellfit-fuzz-{name}-{}", std::process::id()))
}
