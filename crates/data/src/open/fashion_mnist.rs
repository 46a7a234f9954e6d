//! Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747): 60,000 + 10,000 grey images of 28 × 28, ten classes.

use std::env;
use std::path::{Path, PathBuf};

use ureq::Agent;

use super::download::{self, Content};
use super::idx_folder::{self, FILES};
use super::{OpenOptions, Progress, Splits};
use crate::cache::user_dir;
use crate::error::DataError;

/// The name to ask for.
pub const NAME: &str = "fashion-mnist";

/// The environment variable that names another server.
pub const URL_VARIABLE: &str = "WELLFIT_FASHION_MNIST_URL";

/// The authors' server. It speaks plain http only; the sums below make that safe.
const DEFAULT_URL: &str = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com";

/// Where Debian's package `dataset-fashion-mnist` puts it.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

/// The names of the classes 0–9.
pub const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// What each of [`FILES`] holds, unpacked.
const CONTENTS: [Content<'static>; 4] = [
    Content { bytes: 47_040_016, sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
    Content { bytes: 60_008, sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" },
    Content { bytes: 7_840_016, sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" },
    Content { bytes: 10_008, sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" },
];

/// [`CLASSES`] as a dataset wants them.
#[must_use]
pub fn class_names() -> Vec<String> {
    CLASSES.map(String::from).into()
}

/// Open Fashion-MNIST from the first place that has it, else download it into the user's cache.
///
/// # Errors
/// If it is nowhere and cannot be downloaded, or a file is bad.
pub fn open(options: &OpenOptions, progress: &dyn Fn(Progress)) -> Result<Splits, DataError> {
    let cache = cache_dir();
    let places = places(options.data_dir.as_deref(), cache.as_deref());
    let dir = match places.iter().find(|dir| is_complete(dir)) {
        Some(dir) => dir.clone(),
        None => obtain(options, cache, progress)
            .map_err(|cause| DataError::FashionMnistMissing { looked: places, cause })?,
    };
    let (train, test) = idx_folder::open(&dir, Some(class_names()))?;
    Ok(Splits::without_files(NAME.into(), train, test))
}

/// The folders to look in, best first. In the user's data folder, torchvision's layout counts too.
fn places(data_dir: Option<&Path>, cache: Option<&Path>) -> Vec<PathBuf> {
    let given =
        data_dir.into_iter().flat_map(|dir| [dir.into(), dir.join(NAME), dir.join("FashionMNIST/raw")]);
    given.chain(cache.map(Path::to_path_buf)).chain([DEBIAN.into()]).collect()
}

fn is_complete(dir: &Path) -> bool {
    FILES.iter().all(|name| idx_folder::find(dir, name).is_some())
}

/// `$XDG_CACHE_HOME/wellfit/fashion-mnist`, or the same below `~/.cache`.
fn cache_dir() -> Option<PathBuf> {
    user_dir().map(|dir| dir.join(NAME))
}

/// Download into the cache and return it, or say why not.
fn obtain(
    options: &OpenOptions,
    cache: Option<PathBuf>,
    progress: &dyn Fn(Progress),
) -> Result<PathBuf, String> {
    if !options.download {
        return Err("downloads are turned off".into());
    }
    let cache = cache.ok_or("there is no home folder to keep it in")?;
    let base = options.fashion_mnist_url.clone().or_else(|| env::var(URL_VARIABLE).ok());
    let base = base.unwrap_or_else(|| DEFAULT_URL.into());
    download_files(&download::agent(), &base, &CONTENTS, &cache, progress)
        .map_err(|error| error.to_string())?;
    Ok(cache)
}

/// Fetch those of [`FILES`] that `dir` lacks.
fn download_files(
    agent: &Agent,
    base: &str,
    contents: &[Content<'_>; 4],
    dir: &Path,
    progress: &dyn Fn(Progress),
) -> Result<(), DataError> {
    for (name, content) in FILES.iter().zip(contents) {
        if idx_folder::find(dir, name).is_some() {
            continue;
        }
        let file = format!("{name}.gz");
        let url = format!("{}/{file}", base.trim_end_matches('/'));
        download::fetch(agent, &url, &dir.join(&file), content, &|received, total| {
            progress(Progress::Download { file: file.clone(), received, total });
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::download::tests::{CONTENT, LETTERS, direct, gzip, ok, serve};
    use super::*;

    const LETTER_CONTENTS: [Content<'static>; 4] = [CONTENT; 4];

    #[test]
    fn only_missing_files_are_fetched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILES[1]), "here, unpacked").unwrap();
        let url = serve(vec![ok(&gzip(&LETTERS)); 3]) + "/";
        download_files(&direct(), &url, &LETTER_CONTENTS, dir.path(), &|_| ()).unwrap();
        assert!(is_complete(dir.path()));
        assert!(!dir.path().join(format!("{}.gz", FILES[1])).exists());
    }

    #[test]
    fn a_failed_download_keeps_the_files_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let url = serve(vec![ok(&gzip(&LETTERS)), ok(b"junk")]);
        let error = download_files(&direct(), &url, &LETTER_CONTENTS, dir.path(), &|_| ()).unwrap_err();
        assert!(error.to_string().contains(&format!("{url}/{}.gz", FILES[1])), "{error}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn without_leave_or_a_place_nothing_is_downloaded() {
        let never = OpenOptions { download: false, ..OpenOptions::default() };
        assert_eq!(obtain(&never, Some("/cache".into()), &|_| ()), Err("downloads are turned off".into()));
        let homeless = obtain(&OpenOptions::default(), None, &|_| ());
        assert_eq!(homeless, Err("there is no home folder to keep it in".into()));
    }

    #[test]
    fn the_error_names_every_place_and_the_package() {
        let looked = places(Some(Path::new("/mine")), Some(Path::new("/cache")));
        let error = DataError::FashionMnistMissing { looked, cause: "no network".into() }.to_string();
        for part in [
            "/mine\n",
            "/mine/fashion-mnist\n",
            "/mine/FashionMNIST/raw\n",
            "/cache\n",
            "/usr/share/datasets/fashion-mnist\n",
            "no network",
            "dataset-fashion-mnist",
            "sample",
        ] {
            assert!(error.contains(part), "expected ‘{part}’ in: {error}");
        }
    }
}
