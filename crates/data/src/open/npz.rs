//! NumPy's `.npz`: arrays of images and labels, by the names that Keras (`x_train`, `y_train`, …), MedMNIST
//! (`train_images`, …) and people (`images`, `labels`) give them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use wellfit_base::file;
use wellfit_base::shown::shown;

use super::entry::extension;
use super::multi_label::{first_with_several, several};
use super::npy::Npy;
use super::rows::in_order;
use super::split_name::{Part, recognise};
use super::{Need, OpenOptions, Progress, Splits, UNLABELLED};
use crate::error::DataError;
use crate::loader::{Dataset, Images};

/// The most bytes of an array: 8 GiB.
const MOST: u64 = 8 << 30;

/// What an array is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Images,
    Labels,
    Names,
}

/// Whether `path` is such a file, by its name.
pub(crate) fn is(path: &Path) -> bool {
    path.is_file() && extension(path) == "npz"
}

/// All parts of it.
pub(crate) fn open(path: &Path, options: &OpenOptions, _: &dyn Fn(Progress)) -> Result<Splits, DataError> {
    read(path, options).map_err(|error| match error {
        Error::Problem(problem) => DataError::Layout { path: path.to_path_buf(), problem },
        Error::Data(error) => error,
    })
}

enum Error {
    Problem(String),
    Data(DataError),
}

impl From<String> for Error {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::Data(error)
    }
}

type Archive = zip::ZipArchive<std::fs::File>;

fn read(path: &Path, options: &OpenOptions) -> Result<Splits, Error> {
    let opened = file::open(path).map_err(DataError::io(path))?;
    let mut archive =
        zip::ZipArchive::new(opened).map_err(|error| format!("it is no whole npz file: {error}"))?;
    let entries = archive.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<_, _>>();
    let entries: Vec<String> = entries.map_err(|error| format!("it is no whole npz file: {error}"))?;
    let found = roles(&entries)?;
    let names = found.get(&(None, Role::Names)).map(|entry| names(&mut archive, entry)).transpose()?;
    let mut parts: BTreeMap<Part, Raw> = BTreeMap::new();
    for part in [None, Some(Part::Train), Some(Part::Val), Some(Part::Test)] {
        let of = |role| found.get(&(part, role));
        match (of(Role::Images), of(Role::Labels)) {
            (None, None) => {}
            (Some(images), _) if !options.need.labels() => {
                let raw = Raw::unlabelled(&mut archive, images)?;
                if parts.insert(part.unwrap_or(Part::Train), raw).is_some() {
                    return Err(seen(&entries, "it has images twice").into());
                }
            }
            (None, Some(_)) if !options.need.labels() => {}
            (Some(images), Some(labels)) => {
                let raw = Raw::read(&mut archive, images, labels)?;
                if parts.insert(part.unwrap_or(Part::Train), raw).is_some() {
                    return Err(seen(&entries, "it has arrays for training twice").into());
                }
            }
            // Labels of a test part are often kept back.
            (Some(_), None) if part == Some(Part::Test) && !options.need.test() => {}
            (one, other) => {
                let name = one.or(other).map_or("", String::as_str);
                return Err(seen(
                    &entries,
                    &format!(
                        "‘{name}’ has no array of {} beside it",
                        if one.is_some() { "labels" } else { "images" }
                    ),
                )
                .into());
            }
        }
    }
    // Whoever trains needs a part to train on; others take the first there is.
    let first = parts.first_key_value().map(|(part, _)| *part);
    let first = first.filter(|_| !options.need.training()).unwrap_or(Part::Train);
    let Some(train) = parts.remove(&first) else {
        return Err(seen(&entries, "no arrays hold images and labels to train on").into());
    };
    let classes = if options.need.labels() {
        let later = parts.values().filter(|_| options.need == Need::Test).flat_map(|raw| &raw.labels);
        classes(train.labels.iter().chain(later), names)?
    } else {
        vec![UNLABELLED.to_owned()]
    };
    if let (true, [class]) = (options.need.training(), &classes[..]) {
        return Err(DataError::OneClass { path: path.into(), class: class.clone() }.into());
    }
    let mut dataset = |raw: Raw| raw.dataset(&classes);
    let train = dataset(train)?;
    let val = parts.remove(&Part::Val).map(&mut dataset).transpose()?;
    let test = parts.remove(&Part::Test).map(&mut dataset).transpose()?;
    Ok(Splits { val, ..Splits::without_files(super::name(path), train, test) })
}

fn seen(entries: &[String], problem: &str) -> String {
    let names: Vec<&str> = entries.iter().map(|name| name.trim_end_matches(".npy")).collect();
    format!("{problem}: it holds {}. Call them x_train, y_train, x_test and y_test", names.join(", "))
}

/// Which array is for what, by its name.
fn roles(entries: &[String]) -> Result<HashMap<(Option<Part>, Role), String>, String> {
    let mut found = HashMap::new();
    for entry in entries {
        let name = entry.trim_end_matches(".npy");
        let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        let role = match name {
            "arr_0" => Some(Role::Images),
            "arr_1" => Some(Role::Labels),
            _ if has(&["names", "classes"]) => Some(Role::Names),
            _ if has(&["y", "label", "labels", "target", "targets", "ytrain", "ytest"]) => Some(Role::Labels),
            _ if has(&["x", "image", "images", "img", "imgs", "data", "pixels", "xtrain", "xtest"]) => {
                Some(Role::Images)
            }
            _ => None,
        };
        let part = match () {
            () if has(&["xtrain", "ytrain"]) => Some(Part::Train),
            () if has(&["xtest", "ytest"]) => Some(Part::Test),
            () => recognise(name).map(|name| name.part),
        };
        let Some(role) = role else { continue };
        if let Some(other) = found.insert((part, role), entry.clone()) {
            return Err(seen(entries, &format!("‘{other}’ and ‘{entry}’ may be the same part")));
        }
    }
    Ok(found)
}

/// The bytes of an array's file.
fn bytes(archive: &mut Archive, entry: &str) -> Result<Vec<u8>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("{entry}: {error}");
    let mut file = archive.by_name(entry).map_err(|error| damaged(&error))?;
    let size = file.size();
    if size > MOST {
        return Err(format!("{entry} has {size} bytes; at most {MOST} are allowed"));
    }
    // What is promised is not trusted with memory; a packed array grows as it comes.
    let mut bytes = Vec::new();
    file.by_ref().take(size + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    Ok(bytes)
}

fn names(archive: &mut Archive, entry: &str) -> Result<Vec<String>, String> {
    let bytes = bytes(archive, entry)?;
    Npy::parse(&bytes).and_then(|array| array.texts()).map_err(|problem| format!("{entry}: {problem}"))
}

/// Numbers in their order, or the names that the file has for them.
fn classes<'a>(
    labels: impl Iterator<Item = &'a String>,
    names: Option<Vec<String>>,
) -> Result<Vec<String>, String> {
    let found = in_order(labels.map(String::as_str));
    match names {
        None => Ok(found),
        Some(names) if found.iter().all(|label| names.contains(label)) => Ok(names),
        Some(_) => Err("its labels are not in its array of names".to_owned()),
    }
}

/// A part as it is stored.
struct Raw {
    height: usize,
    width: usize,
    channels: usize,
    pixels: Vec<u8>,
    labels: Vec<String>,
    /// Where the labels come from.
    entry: String,
}

impl Raw {
    /// Images alone.
    fn unlabelled(archive: &mut Archive, images: &str) -> Result<Self, String> {
        let of = |problem: String| format!("{images}: {problem}");
        let file = bytes(archive, images)?;
        let array = Npy::parse(&file).map_err(of)?;
        let (count, height, width, channels) = size(&array).map_err(of)?;
        let pixels = if channels == 4 {
            array.bytes().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
        } else {
            array.bytes()
        };
        let labels = vec![UNLABELLED.to_owned(); count];
        Ok(Self { height, width, channels: channels.min(3), pixels, labels, entry: images.to_owned() })
    }

    fn read(archive: &mut Archive, images: &str, labels: &str) -> Result<Self, String> {
        let of = |entry: &str, problem: String| format!("{entry}: {problem}");
        let raw = Self::unlabelled(archive, images)?;
        let count = raw.labels.len();
        let file = bytes(archive, labels)?;
        let array = Npy::parse(&file).map_err(|problem| of(labels, problem))?;
        one_label(&array).map_err(|problem| of(labels, problem))?;
        let found = array.texts().map_err(|problem| of(labels, problem))?;
        let cells: Vec<&str> = found.iter().map(String::as_str).collect();
        if let Some(place) = first_with_several(&cells) {
            return Err(of(labels, several(&format!("label {place} is ‘{}’", found[place]))));
        }
        if found.len() != count {
            return Err(of(labels, format!("{} labels for {count} images", found.len())));
        }
        Ok(Self { labels: found, entry: labels.to_owned(), ..raw })
    }

    fn dataset(self, classes: &[String]) -> Result<Dataset, Error> {
        let number: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let label = |label: &String| {
            number.get(label.as_str()).copied().ok_or_else(|| {
                format!(
                    "{}: label {} is no class of the training part: {}",
                    shown(&self.entry),
                    shown(label),
                    shown(&classes.join(", "))
                )
            })
        };
        let labels = self.labels.iter().map(label).collect::<Result<Vec<u32>, _>>()?;
        let Self { height, width, channels, pixels, .. } = self;
        let images = Images::Memory { height, width, channels, pixels: Arc::new(pixels) };
        Ok(Dataset::new(classes.to_vec(), labels, images)?)
    }
}

/// Number, height, width and channels of an array of images.
fn size(array: &Npy<'_>) -> Result<(usize, usize, usize, usize), String> {
    if array.dtype.get(1..) != Some("u1") {
        return Err(format!("pixels of type {}: save them as uint8, from 0 to 255", array.dtype));
    }
    let found = match array.shape[..] {
        [n, h, w] => Some((n, h, w, 1)),
        [n, h, w, c @ (1 | 3 | 4)] => Some((n, h, w, c)),
        [_, 1 | 3, _, _] => {
            let advice = "its channels come first: save x.transpose(0, 2, 3, 1)";
            return Err(format!("shape {:?}: {advice}", array.shape));
        }
        _ => None,
    };
    found.filter(|(n, h, w, _)| n * h * w > 0).ok_or_else(|| {
        format!("shape {:?} is not [images, height, width] or [images, height, width, channels]", array.shape)
    })
}

/// Labels are one for each image: a list, or a column.
fn one_label(array: &Npy<'_>) -> Result<(), String> {
    match array.shape[..] {
        [_] | [_, 1] => Ok(()),
        [_, classes] => {
            let ones =
                array.texts()?.chunks(classes).any(|row| row.iter().filter(|flag| *flag != "0").count() > 1);
            Err(if ones {
                several(&format!("shape {:?}, with several labels in a row", array.shape))
            } else {
                format!("shape {:?}, a column a class: save y.argmax(1)", array.shape)
            })
        }
        _ => Err(format!("shape {:?}, where each image has one label", array.shape)),
    }
}
