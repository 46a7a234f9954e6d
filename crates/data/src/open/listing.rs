//! Labelled images as any form of data lists them, and the checks that all of them go through.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_images::Depth;

use super::check::{Suspicious, check};
use super::checked::Checked;
use super::image_folder::beyond_torchvision;
use super::remark::Remark;
use super::split_name::Part;
use super::{Need, OpenOptions, Progress, Splits};
use crate::error::DataError;
use crate::loader::{Dataset, Images, Pack, PixelHashes, is_deep};

/// Images, each with its label.
pub(crate) type Files = Vec<(PathBuf, u32)>;

/// What is listed, before any image has been looked at.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// What it is called.
    pub name: String,
    /// What the classes lie in: a folder of folders or a table.
    pub root: PathBuf,
    /// The classes of the training part.
    pub classes: Vec<String>,
    pub train: Files,
    pub val: Option<Files>,
    pub test: Option<Files>,
    /// Where the bytes of images are that are no files of their own.
    pub pack: Option<Pack>,
    /// What was left out already.
    pub skipped: Vec<Suspicious>,
    pub remarks: Vec<Remark>,
}

impl Listing {
    /// Decode everything once, and refuse what cannot be learnt from.
    pub fn open(self, options: &OpenOptions, progress: &dyn Fn(Progress)) -> Result<Splits, DataError> {
        let Self { name, root, classes, mut train, mut val, mut test, pack, mut skipped, mut remarks } = self;
        let need = options.need;
        if let (true, [class]) = (need.training(), &classes[..]) {
            return Err(DataError::OneClass { path: root, class: class.clone() });
        }
        remarks.extend(capitals_only(&classes));
        let all: Vec<&(PathBuf, u32)> =
            [Some(&train), val.as_ref(), test.as_ref()].into_iter().flatten().flatten().collect();
        remarks.extend(beyond_torchvision(&all));
        let mut parts = [Some(&mut train), val.as_mut(), test.as_mut()];
        let mut hashes = PixelHashes::default();
        if need != Need::Images {
            let (bad, found) = checked(&mut parts, pack.as_ref(), options, progress)?;
            skipped.extend(bad);
            hashes = found;
        }
        remarks.extend(deep_grey(&hashes).filter(|_| options.depth == Depth::Clip));
        let (pack, hashes) = (pack.map(Arc::new), Arc::new(hashes));
        let dataset =
            |files| dataset(&classes, files, pack.as_ref()).map(|data| data.with_hashes(Arc::clone(&hashes)));
        let train = dataset(train)?;
        if need.training()
            && let Some(class) = train.class_counts().iter().position(|&count| count == 0)
        {
            return Err(DataError::EmptyClasses(vec![(root.join(&classes[class]), String::new())]));
        }
        let (val, test) = (val.map(dataset).transpose()?, test.map(dataset).transpose()?);
        Ok(Splits { name, train, val, test, skipped, remarks })
    }
}

/// What is to be done about a part that cannot be used: an error where it is needed, else a remark.
pub(crate) fn usable(
    part: Part,
    files: Result<Option<Files>, DataError>,
    need: Need,
    remarks: &mut Vec<Remark>,
) -> Result<Option<Files>, DataError> {
    let is_needed = match part {
        Part::Train => true,
        // Whoever trains and validates on the test part leaves a validation part alone.
        Part::Val => need == Need::Training,
        Part::Test => need.test(),
    };
    match files {
        Ok(files) => Ok(files.filter(|files| !files.is_empty())),
        Err(problem) if is_needed => Err(problem),
        Err(problem) => {
            remarks.push(Remark::PartUnused { part, problem: problem.to_string() });
            Ok(None)
        }
    }
}

/// Decode everything once. Bad files are an error where they are needed, or else leave the parts and are returned.
fn checked(
    parts: &mut [Option<&mut Files>; 3],
    pack: Option<&Pack>,
    options: &OpenOptions,
    progress: &dyn Fn(Progress),
) -> Result<(Vec<Suspicious>, PixelHashes), DataError> {
    let files = parts.iter().flatten().map(|files| files.len()).sum();
    progress(Progress::Checking { done: 0, files });
    let all = parts.iter().flatten().flat_map(|files| files.iter());
    let known = Checked::open(options.checked.as_deref());
    let (bad, hashes) = check(all, pack, &known, &mut |done| progress(Progress::Checking { done, files }));
    known.save();
    // Training does not need the test part.
    let needed = if options.need == Need::Training { &parts[..2] } else { &parts[..] };
    let needed: HashSet<&Path> =
        needed.iter().flatten().flat_map(|files| files.iter()).map(|(path, _)| path.as_path()).collect();
    if !options.skip_bad && bad.iter().any(|bad| needed.contains(bad.path.as_path())) {
        return Err(DataError::BadFiles(bad));
    }
    for files in parts.iter_mut().flatten() {
        files.retain(|(path, _)| hashes.contains_key(path));
    }
    Ok((bad, hashes))
}

fn dataset(classes: &[String], files: Files, pack: Option<&Arc<Pack>>) -> Result<Dataset, DataError> {
    let (paths, labels): (Vec<_>, Vec<_>) = files.into_iter().unzip();
    let names = Arc::new(paths);
    let images = match pack {
        Some(pack) => Images::Packed { names, pack: Arc::clone(pack) },
        None => Images::Files(names),
    };
    Dataset::new(classes.into(), labels, images)
}

/// Images whose grey levels do not fit a byte.
fn deep_grey(hashes: &PixelHashes) -> Option<Remark> {
    let deep: Vec<&PathBuf> = hashes.iter().filter(|(_, hash)| is_deep(hash)).map(|(path, _)| path).collect();
    let example = (*deep.iter().min()?).clone();
    Some(Remark::DeepGrey { count: deep.len(), example })
}

/// Classes that some file systems would not tell apart.
fn capitals_only(classes: &[String]) -> Vec<Remark> {
    let mut seen: Vec<(String, &String)> =
        classes.iter().map(|class| (class.to_lowercase(), class)).collect();
    seen.sort();
    let twins = seen.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    twins.map(|pair| Remark::CapitalsOnly { one: pair[0].1.clone(), other: pair[1].1.clone() }).collect()
}
