//! The classifier that answers, and its exchange for a new one while the server goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use wellfit_run::Classifier;

/// The classifier of now.
#[derive(Debug)]
pub(crate) struct Live(RwLock<Arc<Classifier>>);

impl Live {
    pub fn new(classifier: Classifier) -> Self {
        Self(RwLock::new(Arc::new(classifier)))
    }

    pub fn current(&self) -> Arc<Classifier> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn exchange(&self, classifier: Classifier) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(classifier);
    }
}

/// What a file or a folder looked like: its name, length and time of change, and on Unix its number, which is another
/// one where a file was replaced within the clock's tick.
type Look = (PathBuf, u64, Option<SystemTime>, u64);

/// What there is of a classifier on the disk. It changes when other weights are there: a run's model and checkpoints, the
/// runs of its folds, a weight file and what describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<Look>);

impl Fingerprint {
    /// Of a run, an exported folder, or a file.
    pub fn of(path: &Path) -> Self {
        let mut looks = Vec::new();
        if path.is_dir() {
            below(path, 3, &mut looks);
        } else {
            look(path, &mut looks);
        }
        looks.sort();
        Self(looks)
    }
}

/// Files that weights are read from, and what says which of them: not the records, which grow all the time.
fn counts(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let weights = path.extension().is_some_and(|kind| kind == "safetensors" || kind == "pth");
    weights || ["config.json", "manifest.json", "run.toml"].iter().any(|counted| name == *counted)
}

fn below(dir: &Path, depth: u32, looks: &mut Vec<Look>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth > 0 {
            below(&path, depth - 1, looks);
        } else if counts(&path) {
            look(&path, looks);
        }
    }
}

fn look(path: &Path, looks: &mut Vec<Look>) {
    if let Ok(found) = fs::metadata(path) {
        looks.push((path.to_owned(), found.len(), found.modified().ok(), number(&found)));
    }
}

#[cfg(unix)]
fn number(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_what_weights_are_read_from_counts() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("checkpoints/epoch-1")).unwrap();
        fs::write(at("model.safetensors"), "a").unwrap();
        let before = Fingerprint::of(dir.path());
        fs::write(at("events.jsonl"), "an epoch").unwrap();
        assert_eq!(Fingerprint::of(dir.path()), before);
        fs::write(at("checkpoints/epoch-1/manifest.json"), "{}").unwrap();
        let with_checkpoint = Fingerprint::of(dir.path());
        assert_ne!(with_checkpoint, before);
        fs::write(at("new"), "b").unwrap();
        fs::rename(at("new"), at("model.safetensors")).unwrap();
        assert_ne!(Fingerprint::of(dir.path()), with_checkpoint);
        let file = Fingerprint::of(&at("model.safetensors"));
        fs::write(at("model.safetensors"), "bc").unwrap();
        assert_ne!(Fingerprint::of(&at("model.safetensors")), file);
    }
}
