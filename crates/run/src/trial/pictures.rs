//! The pictures of a trial: differences, curves, and the images that changed sides.

use super::changed::changed_images;
use super::curves::curves;
use super::differences::differences;
use super::known::Known;
use super::pair::Trial;
use crate::error::RunError;
use crate::observer::Observer;
use crate::plots::{PictureFormat, Plots};
use wellfit_proof::{Measured, Outcome};

/// Name and content of each.
pub(super) fn pictures(
    trial: &Trial<'_>,
    known: &Known,
    measured: &[Measured],
    outcome: &Outcome,
    observer: &mut dyn Observer,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let mut charts = vec![("differences".to_owned(), differences(trial.design, measured, outcome))];
    charts.extend(curves(trial, known)?);
    let plots = Plots { charts, problems: Vec::new() };
    let mut files = plots.files(&[PictureFormat::Png, PictureFormat::Svg], false)?;
    files.extend(changed_images(trial, known, observer)?);
    Ok(files)
}
