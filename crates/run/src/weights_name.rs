//! Names of pretrained weights, which stand where a path of weights does.

use crate::embedded::is_embedded;
use crate::error::RunError;
use std::path::{Path, PathBuf};
use wellfit_fetch::{Name, Version};
use wellfit_models::{architecture, architectures};

/// The name that a path of weights is, if it is one.
///
/// # Errors
/// [`RunError::Unusable`] if it begins like one.
pub fn weights_name(path: &Path) -> Result<Option<Name>, RunError> {
    Ok(Name::parse(path)?)
}

/// Whether it begins like a name.
pub(crate) fn is_name(path: &Path) -> bool {
    !matches!(Name::parse(path), Ok(None))
}

/// A path of weights that means the same in any folder; a name and `embedded` stay as they are.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    if is_name(&path) || is_embedded(&path) { path } else { std::path::absolute(&path).unwrap_or(path) }
}

/// The name with its version or commit, where that is known without asking a server.
pub(crate) fn pinned(name: &Name, model: &str) -> Result<Name, RunError> {
    match name {
        Name::ImageNet(version) => Ok(Name::ImageNet(torchvision_file(Some(model), *version)?.1)),
        Name::Hub(_) => Ok(name.clone()),
    }
}

/// torchvision's file of an architecture's weights, and which version it is. The registry names the newest first: of
/// two files V2 and V1, of one V1.
///
/// # Errors
/// If there is none.
pub fn torchvision_file(model: Option<&str>, version: Version) -> Result<(String, Version), RunError> {
    let name = Name::ImageNet(version);
    let Some(model) = model else {
        return Err(RunError::Unusable(format!("`{name}` is for an architecture: name it with `model`")));
    };
    let files = architecture(model)?.weight_files;
    let (file, version) = match (version, files) {
        (Version::Best | Version::V2, [v2, _, ..]) => (v2, Version::V2),
        (Version::Best | Version::V1, [.., v1]) => (v1, Version::V1),
        _ => return Err(RunError::Unusable(none(model, &name, files))),
    };
    Ok((format!("{file}.pth"), version))
}

/// What to say where an architecture has no such weights.
fn none(model: &str, name: &Name, files: &[&str]) -> String {
    if !files.is_empty() {
        return format!("torchvision has no V2 weights for {model}: take `imagenet-v1`");
    }
    let others: Vec<&str> =
        architectures().filter(|other| !other.weight_files.is_empty()).map(|other| other.name).collect();
    format!("there are no weights `{name}` for {model}; there are for {}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_torchvision() {
        let file = |model, version| torchvision_file(Some(model), version).map_err(|error| error.to_string());
        assert_eq!(file("resnet50", Version::Best), Ok(("resnet50-11ad3fa6.pth".to_owned(), Version::V2)));
        assert_eq!(file("resnet50", Version::V1), Ok(("resnet50-0676ba61.pth".to_owned(), Version::V1)));
        assert_eq!(file("resnet18", Version::Best), Ok(("resnet18-f37072fd.pth".to_owned(), Version::V1)));
        assert!(
            file("resnet18", Version::V2)
                .unwrap_err()
                .contains("no V2 weights for resnet18: take `imagenet-v1`")
        );
        assert!(file("resnet20", Version::Best).unwrap_err().contains("there are for resnet18, resnet34"));
        assert!(torchvision_file(None, Version::Best).unwrap_err().to_string().contains("`model`"));
        for architecture in architectures().filter(|architecture| !architecture.weight_files.is_empty()) {
            assert!(architecture.weight_files.len() <= 2, "{}", architecture.name);
            assert!(
                file(architecture.name, Version::V1).is_ok()
                    && file(architecture.name, Version::Best).is_ok()
            );
        }
    }

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(absolute("imagenet".into()), PathBuf::from("imagenet"));
        assert_eq!(absolute("hf:a/b".into()), PathBuf::from("hf:a/b"));
        assert!(absolute("x.pth".into()).is_absolute());
    }
}
