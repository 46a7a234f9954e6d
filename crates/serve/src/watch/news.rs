//! How the runs of a folder stand, looked at again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::watch::Sender;
use wellfit_record::{RunDir, RunSummary, list_runs_of_groups};
use wellfit_report::live::RunNews;

/// How often it is looked; less often where looking takes more than a tenth of the time.
const PAUSE: Duration = Duration::from_secs(1);

/// The news of all runs, in the order of the list.
pub(crate) type News = Arc<Vec<RunNews>>;

/// A folder of runs, or a run.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Of that path.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.root.to_string_lossy().into_owned()
    }

    /// The run that it is, if it is one.
    #[must_use]
    pub fn only(&self) -> Option<RunDir> {
        RunDir::open(&self.root).ok()
    }

    /// The runs in it; none where there is no folder, or none that can be read.
    #[must_use]
    pub fn runs(&self) -> Vec<RunSummary> {
        match self.only() {
            Some(run) => {
                vec![RunSummary { name: self.name(), path: self.root.clone(), outcome: run.outcome() }]
            }
            None if self.root.is_dir() => list_runs_of_groups(&self.root).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// The news of its runs.
    #[must_use]
    pub fn news(&self) -> Vec<RunNews> {
        self.runs().iter().map(RunNews::of).collect()
    }

    /// Where the run of that name in the list is. A name leads to nothing else.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        if self.only().is_some() {
            return (name == self.name()).then(|| self.root.clone());
        }
        let path = self.root.join(name);
        let inside = |path: &Path| path.strip_prefix(&self.root).is_ok_and(|below| below == Path::new(name));
        let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        (plain && inside(&path) && RunDir::open(&path).is_ok()).then_some(path)
    }
}

/// Tell the news until the end.
pub(crate) fn look(folder: &Folder, tell: &Sender<News>, ended: &Receiver<()>) {
    loop {
        let began = Instant::now();
        let news = folder.news();
        tell.send_if_modified(|before| {
            let differs = **before != news;
            *before = Arc::new(news);
            differs
        });
        let pause = PAUSE.max(began.elapsed() * 9);
        if !matches!(ended.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_run_of_the_folder_only() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("run.toml"), "format = 1\n").unwrap();
        };
        ["runs/one", "runs/folds/fold-1", "other"].into_iter().for_each(make);
        let folder = Folder::new(dir.path().join("runs"));
        for (name, there) in [
            ("one", true),
            ("folds/fold-1", true),
            ("two", false),
            ("../other", false),
            ("one/../../other", false),
            ("/", false),
            ("", false),
            (".", false),
        ] {
            assert_eq!(folder.path(name).is_some(), there, "{name}");
        }
        let other = dir.path().join("other");
        assert!(folder.path(other.to_str().unwrap()).is_none());
        let single = Folder::new(other.clone());
        assert_eq!(single.path(&single.name()), Some(other));
        assert!(single.path("one").is_none());
    }
}
