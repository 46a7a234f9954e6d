//! Pairs become sets: every image that shows the same picture.

use std::collections::HashMap;
use std::path::PathBuf;

use super::prints::{self, Print};
use super::search::{Pair, pairs};
use crate::error::DataError;
use crate::loader::{Dataset, PixelHash};

/// How an image is like another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same pixels.
    Copy,
    /// Nearly the same: saved again, of another size, lighter.
    Near,
    /// The same with left and right exchanged, or nearly so.
    Mirrored,
}

impl Likeness {
    /// For programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Near => "near",
            Self::Mirrored => "mirrored",
        }
    }
}

/// One of several images that show the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicate {
    /// The place of its part in [`Duplicates::parts`].
    pub part: usize,
    /// Its place in that part.
    pub position: usize,
    /// Its class.
    pub label: u32,
    /// Its file; of an image inside a larger file the name it goes by; `None` without either.
    pub path: Option<PathBuf>,
    /// Height and width, in pixels.
    pub size: (usize, usize),
    /// Which of its set it is most like, and how; not of itself, so the first has a word of it, too.
    pub like: usize,
    /// How it is like that one.
    pub likeness: Likeness,
    /// The correlation with it, 1 for a copy.
    pub correlation: f64,
}

/// Sets of images that show the same picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Duplicates {
    /// Each set, in the order of the parts; two or more images a set.
    pub sets: Vec<Vec<Duplicate>>,
    /// The names of the parts.
    pub parts: Vec<&'static str>,
}

impl Duplicates {
    /// The duplicates within and across `parts`, each with its name. `tell` hears how many images were looked at.
    ///
    /// Time grows with the images and with the pairs whose hashes are near; each image takes 1.3 kB of memory.
    ///
    /// # Errors
    /// If an image cannot be read.
    pub fn among(parts: &[(&'static str, &Dataset)], tell: &dyn Fn(usize)) -> Result<Self, DataError> {
        let mut images: Vec<(usize, usize)> = Vec::new();
        let mut all: Vec<Print> = Vec::new();
        for (part, (_, data)) in parts.iter().enumerate() {
            let before = all.len();
            all.extend(prints::of_part(data, &|done| tell(before + done))?);
            images.extend((0..data.len()).map(|position| (part, position)));
        }
        let links = links(&all);
        let mut sets = Forest::of(all.len(), &links).sets();
        let mut best: HashMap<usize, &Pair> = HashMap::new();
        for link in &links {
            for end in [link.a, link.b] {
                let known = best.entry(end).or_insert(link);
                if link.correlation > known.correlation {
                    *known = link;
                }
            }
        }
        let of = |set: &Vec<usize>, i: usize| {
            let ((part, position), link) = (images[i], best.get(&i)?);
            let other = if link.a == i { link.b } else { link.a };
            let data = parts[part].1;
            Some(Duplicate {
                part,
                position,
                label: data.labels[position],
                path: data.path(position).map(Into::into),
                size: all[i].size,
                like: set.binary_search(&other).ok()?,
                likeness: likeness(&all, link),
                correlation: link.correlation,
            })
        };
        let sets = sets.drain(..).map(|set| set.iter().filter_map(|&i| of(&set, i)).collect()).collect();
        Ok(Self { sets, parts: parts.iter().map(|(name, _)| *name).collect() })
    }

    /// How many images could go, if one of each set stayed.
    #[must_use]
    pub fn extra(&self) -> usize {
        self.sets.iter().map(|set| set.len() - 1).sum()
    }

    /// The images that are most like another in this way.
    #[must_use]
    pub fn count(&self, likeness: Likeness) -> usize {
        let of = |set: &Vec<Duplicate>| set.iter().skip(1).filter(|image| image.likeness == likeness).count();
        self.sets.iter().map(of).sum()
    }

    /// The images of part `b` that part `a` has, too, as they are or nearly so.
    pub fn shared(&self, a: usize, b: usize) -> impl Iterator<Item = &Duplicate> {
        let has = move |set: &&Vec<Duplicate>| set.iter().any(|image| image.part == a);
        self.sets.iter().filter(has).flat_map(move |set| set.iter().filter(move |image| image.part == b))
    }

    /// The sets whose images have different labels.
    pub fn contradictions(&self) -> impl Iterator<Item = &[Duplicate]> {
        let differ = |set: &&[Duplicate]| set.iter().any(|image| image.label != set[0].label);
        self.sets.iter().map(Vec::as_slice).filter(differ)
    }
}

/// The place in its set of the image that stays, and those of the others that may go: the image of the latest of the parts
/// stays, so that figures of validation and test stay those of the same images; of one part the largest in pixels; of
/// equals the first. Nothing goes of a set whose labels differ: one of them is wrong, and which cannot be known.
#[must_use]
pub fn choice(set: &[Duplicate]) -> (usize, Vec<usize>) {
    let rank = |i: usize| (set[i].part, set[i].size.0 * set[i].size.1);
    let stays = (0..set.len()).fold(0, |best, i| if rank(i) > rank(best) { i } else { best });
    let differ = set.iter().any(|image| image.label != set[0].label);
    (stays, (0..set.len()).filter(|&i| i != stays && !differ).collect())
}

/// The copies of a set, apart from what is only like them.
#[must_use]
pub fn copies_only(set: &[Duplicate]) -> Vec<Vec<Duplicate>> {
    let first = |i: usize| if set[i].likeness == Likeness::Copy { set[i].like.min(i) } else { i };
    let members = |kind: usize| {
        let of = (0..set.len()).filter(|&i| first(i) == kind);
        let copy =
            |i: usize| Duplicate { like: 0, likeness: Likeness::Copy, correlation: 1.0, ..set[i].clone() };
        of.map(copy).collect::<Vec<_>>()
    };
    (0..set.len()).map(members).filter(|members| members.len() > 1).collect()
}

fn likeness(all: &[Print], link: &Pair) -> Likeness {
    match link.mirrored {
        _ if all[link.a].pixels == all[link.b].pixels => Likeness::Copy,
        true => Likeness::Mirrored,
        false => Likeness::Near,
    }
}

/// Copies with the first of their kind, and the pairs among the firsts.
fn links(all: &[Print]) -> Vec<Pair> {
    let mut first: HashMap<PixelHash, usize> = HashMap::new();
    let (mut links, mut different) = (Vec::new(), Vec::new());
    for (i, print) in all.iter().enumerate() {
        let a = *first.entry(print.pixels).or_insert(i);
        if a == i {
            different.push(i);
        } else {
            links.push(Pair { a, b: i, correlation: 1.0, mirrored: false });
        }
    }
    let prints: Vec<&Print> = different.iter().map(|&i| &all[i]).collect();
    let near = pairs(&prints);
    links.extend(near.into_iter().map(|pair| Pair { a: different[pair.a], b: different[pair.b], ..pair }));
    links
}

/// Which images hang together (union-find); the root of each is its first.
struct Forest(Vec<usize>);

impl Forest {
    fn of(images: usize, links: &[Pair]) -> Self {
        let mut forest = Self((0..images).collect());
        for link in links {
            let (a, b) = (forest.root(link.a), forest.root(link.b));
            forest.0[a.max(b)] = a.min(b);
        }
        forest
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    /// The sets of two and more, each ascending, in the order of their firsts.
    fn sets(mut self) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = Vec::new();
        let mut place: HashMap<usize, usize> = HashMap::new();
        for i in 0..self.0.len() {
            let root = self.root(i);
            let set = *place.entry(root).or_insert_with(|| {
                sets.push(Vec::new());
                sets.len() - 1
            });
            sets[set].push(i);
        }
        sets.retain(|set| set.len() > 1);
        sets
    }
}
