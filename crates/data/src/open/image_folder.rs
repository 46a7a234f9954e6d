//! A folder of images, one sub-folder a class, in torchvision's order.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::class_folders::{Classes, is_run, unread_images};
use super::class_name::python_order;
use super::entry::extension;
use super::remark::Remark;
use super::tree::{Tree, is_beyond_torchvision};
use crate::error::DataError;

/// The images below one folder and their classes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFolder {
    /// The names of the sub-folders, sorted; a label is a position in this list.
    pub classes: Vec<String>,
    /// Every image with its label, in the order of torchvision's `ImageFolder`.
    pub files: Vec<(PathBuf, u32)>,
}

/// Find the classes and images below `dir`: every sub-folder is a class, whatever it is called. No image is opened.
///
/// Classes and files come in the order of torchvision: folders sorted by their whole path, then files by
/// name; images in nested folders count; links are followed. Deliberate differences are in docs/folders.md.
///
/// # Errors
/// Names the folder that cannot be read, has no or only one class, leads back into itself by a link, is reached by
/// links again and again, or is a class without images; and the link that leads nowhere.
pub fn scan(dir: &Path) -> Result<ImageFolder, DataError> {
    if dir.is_file() {
        return Err(DataError::NotAFolder(dir.to_path_buf()));
    }
    let root = Tree::read(dir)?;
    let folders: Vec<&Tree> = root.folders.iter().filter(|folder| !is_run(folder)).collect();
    match folders[..] {
        [] => {
            let (hint, unread) = (String::new(), unread_images(&root));
            return Err(DataError::NoClasses { path: dir.into(), images: root.images.len(), hint, unread });
        }
        [class] => return Err(DataError::OneClass { path: dir.into(), class: class.name() }),
        _ => {}
    }
    let classes = Classes { root: &root, folders };
    let found = gather(&classes, &mut Vec::new())?;
    match empty_classes(&found, &classes)[..] {
        [] => Ok(found),
        ref empty => Err(no_images(empty)),
    }
}

/// The images of a part by class. Folders whose names differ in their Unicode form only are one class.
///
/// # Errors
/// If one of the folders cannot be looked at.
pub(crate) fn gather(found: &Classes<'_>, remarks: &mut Vec<Remark>) -> Result<ImageFolder, DataError> {
    let mut result = ImageFolder::default();
    let mut folders_of: Vec<usize> = Vec::new();
    let mut label_of: HashMap<String, usize> = HashMap::new();
    for folder in &found.folders {
        let class = folder.name();
        let label = *label_of.entry(class.clone()).or_insert(result.classes.len());
        if label == result.classes.len() {
            result.classes.push(class);
            folders_of.push(0);
        }
        folders_of[label] += 1;
        let mut below = folder.all();
        if let Some(problem) = below.iter().find_map(|folder| folder.problem.as_ref()) {
            return Err(problem.again());
        }
        // Whole paths are compared, not part by part: `a-b/` comes before `a/b/`, as in Python's sorted().
        below.sort_by(|a, b| python_order(a.path.as_os_str(), b.path.as_os_str()));
        result
            .files
            .extend(below.iter().flat_map(|folder| &folder.images).map(|file| (file.clone(), label as u32)));
    }
    if folders_of.iter().any(|&folders| folders > 1) {
        // Torchvision has the images of a class together.
        result.files.sort_by_key(|&(_, label)| label);
    }
    for (class, folders) in result.classes.iter().zip(folders_of).filter(|(_, folders)| *folders > 1) {
        remarks.push(Remark::OneName { class: class.clone(), folders });
    }
    Ok(result)
}

/// The folders of classes without images.
pub(crate) fn empty_classes<'t>(found: &ImageFolder, classes: &Classes<'t>) -> Vec<&'t Tree> {
    let mut counts = vec![0_usize; found.classes.len()];
    found.files.iter().for_each(|&(_, label)| counts[label as usize] += 1);
    let is_empty = |folder: &&&Tree| {
        let name = folder.name();
        found.classes.iter().zip(&counts).any(|(class, &count)| count == 0 && *class == name)
    };
    classes.folders.iter().filter(is_empty).copied().collect()
}

/// The error for classes without images.
pub(crate) fn no_images(folders: &[&Tree]) -> DataError {
    let line = |folder: &&Tree| (folder.path.clone(), unread_images(folder));
    DataError::EmptyClasses(folders.iter().map(line).collect())
}

/// How many files are read that torchvision would pass over, by extension.
pub(crate) fn beyond_torchvision(files: &[&(PathBuf, u32)]) -> Vec<Remark> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let extensions = files.iter().map(|(path, _)| extension(path));
    for extension in extensions.filter(|extension| is_beyond_torchvision(extension)) {
        *counts.entry(extension).or_default() += 1;
    }
    counts.into_iter().map(|(extension, count)| Remark::BeyondTorchvision { extension, count }).collect()
}
