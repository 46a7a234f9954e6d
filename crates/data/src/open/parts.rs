//! The training, validation and test parts among the folders of a dataset, by their names and what they hold.

use super::class_folders::{
    Classes, Shape, classes_of, flat_part, is_run, names, tell_of_the_rest, unclear, wrapped,
};
use super::class_name::python_order;
use super::remark::Remark;
use super::split_name::{Part, SplitName, meaning, recognise};
use super::tree::Tree;
use crate::error::DataError;

/// The parts of a dataset.
#[derive(Debug)]
pub(crate) struct Parts<'t> {
    /// To train on.
    pub train: Classes<'t>,
    /// For validation, if there is something; or why it cannot be used.
    pub val: Option<Result<Classes<'t>, DataError>>,
    /// For the final test, likewise.
    pub test: Option<Result<Classes<'t>, DataError>>,
}

/// A folder that may be a part.
#[derive(Debug, Clone)]
struct Named<'t> {
    tree: &'t Tree,
    name: SplitName,
}

impl Named<'_> {
    fn has_folders(&self) -> bool {
        Shape::of(self.tree).has_folders()
    }

    fn holds_images(&self) -> bool {
        self.tree.holds_images()
    }
}

/// The folders in `at`, sorted by what their names say.
struct Sorted<'t> {
    at: &'t Tree,
    train: Vec<Named<'t>>,
    val: Vec<Named<'t>>,
    test: Vec<Named<'t>>,
    /// Folders with images that are no part by their names.
    others: Vec<&'t Tree>,
}

/// The parts in `at`; none if its folders are not called so. `root` is the folder that was named.
pub(crate) fn find<'t>(
    at: &'t Tree,
    root: &Tree,
    remarks: &mut Vec<Remark>,
) -> Result<Option<Parts<'t>>, DataError> {
    let sorted = Sorted::of(at);
    if sorted.all_named().is_empty() {
        return Ok(None);
    }
    let shaped: Vec<&Named<'_>> = sorted.train.iter().filter(|train| train.has_folders()).collect();
    match shaped[..] {
        [train] => sorted.with_train(train, root, remarks).map(Some),
        [] if sorted.train.is_empty() => sorted.without_train(root, remarks),
        [] => sorted.flat_train(remarks),
        _ => Err(sorted.twice(Part::Train, &shaped)),
    }
}

impl<'t> Sorted<'t> {
    fn of(at: &'t Tree) -> Self {
        let mut named: Vec<Named<'t>> = Vec::new();
        let mut others = Vec::new();
        for tree in at.folders.iter().filter(|folder| !is_run(folder)) {
            match recognise(&tree.name()) {
                Some(name) => named.push(Named { tree, name }),
                None if tree.holds_images() => others.push(tree),
                None => {}
            }
        }
        // `bullet_train` and `test_tube` are classes, unless another part has the same affix, or there is nothing but
        // parts.
        let all = named.clone();
        let only_parts =
            others.is_empty() && all.iter().all(|part| part.has_folders() || part.name.rest.is_empty());
        named.retain(|part| {
            let sibling =
                |other: &Named<'_>| other.name.part != part.name.part && other.name.rest == part.name.rest;
            let is_called_the_rest = |other: &&Tree| meaning(&other.name()) == part.name.rest;
            let is_part = part.name.rest.is_empty()
                || all.iter().any(sibling)
                || (only_parts && all.iter().any(|other| other.name.part != part.name.part))
                || (part.has_folders() && others.iter().any(is_called_the_rest));
            if !is_part && part.holds_images() {
                others.push(part.tree);
            }
            is_part
        });
        let of = |part| -> Vec<Named<'t>> {
            named.iter().filter(|named| named.name.part == part).cloned().collect()
        };
        let (train, val, test) = (of(Part::Train), of(Part::Val), of(Part::Test));
        // "evaluation" is validation, unless another folder is that and none is the test part.
        let (evaluation, plain): (Vec<_>, Vec<_>) =
            val.into_iter().partition(|named| named.name.is_evaluation);
        let (val, test) = match (plain.is_empty(), test.is_empty()) {
            (true, _) => (evaluation, test),
            (false, true) => (plain, evaluation),
            (false, false) => (plain, test),
        };
        Self { at, train, val, test, others }
    }

    fn all_named(&self) -> Vec<&Named<'t>> {
        self.train.iter().chain(&self.val).chain(&self.test).collect()
    }

    /// Some folder is the training part.
    fn with_train(
        &self,
        train: &Named<'t>,
        root: &Tree,
        remarks: &mut Vec<Remark>,
    ) -> Result<Parts<'t>, DataError> {
        let has_siblings = !self.val.is_empty() || !self.test.is_empty();
        if !has_siblings && !self.others.is_empty() {
            return Err(self.part_or_class(train));
        }
        let classes = classes_of(train.tree, Part::Train, &[], remarks)?;
        let known: Vec<String> = classes.folders.iter().map(|class| class.name()).collect();
        let mut part = |part, named: &[Named<'t>]| self.other_part(part, named, &known, remarks);
        let (val, test) = (part(Part::Val, &self.val), part(Part::Test, &self.test));
        let mut used = vec![train.tree];
        used.extend(self.val.iter().chain(&self.test).map(|named| named.tree));
        tell_of_the_rest(self.at, &used, remarks);
        Ok(tell_of_parts(Parts { train: classes, val, test }, root, remarks))
    }

    /// The validation or test part, if a folder has its name.
    fn other_part(
        &self,
        part: Part,
        named: &[Named<'t>],
        known: &[String],
        remarks: &mut Vec<Remark>,
    ) -> Option<Result<Classes<'t>, DataError>> {
        let full: Vec<&Named<'t>> = named.iter().filter(|named| named.holds_images()).collect();
        let shaped: Vec<&Named<'t>> = full.iter().copied().filter(|named| named.has_folders()).collect();
        let chosen = match (&shaped[..], &full[..]) {
            ([one], _) | ([], [one]) => one,
            ([], []) => {
                let empty = named.first()?;
                let problem = flat_part(empty.tree, part).to_string();
                remarks.push(Remark::PartUnused { part, problem });
                return None;
            }
            ([], several) | (several, _) => return Some(Err(self.twice(part, several))),
        };
        for other in full.iter().filter(|other| other.tree.path != chosen.tree.path) {
            remarks.push(Remark::NoPart { path: other.tree.path.clone(), images: other.tree.total });
        }
        if !chosen.has_folders() {
            return Some(Err(flat_part(chosen.tree, part)));
        }
        Some(classes_of(chosen.tree, part, known, remarks))
    }

    /// Folders have the names of validation or test parts, but none that of the training part.
    fn without_train(&self, root: &Tree, remarks: &mut Vec<Remark>) -> Result<Option<Parts<'t>>, DataError> {
        let full: Vec<&Named<'t>> =
            self.all_named().into_iter().filter(|named| named.holds_images()).collect();
        match (&full[..], &self.others[..]) {
            ([only], []) if only.has_folders() => return Ok(None),
            ([only], []) => return Err(flat_part(only.tree, only.name.part)),
            ([], []) => {
                let first = self.all_named().first().map(|named| flat_part(named.tree, named.name.part));
                return first.map_or(Ok(None), Err);
            }
            (_, []) => {
                let problem = format!(
                    "there is no training part beside {}: call its folder ‘train’, or name one of these folders itself",
                    self.seen()
                );
                return Err(unclear(self.at, problem));
            }
            _ => {}
        }
        if let [only] = self.others[..]
            && let Some(parts) = self.inside(only, root, remarks)?
        {
            return Ok(Some(parts));
        }
        // What is left is the training part: one folder with the same classes, or the folders of the classes.
        let train = match self.others[..] {
            [only] if Shape::of(only).has_folders() => classes_of(only, Part::Train, &[], remarks)?,
            _ => {
                let empty = |folder: &&&Tree| {
                    !is_run(folder) && !folder.holds_images() && recognise(&folder.name()).is_none()
                };
                let mut folders = self.others.clone();
                folders.extend(self.at.folders.iter().collect::<Vec<_>>().iter().filter(empty));
                folders.sort_by(|a, b| python_order(a.path.as_os_str(), b.path.as_os_str()));
                Classes { root: self.at, folders }
            }
        };
        let known: Vec<String> = train.folders.iter().map(|class| class.name()).collect();
        for part in &full {
            self.fits(part, &known)?;
        }
        let mut part = |part, named: &[Named<'t>]| self.other_part(part, named, &known, remarks);
        let (val, test) = (part(Part::Val, &self.val), part(Part::Test, &self.test));
        let mut used = self.others.clone();
        used.extend(self.at.folders.iter().filter(|folder| !folder.holds_images() && !is_run(folder)));
        used.extend(full.iter().map(|named| named.tree));
        tell_of_the_rest(self.at, &used, remarks);
        Ok(Some(tell_of_parts(Parts { train, val, test }, root, remarks)))
    }

    /// The parts inside the only folder of another name: an archive that lies beside a test part without classes.
    fn inside(
        &self,
        only: &'t Tree,
        root: &Tree,
        remarks: &mut Vec<Remark>,
    ) -> Result<Option<Parts<'t>>, DataError> {
        let mut inner = only;
        while let Some(deeper) = wrapped(inner, &[]) {
            inner = deeper;
        }
        let parts = find(inner, root, remarks)?;
        if parts.is_some() {
            tell_of_the_rest(self.at, &[only], remarks);
        }
        Ok(parts)
    }

    /// Whether a folder called like a part, beside folders of other names, is one: its classes are theirs; or it is a
    /// test part without classes, which nothing needs.
    fn fits(&self, part: &Named<'t>, known: &[String]) -> Result<(), DataError> {
        let Ok(inner) = classes_of(part.tree, part.name.part, known, &mut Vec::new()) else {
            let is_unlabelled_test = part.name.part == Part::Test && known.len() > 1;
            return if is_unlabelled_test { Ok(()) } else { Err(self.part_or_class(part)) };
        };
        let is_known = |class: &&Tree| known.contains(&class.name()) || !class.holds_images();
        if inner.folders.iter().all(is_known) { Ok(()) } else { Err(self.part_or_class(part)) }
    }

    /// A folder is called like the training part, but holds no folders of classes.
    fn flat_train(&self, remarks: &mut Vec<Remark>) -> Result<Option<Parts<'t>>, DataError> {
        let has_siblings = self.val.iter().chain(&self.test).any(Named::holds_images);
        let full: Vec<&Named<'_>> = self.train.iter().filter(|train| train.holds_images()).collect();
        if !has_siblings && !self.others.is_empty() {
            remarks.extend(
                full.iter()
                    .map(|named| Remark::ClassLikePart { path: named.tree.path.clone(), part: Part::Train }),
            );
            return Ok(None);
        }
        match (&full[..], self.train.first()) {
            ([one], _) if !self.others.is_empty() => Err(self.part_or_class(one)),
            ([], Some(one)) => Err(flat_part(one.tree, Part::Train)),
            ([one], _) => Err(flat_part(one.tree, Part::Train)),
            (several, _) => Err(self.twice(Part::Train, several)),
        }
    }

    fn twice(&self, part: Part, folders: &[&Named<'t>]) -> DataError {
        let folders: Vec<&Tree> = folders.iter().map(|named| named.tree).collect();
        let problem = format!(
            "{} are all called like the {} part: join them, or rename or move all but one",
            names(&folders),
            part.name()
        );
        unclear(self.at, problem)
    }

    fn part_or_class(&self, named: &Named<'t>) -> DataError {
        let (name, part) = (names(&[named.tree]), named.name.part);
        let problem = format!(
            "‘{name}’ may be the {} part or a class beside the other folders ({}). If it is the part, put all folders of \
             the training classes into a folder ‘train’ beside it{}; if it is a class, put all folders into a folder \
             ‘train’",
            part.name(),
            self.seen(),
            if part == Part::Train { " or name it itself" } else { "" },
        );
        unclear(self.at, problem)
    }

    /// The names of all folders in it, for a sentence.
    fn seen(&self) -> String {
        names(&self.at.folders.iter().collect::<Vec<_>>())
    }
}

/// Tell where the parts are, unless they are where one expects them.
fn tell_of_parts<'t>(parts: Parts<'t>, root: &Tree, remarks: &mut Vec<Remark>) -> Parts<'t> {
    let found = |part: &Option<Result<Classes<'t>, DataError>>| match part {
        Some(Ok(classes)) => Some(classes.root.path.clone()),
        _ => None,
    };
    let places = [
        (Part::Train, Some(parts.train.root.path.clone())),
        (Part::Val, found(&parts.val)),
        (Part::Test, found(&parts.test)),
    ];
    for (part, path) in places {
        if let Some(path) = path.filter(|path| *path != root.path.join(part.folder())) {
            remarks.push(Remark::PartIn { part, path });
        }
    }
    parts
}
