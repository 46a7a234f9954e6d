//! WebDataset: tar files ("shards") in which the files of a sample share their name up to its first dot
//! (<https://github.com/webdataset/webdataset>). Shards are not unpacked: of each image only its place is kept.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use wellfit_base::Shown;
use wellfit_base::file;
use wellfit_images::EXTENSIONS;

use super::listing::Listing;
use super::multi_label::several;
use super::rows::{Row, Rows};
use super::{OpenOptions, shards};
use crate::error::DataError;
use crate::loader::{Pack, Place};

/// The ends of the names of shards.
const ENDINGS: [&str; 1] = ["tar"];
/// The most bytes of a label's file.
const MOST_LABEL: u64 = 1 << 20;
/// Every whole tar file ends with two blocks of zeros; without them, one that was cut between two files looks whole.
const END: u64 = 1024;
/// Names of labels in a JSON file.
const KEYS: [&str; 11] = [
    "label",
    "class",
    "category",
    "cls",
    "class_name",
    "target",
    "species",
    "label_name",
    "labels",
    "classes",
    "categories",
];

/// Whether `path` is a shard, a pattern of shards, or a folder that holds some.
pub(crate) fn is(path: &Path) -> bool {
    !shards::files(path, &ENDINGS).is_empty()
}

/// The images of all shards.
pub(crate) fn list(path: &Path, options: &OpenOptions) -> Result<Listing, DataError> {
    let mut rows = Rows::new(super::name(path), path);
    let mut pack = Pack::default();
    for shard in shards::files(path, &ENDINGS) {
        read(&shard, path, options, &mut rows, &mut pack)?;
    }
    rows.pack = Some(pack);
    rows.list(options)
}

/// The files of one sample.
#[derive(Default)]
struct Sample {
    image: Option<(PathBuf, u64, u64)>,
    /// The label, and how much its file's kind is worth: a smaller number wins.
    label: Option<(usize, String)>,
}

fn problem(shard: &Path, problem: String) -> DataError {
    DataError::Layout { path: shard.to_path_buf(), problem }
}

fn read(
    shard: &Path,
    root: &Path,
    options: &OpenOptions,
    rows: &mut Rows,
    pack: &mut Pack,
) -> Result<(), DataError> {
    let length = file::length(shard).map_err(DataError::io(shard))?;
    let end =
        file::read_range(shard, length.saturating_sub(END), END.min(length)).map_err(DataError::io(shard))?;
    if (end.len() as u64) < END || end.iter().any(|&byte| byte != 0) {
        return Err(problem(
            shard,
            "its end is missing: it was cut short, copy or download it again".to_owned(),
        ));
    }
    let mut archive = tar::Archive::new(file::open(shard).map_err(DataError::io(shard))?);
    let damaged = |error: std::io::Error| problem(shard, format!("it is no whole tar file: {error}"));
    let mut samples: Vec<(String, Sample)> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(damaged)?.into_owned();
        let (offset, size) = (entry.raw_file_position(), entry.size());
        if offset.saturating_add(size) > length {
            return Err(problem(
                shard,
                format!("it ends within {}: copy or download it again", name.shown()),
            ));
        }
        let Some((key, ending)) = key(&name) else { continue };
        let number = *place.entry(key.clone()).or_insert(samples.len());
        if number == samples.len() {
            samples.push((key, Sample::default()));
        }
        let Some((key, sample)) = samples.get_mut(number) else { continue };
        let kind = ending.rsplit('.').next().unwrap_or_default();
        if EXTENSIONS.contains(&kind) {
            if let Some((other, ..)) = sample.image.replace((name.clone(), offset, size)) {
                return Err(problem(
                    shard,
                    format!(
                        "sample ‘{key}’ has several images ({} and {}), where each sample must have one",
                        other.shown(),
                        name.shown()
                    ),
                ));
            }
        } else if let Some(worth) = worth(&ending).filter(|_| options.need.labels()) {
            let mut bytes = Vec::new();
            entry.by_ref().take(MOST_LABEL).read_to_end(&mut bytes).map_err(damaged)?;
            let label =
                label(kind, &bytes).map_err(|what| problem(shard, format!("{}: {what}", name.shown())))?;
            if let Some(label) =
                label.filter(|_| sample.label.as_ref().is_none_or(|(known, _)| worth < *known))
            {
                sample.label = Some((worth, label));
            }
        }
    }
    let part = shards::part(shard, root);
    let file: Arc<Path> = shard.into();
    for (_, sample) in samples {
        let Some((name, offset, length)) = sample.image else { continue };
        let path = shard.join(name);
        let place = Place::File { file: Arc::clone(&file), offset, length };
        if !pack.add(path.clone(), place) {
            return Err(problem(shard, format!("{} is in it twice", path.shown())));
        }
        let label = sample.label.map(|(_, label)| label).unwrap_or_default();
        rows.rows.push(Row { path, label, part, at: (shard.to_path_buf(), 0) });
    }
    Ok(())
}

/// The key of a sample, its folder included, and the rest of the name in lower case.
fn key(name: &Path) -> Option<(String, String)> {
    let own = name.file_name()?.to_string_lossy();
    let (stem, ending) = own.split_once('.').filter(|(stem, _)| !stem.is_empty())?;
    let folder = name.parent().unwrap_or(Path::new(""));
    Some((folder.join(stem).to_string_lossy().into_owned(), ending.to_lowercase()))
}

/// How sure a file of this ending holds the label; none if it does not.
fn worth(ending: &str) -> Option<usize> {
    ["cls", "label", "label.txt", "cls.txt", "class", "cls.json", "label.json", "txt", "json"]
        .iter()
        .position(|known| *known == ending)
}

/// The label in a file.
fn label(kind: &str, bytes: &[u8]) -> Result<Option<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?.trim();
    if kind != "json" {
        return Ok(Some(text.to_owned()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let value = match &value {
        Value::Object(object) => KEYS.iter().find_map(|key| object.get(*key)),
        other => Some(other),
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Value::Array(_)) => Err(several("its label is a list")),
        Some(Value::Object(_)) => Err("its label is an object, where a name or a number belongs".to_owned()),
        Some(other) => Ok(Some(other.to_string())),
    }
}
