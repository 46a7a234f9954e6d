//! Wellfit's cache of weights: only files that were checked have a name in it.
//!
//! Beside each file lies its SHA-256, as `sha256sum` writes it. A file that grows ends in `.part`, and the lock of the
//! process that makes it in `.lock`.

use crate::content::{Content, digits_in_name};
use crate::error::FetchError;
use crate::event::{Event, Watch};
use crate::http::{Client, Problem};
use crate::settings::Settings;
use crate::transfer::{Failure, Order, file_name, part_of};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wellfit_base::hash::sha256_file;
use wellfit_base::lock::FileLock;
use wellfit_base::{atomic, file};

/// How often a process that waits for another's download looks again.
const PAUSE: Duration = Duration::from_millis(100);
/// What is added to a file's name for that of its SHA-256.
const SUM: &str = ".sha256";
/// What is added to names for files that are no weights.
const OTHERS: [&str; 5] = ["sha256", "part", "etag", "lock", "tmp"];
/// The most bytes of the file of a SHA-256.
const MOST_SUM: u64 = 4096;

/// Where a file was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In Wellfit's cache.
    Wellfit,
    /// In torch's.
    Torch,
    /// In Hugging Face's.
    HuggingFace,
    /// On a server, and now in Wellfit's cache.
    Downloaded,
}

/// A file that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Where it was.
    pub place: Place,
}

/// A file in Wellfit's cache that was looked through.
#[derive(Debug)]
pub struct Checked {
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256, if it is right, or what is wrong with it.
    pub result: Result<String, String>,
}

/// The places where weights are looked for, and the servers.
#[derive(Debug)]
pub struct Store {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
}

/// A file that is to be brought into the cache.
pub(crate) struct Wanted<'a> {
    pub(crate) target: &'a Path,
    pub(crate) url: &'a str,
    pub(crate) content: &'a Content,
    /// What the user can do if that fails.
    pub(crate) advice: &'a str,
}

impl Store {
    /// With these settings. Nothing is read or sent yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let client = Client::new(&settings);
        Self { settings, client }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The files in Wellfit's cache, by path.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn held(&self) -> Result<Vec<PathBuf>, FetchError> {
        let mut files = Vec::new();
        if let Some(cache) = self.settings.cache.as_deref().filter(|cache| cache.is_dir()) {
            collect(cache, &mut files)?;
        }
        files.sort();
        Ok(files)
    }

    /// Whether a file in Wellfit's cache is what it was when it came.
    #[must_use]
    pub fn verify(&self, path: &Path) -> Checked {
        Checked { path: path.to_owned(), result: whole(path, None) }
    }

    /// The folder of the cache.
    pub(crate) fn cache(&self, advice: &str) -> Result<&Path, FetchError> {
        self.settings.cache.as_deref().ok_or_else(|| FetchError::Download {
            url: "the weights".to_owned(),
            problem: "there is no folder for them, because HOME is not set".to_owned(),
            advice: advice.to_owned(),
        })
    }

    /// Download a file into the cache, unless it is there or another process brings it.
    pub(crate) fn bring(&self, wanted: &Wanted<'_>, watch: &mut Watch<'_>) -> Result<Found, FetchError> {
        let Wanted { target, url, content, advice } = *wanted;
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(FetchError::disk(folder))?;
        let lock_path = part_of(target, ".lock");
        let mut told = false;
        let lock = FileLock::wait(&lock_path, PAUSE, || {
            if !told {
                watch(Event::Waiting { path: target });
                told = true;
            }
        });
        let lock = lock.map_err(FetchError::disk(&lock_path))?;
        if target.is_file() && whole(target, Some(content)).is_ok() {
            return Ok(Found { path: target.to_owned(), place: Place::Wellfit });
        }
        // Without locks two processes must not write into one file.
        let own = if lock.is_some() { ".part".to_owned() } else { format!(".{}.part", std::process::id()) };
        let part = part_of(target, &own);
        let order = Order { client: &self.client, limits: &self.settings.limits, url, content, part };
        let (partial, sha256) = order.fill(watch).map_err(|failure| match failure {
            Failure::Server(problem) => download_error(url, &problem, advice),
            Failure::Disk(cause) => FetchError::Disk { path: target.to_owned(), cause },
        })?;
        let sum = part_of(target, SUM);
        let text = format!("{sha256}  {}\n", file_name(url));
        atomic::replace(&sum, text.as_bytes()).map_err(FetchError::disk(&sum))?;
        partial.persist(target).map_err(FetchError::disk(target))?;
        Ok(Found { path: target.to_owned(), place: Place::Downloaded })
    }

    /// The file at `path`, if it is there and right; one that is damaged is told.
    pub(crate) fn look(&self, path: &Path, content: Option<&Content>, watch: &mut Watch<'_>) -> bool {
        if !path.is_file() {
            return false;
        }
        match whole(path, content) {
            Ok(_) => true,
            Err(problem) => {
                watch(Event::Damaged { path, problem: &problem });
                false
            }
        }
    }
}

/// The error of a download.
pub(crate) fn download_error(url: &str, problem: &Problem, advice: &str) -> FetchError {
    FetchError::Download {
        url: url.to_owned(),
        problem: problem.text().to_owned(),
        advice: advice.to_owned(),
    }
}

/// The SHA-256 of a file that is what is known of it: by `content`, by the file of its SHA-256 beside it, by its name.
fn whole(path: &Path, content: Option<&Content>) -> Result<String, String> {
    let found = match content {
        Some(content) => content.check(path)?,
        None => sha256_file(path).map_err(|error| error.to_string())?,
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let beside = file::read_text(&part_of(path, SUM), MOST_SUM).ok();
    let beside = beside.and_then(|text| Some(text.split_whitespace().next()?.to_owned()));
    for digits in [beside, digits_in_name(name)].into_iter().flatten() {
        if !found.starts_with(&digits) {
            return Err(format!("its SHA-256 is {}…, not {}", &found[..8], &digits[..digits.len().min(8)]));
        }
    }
    Ok(found)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FetchError> {
    for entry in fs::read_dir(folder).map_err(FetchError::disk(folder))? {
        let path = entry.map_err(FetchError::disk(folder))?.path();
        if path.file_name().is_some_and(|name| name == "refs") {
            continue;
        }
        let other = path.extension().is_some_and(|kind| OTHERS.iter().any(|other| kind == *other));
        if path.is_dir() {
            collect(&path, files)?;
        } else if !other {
            files.push(path);
        }
    }
    Ok(())
}
