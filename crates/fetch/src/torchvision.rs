//! torchvision's files: their names say what is in them.

use crate::content::{Content, digits_in_name};
use crate::error::FetchError;
use crate::event::Watch;
use crate::store::{Found, Place, Store, Wanted};
use std::path::PathBuf;
use wellfit_base::Shown;

impl Store {
    /// The address of a file of torchvision's, such as `resnet18-f37072fd.pth`.
    #[must_use]
    pub fn torchvision_url(&self, file: &str) -> String {
        format!("{}/{file}", self.settings.torchvision_url)
    }

    /// A file of torchvision's, if it is on this machine and right.
    pub fn find_torchvision(&self, file: &str, watch: &mut Watch<'_>) -> Option<Found> {
        let content = content(file).ok()?;
        let places = [(&self.settings.cache, Place::Wellfit), (&self.settings.torch, Place::Torch)];
        let places =
            places.into_iter().filter_map(|(folder, place)| Some((folder.as_ref()?.join(file), place)));
        let mut found = places.map(|(path, place)| Found { path, place });
        found.find(|found| self.look(&found.path, Some(&content), watch))
    }

    /// A file of torchvision's: from a cache, else downloaded.
    ///
    /// # Errors
    /// If it is in no cache, and cannot be downloaded or must not be.
    pub fn torchvision(&self, file: &str, watch: &mut Watch<'_>) -> Result<Found, FetchError> {
        let content = content(file)?;
        if let Some(found) = self.find_torchvision(file, watch) {
            return Ok(found);
        }
        let (url, advice) = (self.torchvision_url(file), self.torchvision_advice(file));
        if let Some(why) = &self.settings.offline {
            let advice = format!("Where there is a network, download {url}. {advice}");
            return Err(FetchError::Offline { what: file.to_owned(), why: why.clone(), advice });
        }
        let target = self.cache(&advice)?.join(file);
        self.bring(&Wanted { target: &target, url: &url, content: &content, advice: &advice }, watch)
    }

    fn torchvision_advice(&self, file: &str) -> String {
        let folders = [&self.settings.cache, &self.settings.torch].into_iter().flatten();
        let folders: Vec<String> = folders.map(|folder| folder.shown().to_string()).collect();
        format!(
            "Put {file} into {}; or give the path of a file of weights in its place; or name a mirror that has it in \
             WELLFIT_WEIGHTS_URL",
            folders.join(" or ")
        )
    }

    /// The files of torchvision's in Wellfit's cache and torch's that `files` names, whether right or not.
    #[must_use]
    pub fn torchvision_paths(&self, file: &str) -> Vec<PathBuf> {
        let folders = [&self.settings.cache, &self.settings.torch].into_iter().flatten();
        folders.map(|folder| folder.join(file)).filter(|path| path.is_file()).collect()
    }
}

fn content(file: &str) -> Result<Content, FetchError> {
    let digits = digits_in_name(file).filter(|_| !file.contains(['/', '\\']));
    let digits = digits.ok_or_else(|| {
        FetchError::Name(format!("‘{file}’ does not end in 8 digits of a SHA-256, as torchvision's files do"))
    })?;
    Ok(Content::Sha256 { digits, length: None })
}
