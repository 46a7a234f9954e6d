//! A bench to try the command on: a folder of its own, and what must come of a command in it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder in which commands run. It is gone with this value.
pub struct Bench {
    folder: TempDir,
    /// The user's cache, which a command may fill even if it is refused.
    cache: TempDir,
}

/// What a command did.
pub struct Outcome {
    line: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A run that is there before a command is refused; `--out` of the command names it.
const EARLIER: &str = "earlier";

/// The program that is tested: the built one, or the one that `WELLFIT_BINARY` names.
pub fn program() -> PathBuf {
    std::env::var_os("WELLFIT_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_wellfit").into(), PathBuf::from)
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), cache: TempDir::new().unwrap() }
    }

    /// Run `wellfit` with the words of `line`.
    pub fn run(&self, line: &str) -> Outcome {
        let output = self.command(line).output().unwrap();
        Outcome::new(line, &output)
    }

    /// The command that [`Self::run`] runs: in the folder, with nothing of the user's around it.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.cache.path());
        command.env("NO_PROXY", "*").env("RUST_BACKTRACE", "0");
        // As a user starts it who installed it.
        command.env_remove("CARGO");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "wellfit");
        command
    }

    /// The command must end with `code`, say all of `parts`, and change nothing: neither what was there
    /// before, nor by leaving something new.
    #[track_caller]
    pub fn refuses(&self, line: &str, code: i32, parts: &[&str]) {
        let before = self.snapshot();
        let outcome = self.run(line).exits(code);
        for part in parts {
            outcome.complains(part);
        }
        assert!(outcome.stderr.lines().any(|line| line.starts_with("error: ")), "{outcome}");
        assert!(!outcome.stdout.contains('{'), "no result may be printed: {outcome}");
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            self.snapshot().keys().collect::<Vec<_>>(),
            "{outcome}"
        );
        assert!(before == self.snapshot(), "a file was changed: {outcome}");
    }

    /// As [`Self::refuses`], for `wellfit train` over an earlier run that `--force` would replace.
    #[track_caller]
    pub fn refuses_to_train(&self, line: &str, code: i32, parts: &[&str]) {
        self.earlier_run();
        self.refuses(&format!("train {line} --out {EARLIER} --force"), code, parts);
    }

    /// Make of a run one of a version that did not record the checksums of what it left in the end.
    pub fn forget_checksums(&self, run: &str) {
        let file = format!("{run}/events.jsonl");
        let events = self.text(&file);
        let kept = events.lines().filter(|line| !line.contains("\"event\":\"files\""));
        assert!(kept.clone().count() < events.lines().count(), "{events}");
        self.write(&file, kept.map(|line| format!("{line}\n")).collect::<String>());
    }

    /// Make of a run one of a version that had no ids either.
    pub fn forget_identity(&self, run: &str) {
        self.forget_checksums(run);
        let without = |file: &str, word: &str| {
            let text = self.text(file);
            let kept: String =
                text.lines().filter(|line| !line.contains(word)).map(|line| format!("{line}\n")).collect();
            assert_ne!(kept, text, "{file} has no {word}");
            self.write(file, kept);
        };
        without(&format!("{run}/events.jsonl"), "\"event\":\"run\"");
        without(&format!("{run}/run.toml"), "id = ");
        without(&format!("{run}/run.toml"), "sequence = ");
        for checkpoint in self.names(&format!("{run}/checkpoints")) {
            let file = format!("{run}/checkpoints/{checkpoint}/manifest.json");
            without(&file, "\"run\":");
            let sum = wellfit::base::hash::sha256(&self.bytes(&file));
            self.write(
                &format!("{run}/checkpoints/{checkpoint}/manifest.sha256"),
                format!("{sum}  manifest.json\n"),
            );
        }
    }

    /// A directory that looks like a run.
    pub fn earlier_run(&self) {
        self.write(&format!("{EARLIER}/run.toml"), "format = 1\n");
        self.write(&format!("{EARLIER}/events.jsonl"), "");
        self.write(&format!("{EARLIER}/model.safetensors"), "weights of weeks");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the user's cache.
    pub fn cached(&self, name: &str) -> PathBuf {
        self.cache.path().join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Write a file, with the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[track_caller]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    #[track_caller]
    pub fn toml(&self, name: &str) -> toml::Table {
        self.text(name).parse().unwrap()
    }

    /// The lines of a `.jsonl` file.
    #[track_caller]
    pub fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events of that kind in a run.
    #[track_caller]
    pub fn events(&self, run: &str, kind: &str) -> Vec<Value> {
        let mut events = self.lines(&format!("{run}/events.jsonl"));
        events.retain(|event| event["event"] == kind);
        events
    }

    /// The names of the files in a folder, without hidden ones.
    #[track_caller]
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    /// Every file and folder with its content.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        walk(self.folder.path(), &mut found);
        found
    }
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
            found.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
}

impl Outcome {
    pub fn new(line: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Self { line: line.to_owned(), code: output.status.code(), stdout, stderr }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    pub fn code(&self) -> Option<i32> {
        self.code
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// `part` is on standard output.
    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "expected `{part}` on stdout: {self}");
        self
    }

    #[track_caller]
    pub fn never_says(self, part: &str) -> Self {
        assert!(!self.stdout.contains(part), "unexpected `{part}` on stdout: {self}");
        self
    }

    /// `first` is on standard output, and `then` is below it.
    #[track_caller]
    pub fn says_before(self, first: &str, then: &str) -> Self {
        let (above, below) = (self.stdout.find(first), self.stdout.find(then));
        assert!(above.is_some() && above < below, "expected `{first}` above `{then}`: {self}");
        self
    }

    /// `part` is on standard error.
    #[track_caller]
    pub fn complains(&self, part: &str) {
        assert!(self.stderr.contains(part), "expected `{part}` on stderr: {self}");
    }

    #[track_caller]
    pub fn warns(self, part: &str) -> Self {
        self.complains("warning: ");
        self.complains(part);
        self
    }

    #[track_caller]
    pub fn keeps_silent(self) -> Self {
        assert!(self.stdout.is_empty() && self.stderr.is_empty(), "{self}");
        self
    }

    /// The JSON object that is all of standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line for programs, the rest on stderr: {self}");
        let value: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"));
        assert!(value.is_object(), "{self}");
        crate::schema::check(&self.line, &value);
        value
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        write!(f, "wellfit {line}\n-- exit code {code:?}\n-- stdout\n{stdout}-- stderr\n{stderr}--")
    }
}
