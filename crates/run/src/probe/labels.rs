//! Labels that are probably wrong, by networks that were not trained on the images.

use super::material::Material;
use crate::duplicates::{cell, image_name};
use crate::error::RunError;
use crate::observer::Observer;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use wellfit_data::{Dataset, Duplicates};
use wellfit_diagnose::probes::{Suspect, suspects};
use wellfit_plot::{ImageGrid, Look, Picture};

/// Suspects on the sheet.
const SHOWN: usize = 20;
/// Side of the square around each, in pixels of the layout.
const CELL: u32 = 170;

/// Suspects among the labels of images that have answers out of sample.
#[derive(Debug, Clone)]
pub struct LabelProbe {
    /// Which part they are: `val`; of a cross-validation `train`.
    pub part: &'static str,
    /// The images, with the classes of the network.
    pub images: Dataset,
    /// Their probabilities, `[N, classes]`.
    pub probabilities: Vec<f64>,
    /// Whether each is answered rightly.
    pub right: Vec<bool>,
    /// The suspects, most suspect first.
    pub suspects: Vec<Suspect>,
}

/// Find them.
pub(super) fn labels(material: &Material, observer: &mut dyn Observer) -> Result<LabelProbe, RunError> {
    let (part, images) = &material.judged;
    let classes = images.classes.len();
    let (mut probabilities, mut right) = (vec![0.0; images.len() * classes], vec![false; images.len()]);
    for judge in &material.judges {
        let data = images.subset(&judge.places);
        let found = judge.classifier.evaluate(&data, material.batch_size, observer)?;
        let outputs = judge.classifier.classes.len();
        // The classes of the data as outputs of the network, which may have more.
        let place = |class: &String| judge.classifier.classes.iter().position(|own| own == class);
        let places: Vec<Option<usize>> = images.classes.iter().map(place).collect();
        let rows = found.logits.chunks_exact(outputs).zip(found.right);
        for (&at, (row, is_right)) in judge.places.iter().zip(rows) {
            let (at, shares) = (at as usize, softmax(row));
            right[at] = is_right;
            for (share, place) in probabilities[at * classes..][..classes].iter_mut().zip(&places) {
                *share = place.map_or(0.0, |place| shares[place]);
            }
        }
    }
    let suspects = suspects(&probabilities, &images.labels, classes);
    Ok(LabelProbe { part, images: images.clone(), probabilities, right, suspects })
}

/// The probabilities in double precision: those of sure answers differ from 1 by less than a float shows.
fn softmax(row: &[f32]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = row.iter().map(|&x| libm::exp(f64::from(x) - f64::from(largest))).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

impl LabelProbe {
    /// The name of a class.
    #[must_use]
    pub fn class(&self, class: u32) -> &str {
        self.images.classes.get(class as usize).map_or("", String::as_str)
    }

    /// What an image is called.
    #[must_use]
    pub fn image(&self, place: usize) -> String {
        image_name(self.images.path(place), self.part, place)
    }

    /// Images and right answers among those that no image of another part shows, nor one before them; none if the images
    /// are in no part of `duplicates`.
    #[must_use]
    pub fn without(&self, duplicates: &Duplicates) -> Option<(u64, u64)> {
        let part = duplicates.parts.iter().position(|name| *name == self.part)?;
        let mut stays = vec![true; self.right.len()];
        for set in &duplicates.sets {
            let elsewhere = set.iter().any(|image| image.part != part);
            let own = set.iter().filter(|image| image.part == part);
            for image in own.skip(usize::from(!elsewhere)) {
                stays[image.position] = false;
            }
        }
        let images = stays.iter().filter(|stays| **stays).count() as u64;
        let right = stays.iter().zip(&self.right).filter(|(stays, right)| **stays && **right).count() as u64;
        Some((images, right))
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let suspect = |suspect: &Suspect| {
            json!({
                "position": suspect.image,
                "path": self.images.path(suspect.image).map(Path::to_string_lossy),
                "class": self.class(suspect.label),
                "guess": self.class(suspect.guess),
                "probability": suspect.of_label,
                "probability_of_guess": suspect.of_guess,
            })
        };
        json!({
            "part": self.part,
            "images": self.images.len(),
            "suspects": self.suspects.iter().map(suspect).collect::<Vec<Value>>(),
        })
    }

    /// The answers that it was judged by, as CSV: the place of the image, its label as a number, and the probability of each
    /// class, for other programs.
    #[must_use]
    pub fn csv(&self) -> String {
        let classes = self.images.classes.len();
        let mut text = "position,label".to_owned();
        (0..classes).for_each(|class| {
            let _ = write!(text, ",p{class}");
        });
        for (at, (row, label)) in
            self.probabilities.chunks_exact(classes.max(1)).zip(&self.images.labels).enumerate()
        {
            let _ = write!(text, "\n{at},{label}");
            row.iter().for_each(|share| {
                let _ = write!(text, ",{share:e}");
            });
        }
        text.push('\n');
        text
    }

    /// The most suspect images, with their label and what they look like; none without suspects.
    ///
    /// # Errors
    /// If an image cannot be read any more, or the picture cannot be drawn.
    pub fn sheet(&self) -> Result<Option<Picture>, RunError> {
        let mut cells = Vec::new();
        for suspect in self.suspects.iter().take(SHOWN) {
            let (guess, label) = (self.class(suspect.guess), self.class(suspect.label));
            let title = format!("{:.0} % {guess}, not {label}", 100.0 * suspect.of_guess);
            cells.push(cell(&self.images, suspect.image, title)?);
        }
        if cells.is_empty() {
            return Ok(None);
        }
        let subtitle =
            format!("{} of {} labels, the most suspect first", self.suspects.len(), self.images.len());
        let title = "Labels that are probably wrong";
        let grid = ImageGrid { title, subtitle: &subtitle, cells: &cells, columns: 5, cell_size: CELL };
        Ok(Some(grid.draw(Look::SCREEN)?))
    }
}
