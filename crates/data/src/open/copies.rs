//! Images that are there more than once: within a class, in two classes, in two parts.

use std::collections::HashMap;
use std::path::PathBuf;

use wellfit_base::Shown;
use wellfit_base::words::either;

use crate::loader::{Dataset, PixelHash};

/// Images with the same pixels, of several parts of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copies {
    /// Each set of equal images, in the order of the parts; two or more images a set.
    pub sets: Vec<Vec<Copy>>,
    /// The names of the parts.
    pub parts: Vec<&'static str>,
}

/// One of several equal images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The place of its part in [`Copies::parts`].
    pub part: usize,
    /// Its class.
    pub label: u32,
    /// Its file.
    pub path: PathBuf,
}

impl Copies {
    /// The equal images among `parts`, each with its name, by the hashes of their pixels.
    #[must_use]
    pub fn among(parts: &[(&'static str, &Dataset)]) -> Self {
        let mut place: HashMap<PixelHash, usize> = HashMap::new();
        let mut sets: Vec<Vec<Copy>> = Vec::new();
        for (part, (_, data)) in parts.iter().enumerate() {
            for (i, &label) in data.labels.iter().enumerate() {
                let Some((path, hash)) = data.path(i).zip(data.pixel_hash(i)) else {
                    continue;
                };
                let set = *place.entry(hash).or_insert(sets.len());
                if set == sets.len() {
                    sets.push(Vec::new());
                }
                sets[set].push(Copy { part, label, path: path.to_path_buf() });
            }
        }
        sets.retain(|set| set.len() > 1);
        Self { sets, parts: parts.iter().map(|(name, _)| *name).collect() }
    }

    /// How many images could go without a picture being lost from its part and class.
    #[must_use]
    pub fn within(&self) -> usize {
        self.repeated().count()
    }

    /// The pictures that stand in more than one class.
    pub fn contradictions(&self) -> impl Iterator<Item = &[Copy]> {
        self.sets.iter().map(Vec::as_slice).filter(|set| set.iter().any(|copy| copy.label != set[0].label))
    }

    /// The images of part `b` whose pixels part `a` has, too.
    pub fn shared(&self, a: usize, b: usize) -> impl Iterator<Item = (&Copy, &Copy)> {
        self.sets.iter().flat_map(move |set| {
            let first = set.iter().find(|copy| copy.part == a);
            set.iter().filter(move |copy| copy.part == b).filter_map(move |copy| Some((first?, copy)))
        })
    }

    /// Images whose part and class have the same picture before, with that one.
    fn repeated(&self) -> impl Iterator<Item = (&Copy, &Copy)> {
        self.sets.iter().flat_map(|set| {
            let same = |a: &Copy, b: &Copy| (a.part, a.label) == (b.part, b.label);
            let earlier = move |i: usize| set[..i].iter().find(|before| same(before, &set[i]));
            set.iter().enumerate().filter_map(move |(i, copy)| Some((earlier(i)?, copy)))
        })
    }

    /// What to tell of them, a sentence each; nothing if there are none. `sizes` are the numbers of images of the
    /// parts.
    #[must_use]
    pub fn sentences(&self, sizes: &[usize]) -> Vec<String> {
        self.remarks(sizes).into_iter().map(|(_, sentence)| sentence).collect()
    }

    /// The same, each behind its name: `validation-is-test`, `shared-images`, `contradicting-labels`, `repeated-images`.
    #[must_use]
    pub fn remarks(&self, sizes: &[usize]) -> Vec<(&'static str, String)> {
        let mut sentences = Vec::new();
        for b in 1..self.parts.len() {
            for a in 0..b {
                let shared: Vec<_> = self.shared(a, b).collect();
                if let Some((there, here)) = shared.first() {
                    let size = sizes.get(b).copied().unwrap_or_default();
                    let judges = self.parts[a] == "validation" && self.parts[b] == "test";
                    let name =
                        if judges && shared.len() == size { "validation-is-test" } else { "shared-images" };
                    let sentence = format!(
                        "{} of {size} {} images are {} images, too, such as {} and {}: the figures of that part are too good",
                        shared.len(),
                        self.parts[b],
                        self.parts[a],
                        there.path.shown(),
                        here.path.shown()
                    );
                    sentences.push((name, sentence));
                }
            }
        }
        let contradictions: Vec<&[Copy]> = self.contradictions().collect();
        if let Some([one, .., other]) = contradictions.first() {
            let count = contradictions.len();
            let other = contradictions[0].iter().find(|copy| copy.label != one.label).unwrap_or(other);
            let sentence = format!(
                "{count} {} in more than one class, such as {} and {}: one of the labels is wrong",
                either(count, "picture stands", "pictures stand"),
                one.path.shown(),
                other.path.shown()
            );
            sentences.push(("contradicting-labels", sentence));
        }
        let within = self.within();
        if let Some((first, copy)) = self.repeated().next() {
            let sentence = format!(
                "{within} {} of the same part and class, such as {} of {}",
                either(within, "image is a copy of another", "images are copies of others"),
                copy.path.shown(),
                first.path.shown()
            );
            sentences.push(("repeated-images", sentence));
        }
        sentences
    }
}
