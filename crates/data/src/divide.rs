//! Dividing data into a training, a validation and a test part, as folders.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use wellfit_base::Shown;
use wellfit_base::atomic;
use wellfit_base::hash::hex;
use wellfit_rng::{Rng, Stream};

use crate::error::DataError;
use crate::loader::Dataset;
use crate::open::Part;

/// Positions of the three parts: training, validation, test; each ascending.
pub type Divided = [Vec<u32>; 3];

/// Divide images so that each class has its share in each part, and images of one group lie in one part.
///
/// `shares` are those of validation and test. Which part an image is in follows from `seed`.
///
/// # Errors
/// If a share is not at least 0 and below 1, or both leave nothing to train on.
pub fn divide(
    labels: &[u32],
    classes: usize,
    groups: &[String],
    shares: [f64; 2],
    seed: u64,
) -> Result<Divided, DataError> {
    let [val, test] = shares;
    let is_share = |share: f64| (0.0..1.0).contains(&share);
    if !(is_share(val) && is_share(test) && val + test < 1.0 && val + test > 0.0) {
        let problem =
            format!("the shares {val} and {test} must be at least 0, and together above 0 and below 1");
        return Err(DataError::Invalid(problem));
    }
    // How many images of each class each part still lacks.
    let mut lacks = vec![vec![0.0; 3]; classes];
    for &label in labels {
        for (lack, share) in lacks[label as usize].iter_mut().zip([1.0 - val - test, val, test]) {
            *lack += share;
        }
    }
    let mut parts = deal(labels, groups, lacks, seed).into_iter();
    Ok(std::array::from_fn(|_| parts.next().unwrap_or_default()))
}

/// The validation images of each of `count` folds, ascending: every image is in one fold, and images of one group lie in
/// the same.
///
/// As scikit-learn's `StratifiedKFold`: of each class, and of all images, no fold has more than one image more than
/// another, but for groups of several images, which are dealt whole. Which fold an image is in follows from `seed`.
///
/// # Errors
/// If there are fewer than two folds, or no class has an image for each.
pub fn folds(
    labels: &[u32],
    classes: usize,
    groups: &[String],
    count: u32,
    seed: u64,
) -> Result<Vec<Vec<u32>>, DataError> {
    let n = count as usize;
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    // How many images of each class each fold gets: the sorted labels are dealt in turn.
    let mut lacks = vec![vec![0.0; n.min(labels.len())]; classes];
    let largest = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0);
    if n < 2 || largest < n {
        let problem = format!(
            "{count} folds: give at least 2, and at most as many as the largest class has images, {largest}"
        );
        return Err(DataError::Invalid(problem));
    }
    for (place, &label) in sorted.iter().enumerate() {
        lacks[label as usize][place % n] += 1.0;
    }
    Ok(deal(labels, groups, lacks, seed))
}

/// Deal images to parts that lack so many of each class, `[class][part]`: the largest groups first, those of one size in
/// an order that follows from `seed`, each to the part that lacks most of the group's classes. Positions, ascending.
fn deal(labels: &[u32], groups: &[String], mut lacks: Vec<Vec<f64>>, seed: u64) -> Vec<Vec<u32>> {
    let mut members: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (group, position) in groups.iter().zip(0..) {
        members.entry(group).or_default().push(position);
    }
    let mut members: Vec<Vec<u32>> = members.into_values().collect();
    Rng::new(seed, Stream::Split, 0, 0).shuffle(&mut members);
    members.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let count = lacks.first().map_or(0, Vec::len);
    let mut parts = vec![Vec::new(); count];
    for group in members {
        let need =
            |part: usize| group.iter().map(|&at| lacks[labels[at as usize] as usize][part]).sum::<f64>();
        // The first of equal ones: training.
        let part = (0..count).fold(0, |best, part| if need(part) > need(best) + 1e-9 { part } else { best });
        for &at in &group {
            lacks[labels[at as usize] as usize][part] -= 1.0;
        }
        parts[part].extend(group);
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}

/// What each image must stay together with: images of equal pixels have the same name.
#[must_use]
pub fn groups_of_copies(data: &Dataset) -> Vec<String> {
    (0..data.len()).map(|i| data.pixel_hash(i).map_or_else(|| i.to_string(), |hash| hex(&hash))).collect()
}

/// How images get to their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// A copy.
    Copy,
    /// A second name of the same file (a hard link), which takes no room.
    Link,
}

/// Write the images of a part into `out`, a folder for each class. No file that is there is touched.
///
/// Each file appears as a whole or not at all. Names that two images share get a number. Images that are no files are
/// written as PGM or PPM.
///
/// # Errors
/// If a file is there already, cannot be read, or cannot be written.
pub fn write(data: &Dataset, part: Part, out: &Path, transfer: Transfer) -> Result<usize, DataError> {
    let folders = folders(&data.classes)?;
    let mut used: BTreeSet<PathBuf> = BTreeSet::new();
    for i in 0..data.len() {
        let folder = out.join(part.folder()).join(&folders[data.labels[i] as usize]);
        fs::create_dir_all(&folder).map_err(DataError::io(&folder))?;
        let target = free(&folder, &file_name(data, i), &mut used);
        if target.exists() {
            return Err(DataError::Invalid(format!(
                "{} is there already: nothing is replaced",
                target.shown()
            )));
        }
        match (transfer, data.path(i).filter(|path| path.is_file())) {
            (Transfer::Link, Some(path)) => {
                let real = path.canonicalize().map_err(DataError::io(path))?;
                fs::hard_link(real, &target).map_err(DataError::io(&target))?;
            }
            _ => atomic::replace_one_of_many(&target, &bytes(data, i)?).map_err(DataError::io(&target))?,
        }
    }
    Ok(data.len())
}

/// The folder of each class; `/` cannot be in a name.
fn folders(classes: &[String]) -> Result<Vec<String>, DataError> {
    let folders: Vec<String> = classes.iter().map(|class| class.replace(['/', '\\'], "_")).collect();
    let mut seen = HashMap::new();
    for (folder, class) in folders.iter().zip(classes) {
        if let Some(other) = seen.insert(folder, class) {
            let problem =
                format!("the classes ‘{other}’ and ‘{class}’ would have one folder: rename one of them");
            return Err(DataError::Invalid(problem));
        }
        if folder.starts_with('.') || folder.is_empty() {
            let problem = format!("the class ‘{class}’ would have a folder that no program shows: rename it");
            return Err(DataError::Invalid(problem));
        }
    }
    Ok(folders)
}

fn file_name(data: &Dataset, i: usize) -> String {
    match data.path(i).and_then(Path::file_name) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => format!(
            "{i:06}.{}",
            if data.native_size().is_some_and(|size| size.2 == 1) { "pgm" } else { "ppm" }
        ),
    }
}

/// The name in the folder, with a number where another image has it.
fn free(folder: &Path, name: &str, used: &mut BTreeSet<PathBuf>) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "img"));
    let names =
        (1..).map(|number| if number == 1 { name.to_owned() } else { format!("{stem}-{number}.{ending}") });
    let mut paths = names.map(|name| folder.join(name));
    paths.find(|path| used.insert(path.clone())).unwrap_or_else(|| folder.join(name))
}

fn bytes(data: &Dataset, i: usize) -> Result<Vec<u8>, DataError> {
    if let Some(path) = data.path(i) {
        return data.read(path);
    }
    let image = data.image(i)?;
    let kind = if image.channels == 1 { 5 } else { 6 };
    let header = format!("P{kind}\n{} {}\n255\n", image.width, image.height);
    Ok([header.as_bytes(), &image.pixels].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_share_and_the_seed_decides() {
        let labels: Vec<u32> = (0..100).map(|i| u32::from(i % 5 == 0)).collect();
        let alone: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let of = |seed| divide(&labels, 2, &alone, [0.2, 0.1], seed).unwrap();
        let parts = of(0);
        let count = |part: &[u32], class| part.iter().filter(|&&at| labels[at as usize] == class).count();
        for (part, [common, rare]) in parts.iter().zip([[56, 14], [16, 4], [8, 2]]) {
            assert_eq!([count(part, 0), count(part, 1)], [common, rare]);
        }
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<u32>>());
        assert_eq!(of(0), parts);
        assert_ne!(of(1), parts);
    }

    #[test]
    fn groups_stay_together() {
        let labels: Vec<u32> = (0..60).map(|i| i % 2).collect();
        let groups: Vec<String> = (0..60).map(|i| (i / 6).to_string()).collect();
        let parts = divide(&labels, 2, &groups, [0.2, 0.2], 3).unwrap();
        let of = |part: &Vec<u32>| part.iter().map(|at| at / 6).collect::<BTreeSet<u32>>();
        assert!(of(&parts[0]).is_disjoint(&of(&parts[1])) && of(&parts[1]).is_disjoint(&of(&parts[2])));
        assert_eq!(parts.each_ref().map(Vec::len), [36, 12, 12]);
        assert!(divide(&labels, 2, &groups, [0.5, 0.5], 0).is_err());
        assert!(divide(&labels, 2, &groups, [0.0, 0.0], 0).is_err());
    }

    #[test]
    fn folds_are_as_scikit_learns() {
        // Nine classes of different sizes: `StratifiedKFold(4)` has these counts of each class in each fold.
        let labels: Vec<u32> = (0..9u32).flat_map(|class| vec![class; 4 + class as usize]).collect();
        let alone: Vec<String> = (0..labels.len()).map(|i| i.to_string()).collect();
        let parts = folds(&labels, 9, &alone, 4, 5).unwrap();
        for class in 0..9 {
            let counts: Vec<usize> = parts
                .iter()
                .map(|part| part.iter().filter(|&&at| labels[at as usize] == class).count())
                .collect();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(
                most - least <= 1 && counts.iter().sum::<usize>() == 4 + class as usize,
                "{class}: {counts:?}"
            );
        }
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [18; 4]);
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..72).collect::<Vec<u32>>(), "each image once");
        assert_eq!(folds(&labels, 9, &alone, 4, 5).unwrap(), parts);
        assert_ne!(folds(&labels, 9, &alone, 4, 6).unwrap(), parts);
    }

    #[test]
    fn copies_lie_in_one_fold() {
        let labels: Vec<u32> = (0..60).map(|i| i % 3).collect();
        let groups: Vec<String> = (0..60).map(|i| if i < 12 { i / 4 } else { i }.to_string()).collect();
        let parts = folds(&labels, 3, &groups, 5, 0).unwrap();
        let of = |at: u32| parts.iter().position(|part| part.contains(&at)).unwrap();
        assert!((0..12).all(|at| of(at) == of(at / 4 * 4)));
        assert!(parts.iter().all(|part| part.len() == 12), "{parts:?}");
        for (labels, count) in [(&labels[..], 1), (&labels, 21), (&[0, 1, 2], 2), (&labels, 0), (&[], 2)] {
            assert!(folds(labels, 3, &groups[..labels.len()], count, 0).is_err(), "{count} of {labels:?}");
        }
    }
}
