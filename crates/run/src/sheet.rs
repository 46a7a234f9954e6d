//! What training sees: images of its first batch, resized and augmented.

use crate::error::RunError;
use crate::experiment::loader;
use crate::options::RunSpec;
use crate::preprocessing::preprocessing;
use wellfit_data::{Batch, Dataset, Loader, Preprocessing};
use wellfit_plot::{GridCell, ImageGrid, Look, Picture};

/// Images on the sheet that a run leaves.
pub(crate) const SHEET_IMAGES: usize = 16;

/// Height and width of the square around an image, in pixels of the layout: at twice the pixels an image of the usual
/// 224 × 224 is shown pixel by pixel.
const CELL: u32 = 112;

/// A picture of `count` images as a run with these settings would see them first if it trained on all of `data`: of the
/// right size and channels, augmented, with their labels. There are at most as many as there are in a batch.
///
/// # Errors
/// If settings or images cannot be used.
pub fn augmentation_sheet(
    spec: &RunSpec,
    data: &Dataset,
    name: &str,
    count: usize,
    look: Look,
) -> Result<Picture, RunError> {
    let spec = RunSpec { batch_size: spec.batch_size.max(count), ..spec.clone() };
    sheet(&loader(&spec, data, &preprocessing(&spec, data)?, true)?, name, count, look)
}

/// The first `count` images of the first batch.
pub(crate) fn sheet(loader: &Loader, name: &str, count: usize, look: Look) -> Result<Picture, RunError> {
    let mut samples = loader.plan(0).into_iter().next().unwrap_or_default();
    samples.truncate(count.max(1));
    let mut cells = Vec::new();
    for batch in loader.load(vec![samples]) {
        let (batch, classes) = (batch?, &loader.dataset().classes);
        let title = |place: usize| {
            let label = batch.labels[place];
            format!("{label} {}", classes.get(label as usize).map_or("", String::as_str))
        };
        cells.extend(pictured(&batch, loader.preprocessing(), title));
    }
    // Four at least, so that the line above them has room.
    let columns = ((cells.len() as f64).sqrt().ceil() as usize).max(4);
    let title = format!("What training sees of {name}");
    let subtitle = subtitle(loader);
    let grid = ImageGrid { title: &title, subtitle: &subtitle, cells: &cells, columns, cell_size: CELL };
    Ok(grid.draw(look)?)
}

/// `first images of epoch 1: 224 × 224, RGB, horizontal flip`; of many steps the names only.
fn subtitle(loader: &Loader) -> String {
    let Preprocessing { size: (height, width), channels, .. } = loader.preprocessing();
    let colour = if *channels == 1 { "grey" } else { "RGB" };
    let steps: Vec<String> =
        loader.augmentations().steps().iter().map(|step| step.name().replace('_', " ")).collect();
    if steps.len() > 2 {
        // All that there is room for.
        return steps.join(", ").replace("random ", "");
    }
    let steps = if steps.is_empty() { "no augmentation".to_owned() } else { steps.join(", ") };
    format!("first images of epoch 1: {height} × {width}, {colour}, {steps}")
}

/// The images of a batch, standardisation undone, each with the title of its place.
pub(crate) fn pictured(
    batch: &Batch,
    preprocessing: &Preprocessing,
    title: impl Fn(usize) -> String,
) -> Vec<GridCell> {
    let Preprocessing { channels, mean, std, .. } = preprocessing;
    let [_, height, width, _] = batch.shape;
    let level = |(i, value): (usize, &f32)| {
        let channel = i % channels;
        // From standardised to 0–1 to a grey level.
        ((value * std[channel] + mean[channel]) * 255.0).round().clamp(0.0, 255.0) as u8
    };
    let cell = |(place, image): (usize, &[f32])| GridCell {
        title: title(place),
        height,
        width,
        channels: *channels,
        pixels: image.iter().enumerate().map(level).collect(),
    };
    batch.images.chunks_exact(height * width * channels).enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{DataKind, Options};
    use std::sync::Arc;
    use wellfit_data::Images;

    /// Four images of 8×8 pixels whose left half has a grey level that tells them apart; the right half is white.
    fn data() -> Dataset {
        let image = |i: u8| (0..64).map(move |at| if at % 8 < 4 { 20 * (i + 1) } else { 255 });
        let pixels = Arc::new((0..4).flat_map(image).collect::<Vec<u8>>());
        let images = Images::Memory { height: 8, width: 8, channels: 1, pixels };
        Dataset::new(vec!["猫".to_owned(), "dog".to_owned()], vec![0, 1, 0, 1], images).unwrap()
    }

    fn spec(hflip: bool) -> RunSpec {
        let settings = Options {
            hflip: Some(hflip),
            vflip: Some(false),
            model: Some("mlp".to_owned()),
            ..Options::default()
        };
        settings.decide(DataKind::Idx { pixels: 8 }).unwrap()
    }

    /// The grey level of each image on the sheet, and whether it is mirrored.
    fn shown(spec: &RunSpec) -> Vec<(u8, bool)> {
        let picture = augmentation_sheet(spec, &data(), "squares", 4, Look::PLAIN).unwrap();
        // Squares of 112 pixels, 10 between them; title, subtitle and caption take 32, 24 and 20.
        let levels = [0, 1, 2, 3].map(|column| {
            let (left, top) = (10 + 122 * column, 32 + 24 + 10 + 20);
            [14, 98].map(|x| picture.pixel(left + x, top + 50).map_or(0, |color| color.red))
        });
        levels.iter().map(|&[left, right]| (left.min(right), left > right)).collect()
    }

    #[test]
    fn the_sheet_shows_the_pixels_that_training_gets() {
        for hflip in [false, true] {
            let spec = spec(hflip);
            let loader = loader(&spec, &data(), &preprocessing(&spec, &data()).unwrap(), true).unwrap();
            let order: Vec<u8> =
                loader.plan(0)[0].iter().map(|sample| 20 * (sample.index as u8 + 1)).collect();
            let shown = shown(&spec);
            assert_eq!(shown.iter().map(|(level, _)| *level).collect::<Vec<_>>(), order);
            // Of what happens at random this seed shows both.
            let mirrored = shown.iter().filter(|(_, mirrored)| *mirrored).count();
            assert_eq!((1..4).contains(&mirrored), hflip, "{shown:?}");
        }
    }

    #[test]
    fn the_subtitle_says_what_is_done_to_the_images() {
        for (hflip, steps) in
            [(true, "8 × 8, grey, horizontal flip"), (false, "8 × 8, grey, no augmentation")]
        {
            let spec = spec(hflip);
            let loader = loader(&spec, &data(), &preprocessing(&spec, &data()).unwrap(), true).unwrap();
            assert!(subtitle(&loader).ends_with(steps), "{}", subtitle(&loader));
        }
    }
}
