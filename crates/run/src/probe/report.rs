//! All that a probe finds; as JSON, and as files in the run's directory.

use super::labels::{LabelProbe, labels};
use super::losses::{GapProbe, gap};
use super::material::Material;
use crate::duplicates::{duplicate_sheet, duplicates_json, find_duplicates};
use crate::error::RunError;
use crate::folds::folds_in;
use crate::observer::Observer;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wellfit_data::{Dataset, Duplicates};
use wellfit_record::{RunGroup, RunWriter};

/// The file in a run's directory that holds what a probe found.
pub const PROBE: &str = "probe.json";

/// What a probe found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The directory of the run, or of a cross-validation.
    pub run: PathBuf,
    /// The name of the data.
    pub name: String,
    /// Of what the gap consists; none of a cross-validation.
    pub gap: Option<GapProbe>,
    /// Labels that are probably wrong.
    pub labels: LabelProbe,
    /// Images that are there more than once.
    pub duplicates: Duplicates,
    /// The parts that were searched for them.
    pub parts: Vec<(&'static str, Dataset)>,
}

/// Probe a finished run, or all runs of a cross-validation. Nothing is changed: networks are copies.
///
/// # Errors
/// If the run or its images cannot be read, are others than it was trained on, or the observer interrupts.
pub fn probe(path: &Path, observer: &mut dyn Observer) -> Result<Probe, RunError> {
    let material = Material::of(path, observer)?;
    let duplicates = find_duplicates(&material.named(), observer)?;
    let labels = labels(&material, observer)?;
    let gap = gap(&material, observer)?;
    Ok(Probe { run: path.into(), name: material.name, gap, labels, duplicates, parts: material.parts })
}

impl Probe {
    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let right = self.labels.right.iter().filter(|right| **right).count();
        let share = |right: u64, images: u64| (images > 0).then(|| right as f64 / images as f64);
        let without = self
            .labels
            .without(&self.duplicates)
            .map(|(images, right)| json!({ "images": images, "accuracy": share(right, images) }));
        json!({
            "run": self.run.to_string_lossy(),
            "data": self.name,
            "gap": self.gap.as_ref().map(GapProbe::to_json),
            "labels": self.labels.to_json(),
            "duplicates": duplicates_json(&self.duplicates, &self.labels.images.classes),
            "accuracy": {
                "part": self.labels.part,
                "images": self.labels.right.len(),
                "accuracy": share(right as u64, self.labels.right.len() as u64),
                "without_duplicates": without,
            },
        })
    }

    /// Write `probe.json` into the run's directory, and the sheets there are to draw: `probe-labels.png`,
    /// `probe-duplicates.png`. Returns their names.
    ///
    /// # Errors
    /// If a picture cannot be drawn, the run is in use, or it cannot be written.
    pub fn write(&self) -> Result<Vec<&'static str>, RunError> {
        let mut files: Vec<(&'static str, Vec<u8>)> = Vec::new();
        if let Some(sheet) = self.labels.sheet()? {
            files.push(("probe-labels.png", sheet.to_png_bytes()?));
        }
        if !self.duplicates.sets.is_empty() {
            let parts: Vec<(&'static str, &Dataset)> =
                self.parts.iter().map(|(name, data)| (*name, data)).collect();
            let sheet = duplicate_sheet(&self.duplicates, &parts)?;
            files.push(("probe-duplicates.png", sheet.to_png_bytes()?));
        }
        files.push((PROBE, format!("{:#}\n", self.to_json()).into_bytes()));
        if folds_in(&self.run).is_some() {
            let group = RunGroup::resume(&self.run)?;
            files.iter().try_for_each(|(name, bytes)| group.write_file(name, bytes))?;
        } else {
            let run = RunWriter::resume(&self.run)?;
            files.iter().try_for_each(|(name, bytes)| run.write_file(name, bytes))?;
        }
        Ok(files.into_iter().map(|(name, _)| name).collect())
    }
}
