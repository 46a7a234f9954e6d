//! Finding the folders of classes, and telling what lies beside them.

use wellfit_base::words::plural;

use super::entry::is_unread_image;
use super::remark::{Remark, listed};
use super::split_name::{Part, is_container, recognise};
use super::tree::Tree;
use crate::error::DataError;

/// Class names that file names are thought to begin with, at most.
const MOST_PREFIXES: usize = 20;

/// The folders of one part.
#[derive(Debug)]
pub(crate) struct Classes<'t> {
    /// The folder that holds them.
    pub root: &'t Tree,
    /// One for each class, in torchvision's order.
    pub folders: Vec<&'t Tree>,
}

/// The only folder with images, if it holds folders of images itself: an archive's own folder, say. A folder that is
/// called like one of the classes is none.
pub(crate) fn wrapped<'t>(tree: &'t Tree, classes: &[String]) -> Option<&'t Tree> {
    let mut holding = tree.folders.iter().filter(|folder| folder.holds_images());
    let only = holding.next().filter(|_| holding.next().is_none())?;
    (Shape::of(only) == Shape::Folders && !classes.contains(&only.name())).then_some(only)
}

/// The folders of the classes of the part in `tree`, maybe deeper: `seg_train/seg_train/class`.
pub(crate) fn classes_of<'t>(
    tree: &'t Tree,
    part: Part,
    known: &[String],
    remarks: &mut Vec<Remark>,
) -> Result<Classes<'t>, DataError> {
    let mut root = tree;
    while let Some(inner) = wrapped(root, known) {
        tell_of_the_rest(root, &[inner], remarks);
        root = inner;
    }
    tell_of_what_is_no_class(root, remarks);
    let folders = class_folders(root, known)?;
    let flat = || flat_part(root, part);
    match &folders[..] {
        [] => Err(flat()),
        [only] if is_no_class(only, root, known) => Err(flat_part(only, part)),
        _ => Ok(Classes { root, folders }),
    }
}

/// Whether the only folder with images is rather a wrapper around them: `images/`, `train/train/`.
pub(crate) fn is_no_class(only: &Tree, root: &Tree, known: &[String]) -> bool {
    let name = only.name();
    let is_wrapper = is_container(&name) || recognise(&name).is_some() || name == root.name();
    is_wrapper && Shape::of(only) == Shape::Flat && !known.contains(&name)
}

/// The folders of classes in `root`, and none that hold material about images or runs.
pub(crate) fn class_folders<'t>(root: &'t Tree, known: &[String]) -> Result<Vec<&'t Tree>, DataError> {
    let mut folders: Vec<&Tree> = root.folders.iter().filter(|folder| !is_run(folder)).collect();
    let are_containers = |folder: &&Tree| is_container(&folder.name()) && !known.contains(&folder.name());
    if folders.len() > 1 && folders.iter().all(are_containers) {
        return Err(unclear(
            root,
            format!(
                "{} are no names of classes, and this looks like data for detection or segmentation: put the images \
                 of each class into a folder named after it{}",
                names(&folders),
                prefixes(root)
            ),
        ));
    }
    if folders.len() > 1 {
        folders.retain(|folder| !is_aside(folder));
    }
    Ok(folders)
}

/// Whether a folder beside the classes holds lists or labels, and no images.
fn is_aside(folder: &Tree) -> bool {
    !folder.holds_images() && is_container(&folder.name())
}

/// Where the images of a folder lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There are none.
    Empty,
    /// Directly in it only.
    Flat,
    /// In folders inside it only.
    Folders,
    /// In it and in folders inside it.
    Both,
}

impl Shape {
    pub fn of(tree: &Tree) -> Self {
        let direct = !tree.images.is_empty() || tree.problem.is_some();
        match (direct, tree.folders.iter().any(Tree::holds_images)) {
            (false, false) => Self::Empty,
            (true, false) => Self::Flat,
            (false, true) => Self::Folders,
            (true, true) => Self::Both,
        }
    }

    /// Whether it may hold the folders of classes.
    pub fn has_folders(self) -> bool {
        matches!(self, Self::Folders | Self::Both)
    }
}

/// Whether a folder holds runs of Wellfit and nothing else of interest.
pub(crate) fn is_run(tree: &Tree) -> bool {
    !tree.holds_images() && tree.all().iter().any(|folder| folder.is_run)
}

/// Tell what is beside `used` in `at`.
pub(crate) fn tell_of_the_rest(at: &Tree, used: &[&Tree], remarks: &mut Vec<Remark>) {
    for folder in at.folders.iter().filter(|folder| !used.iter().any(|used| used.path == folder.path)) {
        let path = folder.path.clone();
        remarks.push(if is_run(folder) {
            Remark::Run(path)
        } else {
            Remark::NoPart { path, images: folder.total }
        });
    }
    tell_of_loose_images(at, remarks);
}

/// Tell what is no class beside the classes in `at`.
pub(crate) fn tell_of_what_is_no_class(at: &Tree, remarks: &mut Vec<Remark>) {
    for folder in &at.folders {
        if is_run(folder) {
            remarks.push(Remark::Run(folder.path.clone()));
        } else if is_aside(folder) {
            remarks.push(Remark::NoPart { path: folder.path.clone(), images: 0 });
        }
    }
    tell_of_loose_images(at, remarks);
}

fn tell_of_loose_images(at: &Tree, remarks: &mut Vec<Remark>) {
    if !at.images.is_empty() && at.folders.iter().any(Tree::holds_images) {
        remarks.push(Remark::NoClass { path: at.path.clone(), images: at.images.len() });
    }
}

/// The error for a part whose images lie in no folder of a class.
pub(crate) fn flat_part(tree: &Tree, part: Part) -> DataError {
    let use_of_it = match part {
        Part::Train => "",
        Part::Val => "; without a validation part, a share of the training images is used",
        Part::Test => "; `predict` takes images without classes",
    };
    let images = tree.images.len();
    let problem = if images == 0 {
        format!("it holds no images{}", unread_images(tree))
    } else {
        format!(
            "it holds {} but no folders of classes: put the images of each class into a sub-folder named after \
             it{}{use_of_it}",
            plural(images, "image"),
            prefixes(tree)
        )
    };
    unclear(tree, problem)
}

/// A sentence about a folder that cannot be used as it is.
pub(crate) fn unclear(tree: &Tree, problem: String) -> DataError {
    DataError::Layout { path: tree.path.clone(), problem }
}

/// Their names for a sentence.
pub(crate) fn names(folders: &[&Tree]) -> String {
    listed(folders.iter().filter_map(|folder| folder.path.file_name()).map(AsRef::as_ref))
}

/// ", but 12 .heic files", or nothing.
pub(crate) fn unread_images(tree: &Tree) -> String {
    let unread = tree.unread_below();
    let kinds: Vec<String> = unread
        .iter()
        .filter(|(extension, _)| is_unread_image(extension))
        .map(|(extension, files)| format!("{} .{extension}", files.count))
        .collect();
    if kinds.is_empty() {
        String::new()
    } else {
        format!(", but {} that cannot be read: convert them to JPEG or PNG", kinds.join(" and "))
    }
}

/// What the names of the images in `tree` begin with, if that tells classes apart: `cat.0.jpg`, `dog.0.jpg`.
pub(crate) fn prefixes(tree: &Tree) -> String {
    let mut found: Vec<(String, usize)> = Vec::new();
    let flat = tree.all().into_iter().flat_map(|folder| &folder.images);
    for image in flat {
        let stem = image.file_stem().unwrap_or_default().to_string_lossy();
        let word = stem.trim_end_matches(|c: char| !c.is_alphabetic());
        match found.iter().position(|(known, _)| known == word) {
            Some(place) => found[place].1 += 1,
            None if found.len() > MOST_PREFIXES => return String::new(),
            None => found.push((word.to_owned(), 1)),
        }
    }
    let tells = (2..=MOST_PREFIXES).contains(&found.len())
        && found.iter().all(|(word, count)| !word.is_empty() && *count > 1);
    if !tells {
        return String::new();
    }
    let words: Vec<String> = found.iter().take(4).map(|(word, _)| format!("‘{word}’")).collect();
    let first = &found[0].0;
    format!(
        ". The file names begin with {}: `mkdir {first}` and `mv {first}* {first}/`, and so on",
        words.join(", ")
    )
}
