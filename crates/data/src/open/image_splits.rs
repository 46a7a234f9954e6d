//! A folder of images with a training and maybe other parts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_images::Depth;

use super::check::{PixelHashes, Suspicious, check, is_deep};
use super::checked::Checked;
use super::class_folders::Classes;
use super::entry::is_unread_image;
use super::image_folder::{ImageFolder, beyond_torchvision, empty_classes, gather, no_images};
use super::layout;
use super::parts::Parts;
use super::remark::Remark;
use super::split_name::{Part, recognise};
use super::tree::Tree;
use super::{Need, OpenOptions, Progress, class_name};
use crate::error::DataError;
use crate::loader::{Dataset, Images};

/// What a folder of images holds.
#[derive(Debug)]
pub(crate) struct Opened {
    pub train: Dataset,
    pub val: Option<Dataset>,
    pub test: Option<Dataset>,
    /// The bad files left out.
    pub skipped: Vec<Suspicious>,
    pub remarks: Vec<Remark>,
    pub hashes: PixelHashes,
}

type Files = Vec<(PathBuf, u32)>;

/// Open a folder with a training part and its siblings, or else with the classes themselves.
pub(crate) fn open(
    dir: &Path,
    options: &OpenOptions,
    progress: &dyn Fn(Progress),
) -> Result<Opened, DataError> {
    let tree = Tree::read(dir)?;
    let (Parts { train: found, val, test }, mut remarks) = layout::find(&tree)?;
    let need = options.need;
    if need.training() {
        not_only_for_later(dir, &found)?;
    }
    let ImageFolder { classes, files: mut train } = gather(&found, &mut remarks)?;
    let empty = empty_classes(&ImageFolder { classes: classes.clone(), files: train.clone() }, &found);
    match (need.training(), &empty[..], &classes[..]) {
        (true, [], [class]) => {
            return Err(DataError::OneClass { path: found.root.path.clone(), class: class.clone() });
        }
        (true, [_, ..], _) => return Err(no_images(&empty)),
        _ => remarks.extend(empty.iter().map(|folder| Remark::EmptyClass(folder.path.clone()))),
    }
    let mut part = |part, found: Option<Result<Classes<'_>, DataError>>| {
        let files = found.map(|found| labelled(&found?, &classes)).transpose();
        usable(part, files, need, &mut remarks)
    };
    let (mut val, mut test) = (part(Part::Val, val)?, part(Part::Test, test)?);
    remarks.extend(capitals_only(&classes));
    remarks.extend(unread(&tree));
    let all: Vec<&(PathBuf, u32)> =
        [Some(&train), val.as_ref(), test.as_ref()].into_iter().flatten().flatten().collect();
    remarks.extend(beyond_torchvision(&all));
    let mut parts = [Some(&mut train), val.as_mut(), test.as_mut()];
    let (skipped, hashes) = checked(&mut parts, options, progress)?;
    remarks.extend(deep_grey(&hashes).filter(|_| options.depth == Depth::Clip));
    let dataset = |files| dataset(&classes, files);
    let train = dataset(train)?;
    if need.training()
        && let Some(class) = train.class_counts().iter().position(|&count| count == 0)
    {
        return Err(DataError::EmptyClasses(vec![(found.root.path.join(&classes[class]), String::new())]));
    }
    let (val, test) = (val.map(dataset).transpose()?, test.map(dataset).transpose()?);
    Ok(Opened { train, val, test, skipped, remarks, hashes })
}

/// Refuse to train on a test or validation part because it is the only one in `dir`. Named itself, it may be used.
fn not_only_for_later(dir: &Path, found: &Classes<'_>) -> Result<(), DataError> {
    let wrappers = found.root.path.strip_prefix(dir).unwrap_or(Path::new(""));
    let part = wrappers.iter().rev().find_map(|name| recognise(&class_name(name))).map(|name| name.part);
    match part.filter(|part| *part != Part::Train) {
        None => Ok(()),
        Some(part) => Err(DataError::Layout {
            path: dir.to_path_buf(),
            problem: format!(
                "it holds a {} part only; to train on that, name {} itself",
                part.name(),
                found.root.path.display()
            ),
        }),
    }
}

/// The files of a part with the labels of the training classes.
fn labelled(found: &Classes<'_>, known: &[String]) -> Result<Files, DataError> {
    let part = gather(found, &mut Vec::new())?;
    let label_of = |class: &String| known.iter().position(|k| k == class).map(|label| label as u32);
    let labels: Vec<Option<u32>> = part.classes.iter().map(label_of).collect();
    let mut files = Files::new();
    for (path, label) in part.files {
        let Some(label_here) = labels[label as usize] else {
            let class = &part.classes[label as usize];
            let folder = found.folders.iter().find(|folder| folder.name() == *class);
            return Err(DataError::UnknownClass {
                path: folder.map_or(path, |folder| folder.path.clone()),
                known: known.into(),
            });
        };
        files.push((path, label_here));
    }
    Ok(files)
}

/// What is to be done about a part that cannot be used: an error where it is needed, else a remark.
fn usable(
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
    options: &OpenOptions,
    progress: &dyn Fn(Progress),
) -> Result<(Vec<Suspicious>, PixelHashes), DataError> {
    let files = parts.iter().flatten().map(|files| files.len()).sum();
    progress(Progress::Checking { done: 0, files });
    let all = parts.iter().flatten().flat_map(|files| files.iter());
    let known = Checked::open(options.checked.as_deref());
    let (bad, hashes) = check(all, &known, &mut |done| progress(Progress::Checking { done, files }));
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

fn dataset(classes: &[String], files: Files) -> Result<Dataset, DataError> {
    let (paths, labels) = files.into_iter().unzip();
    Dataset::new(classes.into(), labels, Images::Files(Arc::new(paths)))
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

/// Files that are not read: each kind of image with an example, the rest in one line.
fn unread(tree: &Tree) -> Vec<Remark> {
    let (images, files): (Vec<_>, Vec<_>) =
        tree.unread_below().into_iter().partition(|(extension, _)| is_unread_image(extension));
    let mut remarks: Vec<Remark> = images
        .into_iter()
        .map(|(extension, files)| Remark::UnreadImages {
            extension,
            count: files.count,
            example: files.example,
        })
        .collect();
    if !files.is_empty() {
        let kinds = files.into_iter().map(|(extension, files)| (extension, files.count)).collect();
        remarks.push(Remark::UnreadFiles { kinds });
    }
    remarks
}
