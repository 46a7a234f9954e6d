//! The images: classes that lack some, and images that are in two parts.

use super::Concern;
use crate::classes::{ClassCounts, listed};
use crate::error::RunError;
use crate::experiment::Parts;
use std::collections::HashSet;
use wellfit_base::words::either;
use wellfit_data::Dataset;

/// What is wrong with the parts of the data. Images are known again by the hash of their pixels.
pub(super) fn concerns(parts: &Parts) -> Result<Vec<Concern>, RunError> {
    let mut concerns = classes(&ClassCounts::of(parts));
    concerns.extend(parts.copies().into_iter().map(|(name, sentence)| of_copies(name, sentence)));
    concerns.extend(shared_in_memory(parts)?);
    Ok(concerns)
}

fn classes(counts: &ClassCounts) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let trained: Vec<&str> =
        counts.rows.iter().filter(|(_, train, _)| *train > 0).map(|(name, ..)| name.as_str()).collect();
    if let [only] = trained[..] {
        let sentence = format!("all training images are of one class, {}", listed(&[only]));
        let advice = "add images of what it is to be told from";
        concerns.push(Concern::new("one-class", sentence).of(&[("classes", 1.0)]).advise(advice));
    }
    let untrained: Vec<&str> =
        counts.rows.iter().filter(|(_, train, _)| *train == 0).map(|(name, ..)| name.as_str()).collect();
    if !untrained.is_empty() {
        let sentence =
            format!("no training image of {}: the network cannot learn to answer so", listed(&untrained));
        let advice = "put images of it into the training part, or leave the class out";
        let count = untrained.len() as f64;
        concerns
            .push(Concern::new("class-without-training", sentence).of(&[("classes", count)]).advise(advice));
    }
    let missing = counts.without_validation();
    if !missing.is_empty() {
        let sentence =
            format!("no validation image of {}: validation says nothing about them", listed(&missing));
        concerns.push(
            Concern::new("class-without-validation", sentence).of(&[("classes", missing.len() as f64)]),
        );
    }
    concerns
}

fn of_copies(name: &'static str, sentence: String) -> Concern {
    let concern = Concern::new(name, sentence);
    match name {
        "validation-is-test" => concern.advise("leave the test part out, or keep other images for it"),
        "shared-images" => concern.advise("keep each image in one part"),
        _ => concern,
    }
}

/// The images that two parts have in common, where images are in memory: files are hashed when they are checked.
fn shared_in_memory(parts: &Parts) -> Result<Vec<Concern>, RunError> {
    let Parts { train, validation, test, .. } = parts;
    let test = test.as_ref().map(|test| ("test", test));
    let all: Vec<(&str, &Dataset)> =
        [("training", train), ("validation", validation)].into_iter().chain(test).collect();
    if all.iter().any(|(_, data)| data.native_size().is_none()) {
        return Ok(Vec::new());
    }
    let prints = all.iter().map(|(_, data)| data.prints()).collect::<Result<Vec<_>, _>>()?;
    let mut concerns = Vec::new();
    for later in 1..all.len() {
        for earlier in 0..later {
            let known: HashSet<u64> = prints[earlier].iter().copied().collect();
            let count = prints[later].iter().filter(|print| known.contains(print)).count();
            if count > 0 {
                concerns.push(shared(count, (all[earlier].0, all[later].0), prints[later].len()));
            }
        }
    }
    Ok(concerns)
}

fn shared(count: usize, (earlier, later): (&str, &str), images: usize) -> Concern {
    let whole = (earlier, later) == ("validation", "test") && count == images;
    let sentence = format!(
        "{count} of {images} {later} images {} {earlier} images, too: the figures of that part are too good",
        either(count, "is among the", "are")
    );
    let name = if whole { "validation-is-test" } else { "shared-images" };
    of_copies(name, sentence).of_counts(count, images)
}

impl Concern {
    fn of_counts(self, count: usize, images: usize) -> Self {
        self.of(&[("shared", count as f64), ("images", images as f64)])
    }
}
