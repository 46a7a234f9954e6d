//! The images that a technique fixed or broke, as a sheet of pictures.

use super::known::Known;
use super::measure::right;
use super::pair::Trial;
use crate::error::RunError;
use crate::observer::Observer;
use crate::sheet::pictured;
use wellfit_data::Loader;
use wellfit_plot::{GridCell, ImageGrid, Look};
use wellfit_proof::trial::PairId;

/// The most images on a sheet: those that changed sides in the most pairs.
const IMAGES: usize = 24;
/// Images in a row.
const COLUMNS: usize = 6;
/// Height and width of the square around an image, in pixels of the layout.
const CELL: u32 = 112;

/// Name and content of a sheet for each arm that changed answers: the images that it fixed and then those that it broke, in the
/// most pairs first.
pub(super) fn changed_images(
    trial: &Trial<'_>,
    known: &Known,
    observer: &mut dyn Observer,
) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let mut sheets = Vec::new();
    let mut loader = None;
    for (technique, arm) in trial.arms[1..].iter().enumerate() {
        let (fixed, broken, pairs) = counts(known, technique);
        if fixed.iter().chain(&broken).all(|count| *count == 0) {
            continue;
        }
        if loader.is_none() {
            loader = Some(trial.prepare(0, 0, observer)?.val);
        }
        let Some(loader) = &loader else { continue };
        let chosen: Vec<(usize, String)> = [(&fixed, "fixed"), (&broken, "broken")]
            .into_iter()
            .flat_map(|(counts, word)| {
                let label = |image: usize| (image, format!("{word} {}/{pairs}", counts[image]));
                most(counts).into_iter().map(label).collect::<Vec<_>>()
            })
            .collect();
        let (title, subtitle) = (
            format!("Answers that {} changed", arm.name),
            format!("over {pairs} pairs: {} fixed, {} broken", sum(&fixed), sum(&broken)),
        );
        let cells = cells(loader, &chosen)?;
        let grid = ImageGrid {
            title: &title,
            subtitle: &subtitle,
            cells: &cells,
            columns: COLUMNS,
            cell_size: CELL,
        };
        sheets.push((format!("changed-{}.png", arm.directory), grid.draw(Look::SCREEN)?.to_png_bytes()?));
    }
    Ok(sheets)
}

/// In how many pairs each image was fixed and broken, and of how many.
fn counts(known: &Known, technique: usize) -> (Vec<u32>, Vec<u32>, usize) {
    let (mut fixed, mut broken, mut pairs) = (Vec::new(), Vec::new(), 0);
    for found in (0..).map_while(|pair| known.get(&PairId { pair, technique })) {
        let [Some(own), Some(other)] = found.arms.each_ref().map(|worth| worth.per_image.as_ref()) else {
            continue;
        };
        pairs += 1;
        fixed.resize(own.len(), 0);
        broken.resize(own.len(), 0);
        for (image, (was, is)) in right(own).into_iter().zip(right(other)).enumerate() {
            fixed[image] += u32::from(!was && is);
            broken[image] += u32::from(was && !is);
        }
    }
    (fixed, broken, pairs)
}

/// Half a sheet of the images that are counted most.
fn most(counts: &[u32]) -> Vec<usize> {
    let mut images: Vec<usize> = (0..counts.len()).filter(|image| counts[*image] > 0).collect();
    images.sort_by_key(|image| std::cmp::Reverse(counts[*image]));
    images.truncate(IMAGES / 2);
    images
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}

/// The images as the network sees them, each with its class and what happened to it.
fn cells(loader: &Loader, chosen: &[(usize, String)]) -> Result<Vec<GridCell>, RunError> {
    let all: Vec<_> = loader.plan(0).into_iter().flatten().collect();
    let plan = chosen.iter().filter_map(|(image, _)| {
        all.iter().find(|sample| sample.index as usize == *image).map(|sample| vec![*sample])
    });
    let mut cells = Vec::new();
    for (batch, (_, words)) in loader.load(plan.collect()).zip(chosen) {
        let (batch, classes) = (batch?, &loader.dataset().classes);
        // A name that is too long is cut at its end.
        let title = |place: usize| {
            let name = classes.get(batch.labels[place] as usize).map_or("", String::as_str);
            format!("{words} {name}")
        };
        cells.extend(pictured(&batch, loader.preprocessing(), title));
    }
    Ok(cells)
}
