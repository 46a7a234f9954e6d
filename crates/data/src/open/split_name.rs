//! The names that people give to the training, validation and test parts of a dataset.

mod vocabulary;

use unicode_normalization::char::is_combining_mark;
use vocabulary::{EVALUATION, GENERIC, TEST, TRAIN, VAL};

/// A part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// To train on.
    Train,
    /// To decide which epoch is best.
    Val,
    /// For the final figures.
    Test,
}

impl Part {
    /// Its name in sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Val => "validation",
            Self::Test => "test",
        }
    }

    /// The usual name of its folder.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// What the name of a folder says about the part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitName {
    /// Which part.
    pub part: Part,
    /// Whether it is called "evaluation", which means validation or test.
    pub is_evaluation: bool,
    /// The other words of the name that mean something, in lower case: "seg" of `seg_train`. A name with such words
    /// may be a class, such as `bullet_train`.
    pub rest: Vec<String>,
}

/// Words for folders that hold material about images, or all of them, and are classes of no dataset.
const CONTAINERS: [&str; 24] = [
    "images",
    "image",
    "imgs",
    "img",
    "annotations",
    "annotation",
    "labels",
    "label",
    "masks",
    "mask",
    "segmentations",
    "segmentation",
    "segmentationclass",
    "segmentationobject",
    "jpegimages",
    "imagesets",
    "trimaps",
    "bboxes",
    "groundtruth",
    "meta",
    "metadata",
    "pictures",
    "photos",
    "dataset",
];

/// What `name` says, in any case and with any affixes: `Train`, `seg_train`, `flowers-training`, `trainSet`,
/// `val2017`. None for a name without such a word, or with the words of two parts.
pub(crate) fn recognise(name: &str) -> Option<SplitName> {
    let mut parts: Vec<(Part, bool)> = Vec::new();
    let mut rest = Vec::new();
    for word in words(name) {
        match part_of(&word) {
            Some(part) => parts.push(part),
            None if is_generic(&word) => {}
            None => rest.push(word),
        }
    }
    parts.dedup();
    match parts[..] {
        [(part, is_evaluation)] => Some(SplitName { part, is_evaluation, rest }),
        // "train_val" and "trainval" are what is left without the test part.
        [(Part::Train, _), (Part::Val, false)] => {
            Some(SplitName { part: Part::Train, is_evaluation: false, rest })
        }
        _ => None,
    }
}

/// Whether a folder of this name cannot be meant as a class.
pub(crate) fn is_container(name: &str) -> bool {
    let joined: String = words(name).concat();
    CONTAINERS.contains(&joined.as_str())
}

/// The words of a name that say something, in lower case.
pub(crate) fn meaning(name: &str) -> Vec<String> {
    words(name).into_iter().filter(|word| !is_generic(word)).collect()
}

fn part_of(word: &str) -> Option<(Part, bool)> {
    let known = |word: &str| {
        let in_list = |list: &[&str]| list.contains(&word);
        match () {
            () if in_list(TRAIN) => Some((Part::Train, false)),
            () if in_list(VAL) => Some((Part::Val, false)),
            () if in_list(EVALUATION) => Some((Part::Val, true)),
            () if in_list(TEST) => Some((Part::Test, false)),
            () => None,
        }
    };
    // "trainset" is "train" and "set", 학습용데이터 "training", "for" and "data".
    let glued = || GENERIC.iter().filter(|generic| generic.len() > 2);
    known(word).or_else(|| glued().find_map(|generic| part_of(word.strip_suffix(generic)?)))
}

fn is_generic(word: &str) -> bool {
    GENERIC.contains(&word) || word.chars().all(char::is_numeric)
}

/// The words of a name in lower case. Words end at digits and at what is neither letter nor digit; capitals begin a
/// word (`trainSet`) only where the whole is no known word, since `tRAIN` is one. The marks of a letter belong to it: the
/// signs that Devanagari writes vowels and joined consonants with.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in name.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)) {
        for piece in pieces(run, |a, b, _| a.is_numeric() != b.is_numeric()) {
            let lower = piece.to_lowercase();
            if part_of(&lower).is_some() || is_generic(&lower) {
                words.push(lower);
            } else {
                words.extend(pieces(&piece, begins_word).iter().map(|piece| piece.to_lowercase()));
            }
        }
    }
    words
}

/// Whether a capital begins a word: after a small letter, or as the last of several capitals (`RGBTrain`).
fn begins_word(before: char, here: char, after: Option<char>) -> bool {
    here.is_uppercase() && (before.is_lowercase() || after.is_some_and(char::is_lowercase))
}

/// `text` cut wherever `cut` says so of a character, the one before it, and the one after it.
fn pieces(text: &str, cut: impl Fn(char, char, Option<char>) -> bool) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(here) = characters.next() {
        match (pieces.last_mut(), before) {
            (Some(piece), Some(before)) if !cut(before, here, characters.peek().copied()) => piece.push(here),
            _ => pieces.push(here.to_string()),
        }
        before = Some(here);
    }
    pieces
}

#[cfg(test)]
mod tests;
