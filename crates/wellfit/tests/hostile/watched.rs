//! A command that is not let run for ever, and what must hold of its end.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The most processor time that a command may take before it has answered.
const MOST_WORK: Duration = Duration::from_secs(2);
/// The most time on the clock, of which others may take their part on a busy machine.
const MOST_WAIT: Duration = Duration::from_secs(20);

/// Commands that answer others until they are asked to end.
const SERVING: [&str; 2] = ["serve", "watch"];
/// How long one of these may be at its work, told to say nothing, before it is asked to end.
const MOST_SILENCE: Duration = Duration::from_secs(2);

/// What a command did.
pub struct Outcome {
    pub words: Vec<OsString>,
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// It was still at work after [`MOST_WORK`] and obeyed the request to end.
    pub asked_to_end: bool,
    pub seconds: f64,
}

/// The program that is tried.
pub fn program() -> PathBuf {
    std::env::var_os("WELLFIT_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_wellfit").into(), PathBuf::from)
}

/// A command in `folder` with nothing of the user's around it; `home` is where its caches go.
pub fn command(folder: &Path, home: &Path, words: &[OsString]) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder).args(words).stdin(Stdio::null());
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("PATH", "/usr/bin:/bin");
    command.env("WELLFIT_OFFLINE", "1").env("WELLFIT_WEIGHTS_URL", "http://127.0.0.1:9").env("NO_PROXY", "*");
    std::os::unix::process::CommandExt::arg0(&mut command, "wellfit");
    command
}

/// Run it to its end. One that works on is asked to end, as by `kill`, and must do so; one that waits for nothing is a
/// failure.
pub fn watch(mut command: Command, words: &[OsString], scratch: &Path) -> Outcome {
    let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let (status, asked_to_end) = ended(&mut child, words, &out);
    let mut stdout = Vec::new();
    File::open(&out).unwrap().read_to_end(&mut stdout).unwrap();
    let stderr = String::from_utf8_lossy(&fs::read(err).unwrap()).into_owned();
    Outcome {
        words: words.to_vec(),
        status,
        stdout,
        stderr,
        asked_to_end,
        seconds: began.elapsed().as_secs_f64(),
    }
}

fn ended(child: &mut Child, words: &[OsString], out: &Path) -> (ExitStatus, bool) {
    let (id, began) = (child.id(), Instant::now());
    let serves = words.first().is_some_and(|word| SERVING.iter().any(|name| word == name));
    let told = || fs::read_to_string(out).is_ok_and(|text| text.contains("http://"));
    let is_up = move || serves && catches_term(id) && (told() || began.elapsed() > MOST_SILENCE);
    if let Some(status) = within(child, Duration::ZERO, &is_up) {
        return (status, false);
    }
    let before = worked(child.id());
    if before < MOST_WORK / 2 && !is_up() {
        let _ = child.kill();
        panic!("it waits for something: {}", line_of(words));
    }
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let Some(status) = within(child, before, &|| false) else {
        let _ = child.kill();
        panic!("it did not end when asked to: {}", line_of(words))
    };
    (status, true)
}

/// Its status, once it has ended; none if it has had its time, or if that is `enough`.
fn within(child: &mut Child, before: Duration, enough: &dyn Fn() -> bool) -> Option<ExitStatus> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    let has_time = |id| began.elapsed() < MOST_WAIT && worked(id).saturating_sub(before) < MOST_WORK;
    while has_time(child.id()) && !enough() {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    child.try_wait().unwrap()
}

/// Whether a process has a way of its own to end on SIGTERM: bit 15 of `SigCgt` in proc(5)'s `status`.
fn catches_term(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> 14 & 1 == 1)
}

/// The processor time of a process and its threads: fields 14 and 15 of proc(5)'s `stat`, in ticks of 10 ms.
fn worked(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// Cases that failed: all are tried before the test says so.
#[derive(Default)]
pub struct Wrong(Vec<String>);

impl Wrong {
    /// What `check` gives; none if it fails, which is noted.
    pub fn note<T>(&mut self, case: &str, check: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(check));
        if result.is_err() {
            eprintln!("WRONG: {case}");
            self.0.push(case.to_owned());
        }
        result.ok()
    }

    pub fn is_nothing(&self) {
        assert!(self.0.is_empty(), "{} wrong:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// The words for a person: long ones are cut.
pub fn line_of(words: &[OsString]) -> String {
    let mut line = "wellfit".to_owned();
    for word in words {
        let text = format!("{word:?}");
        let short: String = text.chars().take(80).collect();
        let cut =
            if short.len() < text.len() { format!("… ({} bytes)", word.len()) } else { String::new() };
        let _ = write!(line, " {short}{cut}");
    }
    line
}

impl Outcome {
    /// What must hold whatever was asked for: an exit code that is documented, no panic, nothing raw.
    pub fn is_orderly(&self) {
        let code = self.status.code();
        assert!(matches!(code, Some(0..=8)), "{:?}\n{self}", self.status);
        assert!(!self.stderr.contains("panicked"), "{self}");
        // What was asked to end had begun something; all else that fails says why.
        if code != Some(0) {
            assert!(self.stderr.contains("error: ") || self.stderr.contains("warning: "), "{self}");
        }
        for (name, text) in
            [("output", String::from_utf8_lossy(&self.stdout)), ("errors", self.stderr.as_str().into())]
        {
            let raw = text.chars().find(|c| obeyed(*c));
            assert!(raw.is_none(), "a raw {raw:?} in the {name}\n{self}");
            // What is typed or stands in a file begins no line.
            assert!(
                !text.lines().any(|line| line.starts_with("FORGED")),
                "a forged line in the {name}\n{self}"
            );
        }
    }
}

/// Whether a terminal obeys a character, or shows other text than there is because of it.
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| {
            text.chars().take(1500).collect::<String>().escape_debug().to_string().replace("\\n", "\n")
        };
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "{}\n{}\n-- {}\n{}", line_of(&self.words), cut(&stdout), self.status, cut(&self.stderr))
    }
}
