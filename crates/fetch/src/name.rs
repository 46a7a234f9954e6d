//! What users write for pretrained weights.

use crate::error::FetchError;
use std::fmt;
use std::path::Path;

/// The prefix of a model on the Hugging Face hub.
const HUB: &str = "hf:";

/// Which of torchvision's weights, where there are two: V1 of the papers' recipes, V2 of its newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// V2 where it exists, else V1.
    Best,
    /// V1.
    V1,
    /// V2.
    V2,
}

/// A model on the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `ORG/NAME`, or the name alone of one of the hub's oldest.
    pub id: String,
    /// A branch, a tag, or a commit of 40 digits.
    pub revision: String,
}

/// The name of pretrained weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// torchvision's weights of ImageNet for the architecture at hand.
    ImageNet(Version),
    /// `hf:ORG/NAME` or `hf:ORG/NAME@REVISION`.
    Hub(Repository),
}

impl Name {
    /// The name in `text`, or `None` if it is the path of a file. `imagenet` is the name also where a file is called so;
    /// the file is `./imagenet`.
    ///
    /// # Errors
    /// [`FetchError::Name`] if it begins like a name and is none.
    pub fn parse(text: &Path) -> Result<Option<Self>, FetchError> {
        let Some(text) = text.to_str() else { return Ok(None) };
        Ok(Some(match text {
            "imagenet" => Self::ImageNet(Version::Best),
            "imagenet-v1" => Self::ImageNet(Version::V1),
            "imagenet-v2" => Self::ImageNet(Version::V2),
            _ => match text.strip_prefix(HUB) {
                Some(model) => Self::Hub(Repository::parse(model)?),
                None => return Ok(None),
            },
        }))
    }
}

impl Repository {
    fn parse(text: &str) -> Result<Self, FetchError> {
        let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
        let parts: Vec<&str> = id.split('/').collect();
        let good = (1..=2).contains(&parts.len())
            && parts.iter().all(|part| is_plain(part) && !part.contains("--"))
            && revision.split('/').all(is_plain);
        if good {
            return Ok(Self { id: id.to_owned(), revision: revision.to_owned() });
        }
        Err(FetchError::Name(format!(
            "‘{HUB}{text}’ names no model: write {HUB}ORG/NAME or {HUB}ORG/NAME@REVISION, such as \
             {HUB}timm/resnet50.a1_in1k"
        )))
    }

    /// Whether the revision is a commit, which never means anything else.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        is_commit(&self.revision)
    }
}

/// Letters, digits, `-`, `_` and `.`, but nothing that is a folder above: it becomes a part of paths and addresses.
fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Whether it is the full name of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

impl fmt::Display for Repository {
    /// As it is written, without a revision that is `main`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, revision } = self;
        if revision == "main" { write!(f, "{HUB}{id}") } else { write!(f, "{HUB}{id}@{revision}") }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImageNet(Version::Best) => f.write_str("imagenet"),
            Self::ImageNet(Version::V1) => f.write_str("imagenet-v1"),
            Self::ImageNet(Version::V2) => f.write_str("imagenet-v2"),
            Self::Hub(repository) => repository.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        let parse = |text: &str| Name::parse(Path::new(text));
        for text in
            ["imagenet", "imagenet-v1", "imagenet-v2", "hf:timm/resnet50.a1_in1k", "hf:gpt2", "hf:a/b@v1.0"]
        {
            assert_eq!(parse(text).unwrap().unwrap().to_string(), text);
        }
        assert_eq!(parse("hf:a/b@main").unwrap().unwrap().to_string(), "hf:a/b");
        for text in ["resnet.pth", "./imagenet", "imagenet.pth", "IMAGENET", ""] {
            assert_eq!(parse(text).unwrap(), None, "{text}");
        }
        for text in [
            "hf:",
            "hf:a/b/c",
            "hf:../x",
            "hf:a/..",
            "hf:a/b@",
            "hf:a/b@../../x",
            "hf:a b",
            "hf:a/b?x",
            "hf:/b",
        ] {
            let problem = parse(text).unwrap_err().to_string();
            assert!(problem.contains("hf:ORG/NAME@REVISION"), "{problem}");
        }
        let commit = format!("hf:a/b@{}", "0".repeat(40));
        let Some(Name::Hub(pinned)) = parse(&commit).unwrap() else { panic!() };
        assert!(pinned.is_pinned());
    }
}
