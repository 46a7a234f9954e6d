//! The Hugging Face hub and its cache: `models--ORG--NAME/refs/REVISION` holds a commit, and
//! `models--ORG--NAME/snapshots/COMMIT/` its files. Wellfit's own cache has the same layout, so one look-up finds both.
//! (`huggingface_hub`'s `file_download.py` is the reference.)

use crate::content::Content;
use crate::error::FetchError;
use crate::event::Watch;
use crate::http::{Problem, header};
use crate::name::{Repository, is_commit};
use crate::store::{Place, Store, Wanted, download_error};
use crate::transfer::Tries;
use std::fs;
use std::path::{Path, PathBuf};
use ureq::http::HeaderMap;
use wellfit_base::{atomic, file};

/// The weights of a model, in the layout that runs no code.
const WEIGHTS: &str = "model.safetensors";
/// What says for which network they are, and how pictures are prepared.
const CONFIG: &str = "config.json";
/// The most bytes of a reference: a commit and a line feed.
const MOST_REF: u64 = 64;

/// A model's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFiles {
    /// `model.safetensors`; its `config.json`, if the model has one, is in the same folder.
    pub weights: PathBuf,
    /// The `config.json`.
    pub config: Option<PathBuf>,
    /// The commit they are of.
    pub commit: String,
    /// Where they were.
    pub place: Place,
}

impl HubFiles {
    fn in_snapshot(snapshot: &Path, commit: &str, place: Place) -> Self {
        let config = Some(snapshot.join(CONFIG)).filter(|path| path.is_file());
        Self { weights: snapshot.join(WEIGHTS), config, commit: commit.to_owned(), place }
    }
}

/// A commit of a model on the hub.
struct Commit {
    id: String,
    /// What its weights are known by.
    content: Content,
}

impl Store {
    /// The address of a model's weights.
    #[must_use]
    pub fn hub_url(&self, repository: &Repository) -> String {
        self.resolve(repository, &repository.revision, WEIGHTS)
    }

    fn resolve(&self, repository: &Repository, revision: &str, file: &str) -> String {
        format!("{}/{}/resolve/{revision}/{file}", self.settings.hub_url, repository.id)
    }

    /// A model's files, if they are on this machine and right.
    pub fn find_hub(&self, repository: &Repository, watch: &mut Watch<'_>) -> Option<HubFiles> {
        let roots = [(&self.settings.cache, Place::Wellfit), (&self.settings.hub, Place::HuggingFace)];
        roots.into_iter().find_map(|(root, place)| {
            let folder = root.as_ref()?.join(folder(repository));
            let commit = if repository.is_pinned() {
                repository.revision.clone()
            } else {
                let text = file::read_text(&folder.join("refs").join(&repository.revision), MOST_REF).ok()?;
                Some(text.trim().to_owned()).filter(|commit| is_commit(commit))?
            };
            let files = HubFiles::in_snapshot(&folder.join("snapshots").join(&commit), &commit, place);
            let content = blob(&files.weights);
            self.look(&files.weights, content.as_ref(), watch).then_some(files)
        })
    }

    /// A model's files: from a cache, else downloaded. `admit` sees `config.json` before the weights are downloaded and
    /// may refuse them, with the reason.
    ///
    /// # Errors
    /// If they are in no cache, and cannot be downloaded or must not be, or are refused.
    pub fn hub(
        &self,
        repository: &Repository,
        admit: &dyn Fn(&Path) -> Result<(), String>,
        watch: &mut Watch<'_>,
    ) -> Result<HubFiles, FetchError> {
        if let Some(files) = self.find_hub(repository, watch) {
            return Ok(files);
        }
        let url = self.hub_url(repository);
        let advice = format!(
            "Put its {WEIGHTS} and {CONFIG} into a folder, and give the path of that {WEIGHTS} in its place; or name a \
             mirror in HF_ENDPOINT"
        );
        if let Some(why) = self.settings.offline.as_ref().or(self.settings.hub_offline.as_ref()) {
            let advice = format!("Where there is a network, download {url}. {advice}");
            return Err(FetchError::Offline { what: repository.to_string(), why: why.clone(), advice });
        }
        let own = self.cache(&advice)?.join(folder(repository));
        let commit = self.commit(repository, &url, &advice, watch)?;
        let snapshot = own.join("snapshots").join(&commit.id);
        if let Some(config) = self.config(repository, &commit.id, &snapshot, &advice, watch)? {
            admit(&config).map_err(FetchError::Name)?;
        }
        let wanted = Wanted {
            target: &snapshot.join(WEIGHTS),
            url: &self.resolve(repository, &commit.id, WEIGHTS),
            content: &commit.content,
            advice: &advice,
        };
        let place = self.bring(&wanted, watch)?.place;
        if !repository.is_pinned() {
            let reference = own.join("refs").join(&repository.revision);
            let parent = reference.parent().unwrap_or(&own);
            fs::create_dir_all(parent).map_err(FetchError::disk(parent))?;
            atomic::replace(&reference, commit.id.as_bytes()).map_err(FetchError::disk(&reference))?;
        }
        Ok(HubFiles::in_snapshot(&snapshot, &commit.id, place))
    }

    /// Which commit a revision means now, and what its weights are.
    fn commit(
        &self,
        repository: &Repository,
        url: &str,
        advice: &str,
        watch: &mut Watch<'_>,
    ) -> Result<Commit, FetchError> {
        let mut tries = Tries::new(&self.settings.limits);
        let headers = loop {
            match self.client.head(url) {
                Ok(headers) => break headers,
                Err(Problem::Missing(text)) => {
                    let problem = format!("{text}: there is no such model, revision, or {WEIGHTS} in it");
                    return Err(download_error(url, &Problem::Missing(problem), advice));
                }
                Err(problem) => {
                    let again = tries.again(problem, watch);
                    again.map_err(|problem| download_error(url, &problem, advice))?;
                }
            }
        };
        let named = header(&headers, "x-repo-commit").filter(|commit| is_commit(commit)).map(str::to_owned);
        let id = named.or_else(|| repository.is_pinned().then(|| repository.revision.clone()));
        let id = id.ok_or_else(|| {
            let problem = Problem::lasting("the server does not say which commit it is, as the hub does");
            download_error(url, &problem, advice)
        })?;
        Ok(Commit { id, content: content(&headers) })
    }

    /// The `config.json` of a commit, if there is one.
    fn config(
        &self,
        repository: &Repository,
        commit: &str,
        snapshot: &Path,
        advice: &str,
        watch: &mut Watch<'_>,
    ) -> Result<Option<PathBuf>, FetchError> {
        let (target, url) = (snapshot.join(CONFIG), self.resolve(repository, commit, CONFIG));
        let wanted = Wanted { target: &target, url: &url, content: &Content::Json, advice };
        match self.bring(&wanted, watch) {
            Ok(found) => Ok(Some(found.path)),
            Err(FetchError::Download { problem, .. }) if problem.contains("status 404") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The folder of a model in a cache.
fn folder(repository: &Repository) -> String {
    format!("models--{}", repository.id.replace('/', "--"))
}

/// What the hub says of a file in Git LFS: its SHA-256 and length.
fn content(headers: &HeaderMap) -> Content {
    let etag = header(headers, "x-linked-etag").map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    let length = header(headers, "x-linked-size").and_then(|text| text.parse().ok());
    match etag.filter(|etag| is_sha256(etag)) {
        Some(digits) => Content::Sha256 { digits: digits.to_owned(), length },
        None => Content::Safetensors,
    }
}

/// In Hugging Face's cache a file is a link to `blobs/SHA256`.
fn blob(path: &Path) -> Option<Content> {
    let target = fs::read_link(path).ok()?;
    let digits = target.file_name()?.to_str().filter(|name| is_sha256(name))?;
    Some(Content::Sha256 { digits: digits.to_owned(), length: None })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}
