//! What a checkpoint's directory holds, and the reading of it with every byte checked.

use crate::error::{At, RecordError, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use wellfit_base::dir::Kind;
use wellfit_base::hash::sha256;
use wellfit_base::{Dir, hash, number, time};

/// The manifest's file in a checkpoint.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The manifest's own checksum, as `sha256sum` writes it, so `sha256sum -c manifest.sha256` works.
pub(crate) const CHECKSUM: &str = "manifest.sha256";
const FORMAT: u32 = 1;
/// No manifest comes near this; a larger one is damage and not worth the memory.
pub(crate) const MANIFEST_LIMIT: u64 = 1 << 20;

/// Where in the run a checkpoint was taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// Epochs done.
    pub epoch: u32,
    /// Steps done.
    pub step: u64,
    /// Metrics at that point by name, such as `val_loss`.
    #[serde(with = "number::map")]
    pub metrics: BTreeMap<String, f64>,
}

/// The content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this layout.
    pub format: u32,
    /// The id of its run; none where that is of a version without ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The checkpoint's name, such as `best`.
    pub name: String,
    /// Where in the run it was taken.
    pub info: CheckpointInfo,
    /// When, RFC 3339 in UTC.
    pub created: String,
    /// Its files.
    pub files: Vec<FileEntry>,
    /// Files of the run's directory that were written just before it: whoever goes on from it has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<FileEntry>,
}

/// One file of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the checkpoint's directory.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its directory.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// SHA-256 of `manifest.json`: the checkpoint's identity.
    pub sha256: String,
}

/// A checkpoint whose every byte is as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedCheckpoint {
    /// Where it came from.
    pub checkpoint: Checkpoint,
    /// Its files by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl FileEntry {
    /// A file of that name with this content.
    #[must_use]
    pub fn of(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), length: bytes.len() as u64, sha256: sha256(bytes) }
    }

    /// The file of that name in `dir`.
    pub(crate) fn of_file(dir: &Dir, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let file = dir.open_file(name).at("read", &path)?;
        let length = file.metadata().at("read", &path)?.len();
        Ok(Self { name: name.to_owned(), length, sha256: hash::sha256_of(file).at("read", &path)? })
    }

    /// Whether the file of that name in `dir` is as it was written.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] if it is missing, is no file, or has other content; as the system says.
    pub fn check(&self, dir: &Dir) -> Result<()> {
        let path = dir.join(&self.name);
        match dir.kind(&self.name).at("read", &path)? {
            None => return Err(RecordError::damaged(&path, "it is missing")),
            Some(Kind::File) => {}
            Some(_) => {
                return Err(RecordError::damaged(&path, "it is a link or a folder, where a file belongs"));
            }
        }
        let found = dir.length(&self.name).at("read", &path)?.unwrap_or_default();
        if found != self.length {
            let problem = format!("it has {found} bytes instead of {}", self.length);
            return Err(RecordError::damaged(&path, problem));
        }
        let file = dir.open_file(&self.name).at("read", &path)?;
        let same = hash::sha256_of(file).at("read", &path)? == self.sha256;
        if same { Ok(()) } else { Err(RecordError::damaged(&path, NOT_AS_SAVED)) }
    }
}

impl Checkpoint {
    /// The name of its directory, such as `0007-last`.
    #[must_use]
    pub fn name(&self) -> String {
        crate::summary::name_of(&self.path)
    }
}

impl Manifest {
    pub(crate) fn new(run: Option<&str>, name: &str, files: Vec<FileEntry>, info: CheckpointInfo) -> Self {
        let (run, name, created) = (run.map(str::to_owned), name.to_owned(), time::now());
        Self { format: FORMAT, run, name, info, created, files, beside: Vec::new() }
    }
}

/// What is said of content with another checksum than it was written with.
const NOT_AS_SAVED: &str = "its content is not what was saved (SHA-256 differs)";

/// Reads the checkpoint in the directory `path` and checks lengths and checksums.
///
/// # Errors
/// [`RecordError::Damaged`] names the file that is not as it was written; [`RecordError::Newer`] if a
/// later version wrote the checkpoint; [`RecordError::Io`] if a file is missing or unreadable.
pub fn read_checkpoint(path: &Path) -> Result<LoadedCheckpoint> {
    read_checkpoint_in(&Dir::open(path).at("open", path)?)
}

/// The same of a directory that is open.
pub(crate) fn read_checkpoint_in(dir: &Dir) -> Result<LoadedCheckpoint> {
    let checkpoint = read_manifest(dir)?;
    let mut files = BTreeMap::new();
    for entry in &checkpoint.manifest.files {
        let bytes = read_exactly(dir, &entry.name, entry.length)?;
        if sha256(&bytes) != entry.sha256 {
            return Err(RecordError::damaged(&dir.join(&entry.name), NOT_AS_SAVED));
        }
        files.insert(entry.name.clone(), bytes);
    }
    Ok(LoadedCheckpoint { checkpoint, files })
}

/// Whether a directory looks like a checkpoint's, which says nothing of its soundness.
#[must_use]
pub fn is_checkpoint(dir: &Path) -> bool {
    Dir::open(dir).and_then(|dir| dir.is_file(MANIFEST)).unwrap_or(false)
}

/// Reads what a checkpoint's manifest says, and checks the manifest's own checksum only.
pub(crate) fn read_manifest(dir: &Dir) -> Result<Checkpoint> {
    let path = dir.join(MANIFEST);
    let bytes = read_file(dir, MANIFEST, MANIFEST_LIMIT)?;
    let sha256 = sha256(&bytes);
    let expected = checksum_line(&sha256);
    if read_exactly(dir, CHECKSUM, expected.len() as u64)? != expected.as_bytes() {
        return Err(RecordError::damaged(&path, "it does not match its checksum in manifest.sha256"));
    }
    let manifest = parse(&path, &bytes)?;
    Ok(Checkpoint { path: dir.path().into(), manifest, sha256 })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Manifest> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let bad = |error: serde_json::Error| RecordError::damaged(path, error.to_string());
    let found = serde_json::from_slice::<Version>(bytes).map_err(bad)?.format;
    if found > FORMAT {
        return Err(RecordError::Newer { path: path.into(), found, supported: FORMAT });
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(bad)?;
    // Whoever made the manifest, reading it never leaves the checkpoint's directory.
    manifest.files.iter().try_for_each(|file| check_name(&file.name))?;
    Ok(manifest)
}

/// Reads a regular file of at most `most` bytes.
pub(crate) fn read_file(dir: &Dir, name: &str, most: u64) -> Result<Vec<u8>> {
    dir.read(name, most).map_err(|cause| match cause.kind() {
        // The system refused nothing: it is not such a file.
        ErrorKind::Other | ErrorKind::FileTooLarge => {
            RecordError::damaged(&dir.join(name), cause.to_string())
        }
        _ => RecordError::Io { action: "read", path: dir.join(name), cause },
    })
}

/// Reads a file that must have `length` bytes; the disk is asked before any memory is.
pub(crate) fn read_exactly(dir: &Dir, name: &str, length: u64) -> Result<Vec<u8>> {
    let path = dir.join(name);
    let wrong = |found: u64| RecordError::damaged(&path, format!("it has {found} bytes instead of {length}"));
    if let Some(found) = dir.length(name).at("read", &path)?.filter(|found| *found != length) {
        return Err(wrong(found));
    }
    let bytes = read_file(dir, name, length)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(wrong(bytes.len() as u64)) }
}

/// Names are plain on every file system and never hidden.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
    if good { Ok(()) } else { Err(RecordError::BadName(name.to_owned())) }
}

pub(crate) fn checksum_line(sha256: &str) -> String {
    format!("{sha256}  {MANIFEST}\n")
}
