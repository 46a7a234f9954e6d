//! What the folders of a dataset mean: which are parts, which are classes.
//!
//! Decided by names and by where images lie; what could mean two things is an error that says what to do. The rules
//! are in docs/folders.md.

use super::class_folders::{
    Classes, Shape, class_folders, flat_part, is_no_class, names, prefixes, tell_of_the_rest,
    tell_of_what_is_no_class, unclear, unread_images, wrapped,
};
use super::parts::{self, Parts};
use super::remark::Remark;
use super::split_name::{Part, recognise};
use super::tree::Tree;
use crate::error::DataError;
use wellfit_base::Shown;

/// Find out what the folders in `root` mean.
///
/// # Errors
/// If they are no image folder for classification, or could mean two things.
pub(crate) fn find(root: &Tree) -> Result<(Parts<'_>, Vec<Remark>), DataError> {
    let mut remarks = Vec::new();
    let mut at = root;
    loop {
        if let Some(parts) = parts::find(at, root, &mut remarks)? {
            return Ok((parts, remarks));
        }
        let Some(inner) = wrapped(at, &[]) else { break };
        tell_of_the_rest(at, &[inner], &mut remarks);
        at = inner;
    }
    if at.path != root.path {
        remarks.push(Remark::Inside(at.path.clone()));
    }
    tell_of_what_is_no_class(at, &mut remarks);
    let train = Classes { root: at, folders: class_folders(at, &[])? };
    only_real_classes(&train)?;
    Ok((Parts { train, val: None, test: None }, remarks))
}

/// Refuse a folder without classes, or whose sub-folders are rather parts or variants of a dataset.
fn only_real_classes(found: &Classes<'_>) -> Result<(), DataError> {
    let Classes { root, folders } = found;
    match folders[..] {
        [] => {
            let hint = prefixes(root);
            let unread = unread_images(root);
            return Err(DataError::NoClasses {
                path: root.path.clone(),
                images: root.images.len(),
                hint,
                unread,
            });
        }
        [only] if is_no_class(only, root, &[]) => return Err(flat_part(only, Part::Train)),
        _ => {}
    }
    not_parts_of_unknown_names(root, folders)
}

/// Refuse folders that hold the same folders: `amazon/` and `webcam/`, each with all classes of a dataset.
fn not_parts_of_unknown_names(root: &Tree, folders: &[&Tree]) -> Result<(), DataError> {
    let nested: Vec<&Tree> =
        folders.iter().copied().filter(|folder| Shape::of(folder) == Shape::Folders).collect();
    let inner: Vec<Vec<String>> = nested.iter().map(|folder| leaves(folder)).collect();
    let pairs = (1..inner.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    // One name alone is no sign, since each class may have a folder `images`; but all names of a part are.
    let is_sign = |shared: &[String], a: usize, b: usize| {
        let (small, large) = (inner[a].len().min(inner[b].len()), inner[a].len().max(inner[b].len()));
        shared.len() > 1 || (shared.len() == small && large > 1)
    };
    let shared = pairs
        .map(|(a, b)| (in_both(&inner[a], &inner[b]), a, b))
        .find(|(shared, a, b)| !shared.is_empty() && is_sign(shared, *a, *b));
    let (Some((shared, ..)), Some(first)) = (shared, nested.first()) else { return Ok(()) };
    let one = &shared[0];
    let quoted: Vec<String> = shared.iter().take(2).map(|name| format!("‘{name}’")).collect();
    let what = format!("{} hold the same folders, such as {}", names(&nested), quoted.join(" and "));
    let problem = if shared.iter().all(|name| recognise(name).is_some()) {
        format!(
            "{what}: the parts lie inside the classes. Turn it round: {one}/… with a folder for each class"
        )
    } else {
        format!(
            "{what}: they look like parts or variants of a dataset, not like classes. Name one of them, such as {}; \
             or call the parts train, val and test; or, if they are the classes, put them into a folder ‘train’",
            first.path.shown()
        )
    };
    Err(unclear(root, problem))
}

/// The folders below `tree` that hold images, by their names from there or from the only folder there.
fn leaves(mut tree: &Tree) -> Vec<String> {
    while let Some(inner) = wrapped(tree, &[]) {
        tree = inner;
    }
    let below = tree.all().into_iter().skip(1).filter(|folder| !folder.images.is_empty());
    let mut leaves: Vec<String> = below
        .filter_map(|folder| folder.path.strip_prefix(&tree.path).ok())
        .map(|path| path.iter().map(super::class_name).collect::<Vec<_>>().join("/"))
        .collect();
    leaves.sort();
    leaves
}

fn in_both(a: &[String], b: &[String]) -> Vec<String> {
    a.iter().filter(|name| b.binary_search(name).is_ok()).cloned().collect()
}
