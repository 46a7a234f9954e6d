//! Pretrained weights by name: `imagenet` for an architecture, `hf:ORG/NAME`; where a path of weights is given, so is a
//! name of them.

use crate::config_json::config_hints;
use crate::error::RunError;
use crate::notice::Notice;
use crate::observer::Observer;
use crate::weights_name::torchvision_file;
use std::path::{Path, PathBuf};
use wellfit_data::{Interpolation, Preprocessing, Progress, cache::user_dir};
use wellfit_fetch::{Event, Name, Repository, Settings, Store, Version};
use wellfit_models::{Architecture, MODELS, architecture};
use wellfit_train::Hints;

/// The folder of weights in the user's cache.
const FOLDER: &str = "weights";

/// The caches of weights on this machine, and the servers; `offline` forbids downloads.
#[must_use]
pub fn store(offline: bool) -> Store {
    Store::new(Settings::from_env(user_dir().map(|dir| dir.join(FOLDER)), offline))
}

/// The same caches; nothing is downloaded, and messages say that `why` forbids it.
#[must_use]
pub fn store_without_downloads(why: &str) -> Store {
    let settings = Settings::from_env(user_dir().map(|dir| dir.join(FOLDER)), true);
    Store::new(Settings { offline: Some(why.to_owned()), ..settings })
}

/// The file that weights are in, on this machine now.
#[derive(Debug)]
pub struct Fetched {
    /// Its path.
    pub path: PathBuf,
    /// The name with the version or the commit that it meant, so that it will never mean another file.
    pub pinned: Name,
    /// How pictures are prepared for them, if something beside the file says so.
    pub preprocessing: Option<Preprocessing>,
    /// The architecture, if something beside the file says so.
    pub model: Option<String>,
}

/// How pictures were resized that an architecture's published weights were trained with.
pub(crate) fn interpolation(known: Option<&Architecture>) -> Interpolation {
    match known {
        Some(Architecture { bicubic: true, .. }) => Interpolation::Bicubic,
        _ => Interpolation::Bilinear,
    }
}

/// Find or download the weights of that name; for `imagenet` those of the architecture `model`.
///
/// # Errors
/// [`RunError::Unusable`] if there are none for it, [`RunError::Model`] if they cannot be had.
pub fn fetch(
    name: &Name,
    model: Option<&str>,
    store: &Store,
    observer: &mut dyn Observer,
) -> Result<Fetched, RunError> {
    match name {
        Name::ImageNet(version) => {
            let (file, version) = torchvision_file(model, *version)?;
            let found = store.torchvision(&file, &mut |event| tell(&event, observer))?;
            let pinned = Name::ImageNet(version);
            // The presets of these weights in torchvision; those of V2 were made with the second side.
            let side = if version == Version::V2 { 232 } else { 256 };
            let interpolation = interpolation(model.and_then(|model| architecture(model).ok()));
            let plain = Preprocessing::imagenet((224, 224));
            let preprocessing = Some(Preprocessing { resize: Some(side), interpolation, ..plain });
            Ok(Fetched { path: found.path, pinned, preprocessing, model: model.map(str::to_owned) })
        }
        Name::Hub(repository) => hub(repository, store, observer),
    }
}

fn hub(repository: &Repository, store: &Store, observer: &mut dyn Observer) -> Result<Fetched, RunError> {
    // What cannot be read is another tool's.
    let hints = |config: &Path| config_hints(config).ok();
    let admit = |config: &Path| known(repository, &hints(config).unwrap_or_default());
    let files = store.hub(repository, &admit, &mut |event| tell(&event, observer))?;
    let hints = files.config.as_deref().and_then(hints).unwrap_or_default();
    known(repository, &hints).map_err(RunError::Unusable)?;
    let pinned = Repository { revision: files.commit, ..repository.clone() };
    Ok(Fetched {
        path: files.weights,
        pinned: Name::Hub(pinned),
        preprocessing: hints.preprocessing,
        model: hints.model,
    })
}

/// Refuse an architecture that there is not, before its weights are downloaded.
fn known(repository: &Repository, hints: &Hints) -> Result<(), String> {
    let unknown = hints.model.as_deref().filter(|model| !MODELS.contains(model));
    let Some(model) = unknown else { return Ok(()) };
    Err(format!(
        "{repository} has the weights of a {model}, which is not among the architectures: {}",
        MODELS.join(", ")
    ))
}

/// An event as a notice, or as progress.
fn tell(event: &Event<'_>, observer: &mut dyn Observer) {
    let notice = match *event {
        Event::Progress { file, received, total } => {
            return observer.opening(&Progress::Download { file: file.to_owned(), received, total });
        }
        Event::Waiting { path } => Notice::DownloadAwaited { path: path.to_owned() },
        Event::Download { url, resumed } => Notice::Downloading { url: url.to_owned(), resumed },
        Event::Retry { problem, pause } => {
            Notice::DownloadRetried { problem: problem.to_owned(), seconds: pause.as_secs_f64() }
        }
        Event::Damaged { path, problem } => {
            Notice::CachedWeightsDamaged { path: path.to_owned(), problem: problem.to_owned() }
        }
        _ => return,
    };
    observer.notice(&notice);
}
