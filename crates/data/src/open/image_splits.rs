//! A folder of images with a training and maybe other parts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checked::Checked;
use super::image_folder::{self, ImageFolder, Suspicious};
use super::{OpenOptions, Progress};
use crate::error::DataError;
use crate::loader::{Dataset, Images};

/// Training, validation and test part, and the bad files left out.
pub(crate) type Parts = (Dataset, [Option<Dataset>; 2], Vec<Suspicious>);

type Files = Vec<(PathBuf, u32)>;

/// Open a folder with `train/` and its siblings, or else with the classes themselves.
pub(crate) fn open(
    dir: &Path,
    options: &OpenOptions,
    progress: &dyn Fn(Progress),
) -> Result<Parts, DataError> {
    let train_dir = dir.join("train");
    let (ImageFolder { classes, files: mut train }, mut others) = if has_folders(&train_dir) {
        let train = image_folder::scan(&train_dir)?;
        let others = [&["val", "valid", "validation"][..], &["test"]];
        let others = others.map(|names| names.iter().map(|name| dir.join(name)).find(|part| part.is_dir()));
        let [val, test] = others.map(|part| part.map(|part| scan_as(&part, &train.classes)).transpose());
        (train, [val?, test?])
    } else {
        (image_folder::scan(dir)?, [None, None])
    };
    let skipped = check(&mut train, &mut others, options, progress)?;
    let dataset = |files| dataset(&classes, files);
    let train = dataset(train)?;
    if let Some(class) = train.class_counts().iter().position(|&count| count == 0) {
        let folder = if has_folders(&train_dir) { &train_dir } else { dir };
        return Err(DataError::EmptyClass(folder.join(&classes[class])));
    }
    let [val, test] = others.map(|files| files.map(dataset).transpose());
    Ok((train, [val?, test?], skipped))
}

/// Whether `train/` is a part: if it held only images, it would be a class of that name.
fn has_folders(dir: &Path) -> bool {
    dir.read_dir().is_ok_and(|entries| entries.flatten().any(|entry| entry.path().is_dir()))
}

/// Scan a part and give its files the labels of the training classes.
fn scan_as(dir: &Path, known: &[String]) -> Result<Files, DataError> {
    let folder = image_folder::scan(dir)?;
    let label_of = |class: &String| {
        let label = known.iter().position(|k| k == class);
        label
            .map(|label| label as u32)
            .ok_or_else(|| DataError::UnknownClass { path: dir.join(class), known: known.into() })
    };
    let labels = folder.classes.iter().map(label_of).collect::<Result<Vec<u32>, _>>()?;
    Ok(folder.files.into_iter().map(|(path, label)| (path, labels[label as usize])).collect())
}

/// Decode everything once. Bad files are an error, or else leave the parts and are returned.
fn check(
    train: &mut Files,
    others: &mut [Option<Files>; 2],
    options: &OpenOptions,
    progress: &dyn Fn(Progress),
) -> Result<Vec<Suspicious>, DataError> {
    let parts = || others.iter().flatten();
    let files = train.len() + parts().map(Vec::len).sum::<usize>();
    let mut done = 0;
    progress(Progress::Checking { done, files });
    let mut report = |more| {
        done += more;
        progress(Progress::Checking { done, files });
    };
    let checked = Checked::open(options.checked.as_deref());
    let mut bad = image_folder::check_files(train, &checked, &mut report);
    for files in parts() {
        bad.extend(image_folder::check_files(files, &checked, &mut report));
    }
    checked.save();
    if !options.skip_bad && !bad.is_empty() {
        return Err(DataError::BadFiles(bad));
    }
    let paths: HashSet<&Path> = bad.iter().map(|bad| bad.path.as_path()).collect();
    for files in others.iter_mut().flatten().chain([train]) {
        files.retain(|(path, _)| !paths.contains(path.as_path()));
    }
    Ok(bad)
}

fn dataset(classes: &[String], files: Files) -> Result<Dataset, DataError> {
    let (paths, labels) = files.into_iter().unzip();
    Dataset::new(classes.into(), labels, Images::Files(Arc::new(paths)))
}
