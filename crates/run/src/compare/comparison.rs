//! Runs side by side.

use super::compared::{Compared, read, same_validation};
use super::differences::{Difference, differences};
use super::settings::{SettingRow, differing};
use crate::error::RunError;
use std::path::PathBuf;
use wellfit_base::Shown;

/// Runs side by side.
#[derive(Debug)]
pub struct Comparison {
    /// The runs, in the order in which they were given.
    pub runs: Vec<Compared>,
    /// The settings that differ.
    pub settings: Vec<SettingRow>,
    /// For each run but the first, its results against those of the first.
    pub differences: Vec<Vec<Difference>>,
    /// What keeps runs from being compared as they should.
    pub warnings: Vec<String>,
}

/// Compare runs with the first of them.
///
/// # Errors
/// If one cannot be read, or has not ended an epoch.
pub fn compare(paths: &[PathBuf]) -> Result<Comparison, RunError> {
    let mut warnings = Vec::new();
    let runs = paths.iter().map(|path| read(path.clone(), &mut warnings)).collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = runs.split_first() else {
        return Err(RunError::Unusable("give two runs or more to compare".to_owned()));
    };
    for other in others.iter().filter(|other| !same_validation(first, other)) {
        warnings.push(format!(
            "{} and {} were not judged by the same validation images: their figures differ for that alone",
            first.path.shown(),
            other.path.shown()
        ));
    }
    let differences = others.iter().map(|other| differences(first, other)).collect();
    Ok(Comparison { settings: differing(&runs), differences, warnings, runs })
}
