//! What must be true of a file before it gets its name in the cache.

use std::path::Path;
use wellfit_base::file;
use wellfit_base::hash::sha256_file;

/// The length of the number in front of a safetensors file's header.
const PREFIX: u64 = 8;
/// The most bytes of a header, as in the `safetensors` crate.
const MOST_HEADER: u64 = 100_000_000;
/// The most bytes of a `config.json`: the names of many thousand classes.
pub(crate) const MOST_CONFIG: u64 = 16 << 20;

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The first digits of its SHA-256, or all 64; and its length, where it is known.
    Sha256 { digits: String, length: Option<u64> },
    /// Nothing is known but that it is a safetensors file: header and data must have the length that it says.
    Safetensors,
    /// A JSON object.
    Json,
}

impl Content {
    /// Whether a wrong byte anywhere would be found, so that parts may come from several answers.
    pub(crate) const fn is_sure(&self) -> bool {
        matches!(self, Self::Sha256 { .. })
    }

    /// The length, where it is known.
    pub(crate) const fn length(&self) -> Option<u64> {
        match self {
            Self::Sha256 { length, .. } => *length,
            Self::Safetensors | Self::Json => None,
        }
    }

    /// The most bytes it can have.
    pub(crate) fn most(&self, largest: u64) -> u64 {
        match self {
            Self::Json => MOST_CONFIG,
            _ => self.length().unwrap_or(largest),
        }
    }

    /// The SHA-256 of the file, if it is right.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, path: &Path) -> Result<String, String> {
        let found = sha256_file(path).map_err(|error| error.to_string())?;
        match self {
            Self::Sha256 { digits, .. } if found.starts_with(digits.as_str()) => {}
            Self::Sha256 { digits, .. } => {
                return Err(format!("its SHA-256 is {}…, not {digits}", &found[..digits.len().min(16)]));
            }
            Self::Safetensors => safetensors(path)?,
            Self::Json => json(path)?,
        }
        Ok(found)
    }
}

/// The digits at the end of a file name of torchvision's, `resnet18-f37072fd.pth`.
pub(crate) fn digits_in_name(file: &str) -> Option<String> {
    let digits = file.split_once('.')?.0.rsplit_once('-')?.1;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    (digits.len() >= 8 && hexadecimal).then(|| digits.to_owned())
}

fn json(path: &Path) -> Result<(), String> {
    let text = file::read(path, MOST_CONFIG).map_err(|error| error.to_string())?;
    let value: Result<serde_json::Value, _> = serde_json::from_slice(&text);
    if value.is_ok_and(|value| value.is_object()) { Ok(()) } else { Err("it is no JSON object".to_owned()) }
}

/// Its layout: 8 bytes with the length of the header, the header as JSON with the places of the tensors, the data.
fn safetensors(path: &Path) -> Result<(), String> {
    let none = || "it is no whole safetensors file".to_owned();
    let bytes = file::read_whole(path).map_err(|error| error.to_string())?;
    let (prefix, rest) = bytes.split_first_chunk().ok_or_else(none)?;
    let header = u64::from_le_bytes(*prefix);
    let length = usize::try_from(header).ok().filter(|_| header <= MOST_HEADER).ok_or_else(none)?;
    let text = rest.get(..length).ok_or_else(none)?;
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| none())?;
    let tensors = value.as_object().ok_or_else(none)?;
    let ends = tensors.values().filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    let end = ends.max().ok_or_else(none)?;
    let whole = end.checked_add(header).and_then(|sum| sum.checked_add(PREFIX)) == Some(bytes.len() as u64);
    if whole { Ok(()) } else { Err(none()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_before_the_extension() {
        assert_eq!(digits_in_name("resnet18-f37072fd.pth").as_deref(), Some("f37072fd"));
        assert_eq!(digits_in_name("efficientnet_b0_rwightman-7f5810bc.pth").as_deref(), Some("7f5810bc"));
        for name in ["resnet18.pth", "a-b.pth", "a-f37072f.pth", "a-F37072FD.pth", "f37072fd"] {
            assert_eq!(digits_in_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_is_what_its_kind_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let check = |content: &Content, bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            content.check(&path)
        };
        let abc = Content::Sha256 { digits: "ba7816bf".to_owned(), length: None };
        assert!(check(&abc, b"abc").unwrap().starts_with("ba7816bf8f01"));
        assert!(check(&abc, b"abd").unwrap_err().contains("not ba7816bf"));
        assert!(check(&Content::Json, b"{}").is_ok());
        for bad in [&b"[]"[..], b"", b"<html>", b"{"] {
            assert!(check(&Content::Json, bad).is_err());
        }
        let header = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let whole = [&(header.len() as u64).to_le_bytes(), &header[..], &[0; 4]].concat();
        assert!(check(&Content::Safetensors, &whole).is_ok());
        for bad in [
            &whole[..whole.len() - 1],
            &whole[..20],
            &whole[..7],
            &[whole.clone(), vec![0]].concat(),
            &[255; 90],
        ] {
            assert!(check(&Content::Safetensors, bad).is_err());
        }
    }
}
