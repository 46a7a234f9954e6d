//! A folder of images with a training and maybe other parts.

use std::path::Path;
use wellfit_base::Shown;

use super::class_folders::Classes;
use super::entry::is_unread_image;
use super::image_folder::{ImageFolder, empty_classes, gather, no_images};
use super::layout;
use super::listing::{Files, Listing, usable};
use super::parts::Parts;
use super::remark::Remark;
use super::split_name::{Part, recognise};
use super::tree::Tree;
use super::{Need, class_name};
use crate::error::DataError;

/// List a folder with a training part and its siblings, or else with the classes themselves.
pub(crate) fn list(dir: &Path, need: Need) -> Result<Listing, DataError> {
    let tree = Tree::read(dir)?;
    let (Parts { train: found, val, test }, mut remarks) = layout::find(&tree)?;
    if need.training() {
        not_only_for_later(dir, &found)?;
    }
    let gathered = gather(&found, &mut remarks)?;
    let empty = empty_classes(&gathered, &found);
    let ImageFolder { classes, files: train } = gathered;
    match (need.training(), &empty[..]) {
        (true, [_, ..]) => return Err(no_images(&empty)),
        _ => remarks.extend(empty.iter().map(|folder| Remark::EmptyClass(folder.path.clone()))),
    }
    let mut part = |part, found: Option<Result<Classes<'_>, DataError>>| {
        let files = found.map(|found| labelled(&found?, &classes)).transpose();
        usable(part, files, need, &mut remarks)
    };
    let (val, test) = (part(Part::Val, val)?, part(Part::Test, test)?);
    remarks.extend(unread(&tree));
    let (name, root) = (super::name(dir), found.root.path.clone());
    Ok(Listing { name, root, classes, train, val, test, remarks, ..Listing::default() })
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
                found.root.path.shown()
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
