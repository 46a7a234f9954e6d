//! The small pictures of a run's page: its most confident mistakes with what spoke for them, and what training saw.

use crate::classifier::{Answer, Classifier};
use crate::error::RunError;
use crate::heat::{enlarged, heated};
use crate::sheet::pictured;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use wellfit_data::{Dataset, Loader};
use wellfit_images::{RawImage, with_channels};
use wellfit_plot::GridCell;
use wellfit_report::{Pictures, Shot, in_base64};

/// Pictures of each kind.
const SHOTS: usize = 12;
/// Their longer side in pixels: mistakes and training images.
const SIDES: (usize, usize) = (176, 112);
/// From 1 to 100: nothing is seen of what is lost, at this size.
const QUALITY: u8 = 82;

/// The pictures of a run with these answers to its validation images. An image that cannot be read any more is left out.
///
/// # Errors
/// If a picture cannot be encoded.
pub(crate) fn pictures(
    classifier: &Classifier,
    answers: &[Answer],
    (train, val): (&Loader, &Dataset),
) -> Result<Pictures, RunError> {
    let mut wrong: Vec<&Answer> = answers.iter().filter(|answer| answer.class != answer.predicted).collect();
    wrong.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.image.cmp(&b.image)));
    wrong.truncate(SHOTS);
    let mut mistakes = Vec::new();
    for answer in wrong {
        mistakes.extend(mistake(classifier, answer, val)?);
    }
    let steps = train.augmentations().steps();
    Ok(Pictures {
        mistakes,
        seen: seen(train)?,
        augmentations: steps.iter().map(|step| step.name().replace('_', " ")).collect(),
    })
}

fn mistake(classifier: &Classifier, answer: &Answer, val: &Dataset) -> Result<Option<Shot>, RunError> {
    let Ok(picture) = val.image(answer.image) else { return Ok(None) };
    let class = |class: u32| classifier.classes.get(class as usize).cloned().unwrap_or_default();
    // The map is of the picture as the network takes it, which has more than eight bits where it was trained with them.
    let explanation = val
        .image_as(answer.image, classifier.preprocessing.depth)
        .ok()
        .and_then(|picture| classifier.explanation(picture));
    let part = explanation.as_ref().map(|explanation| &explanation.picture).filter(|part| !part.deep);
    let (size, pixels) = small(part.unwrap_or(&picture), SIDES.0);
    let heat = explanation.as_ref().map(|explanation| jpeg(&heated(&pixels, size, explanation), size));
    Ok(Some(Shot {
        file: val.path(answer.image).map(|path| path.to_string_lossy().into_owned()),
        label: class(answer.class),
        predicted: Some(class(answer.predicted)),
        probability: Some(answer.probability),
        size: (size.1 as u32, size.0 as u32),
        jpeg: jpeg(&pixels, size)?,
        heat: heat.transpose()?,
    }))
}

/// Images of the first batch of training.
fn seen(train: &Loader) -> Result<Vec<Shot>, RunError> {
    let mut samples = train.plan(0).into_iter().next().unwrap_or_default();
    samples.truncate(SHOTS);
    let classes = &train.dataset().classes;
    let mut shots = Vec::new();
    for batch in train.load(vec![samples]) {
        // What cannot be read any more is no reason to lose a run that was trained.
        let Ok(batch) = batch else { continue };
        let title = |place: usize| classes.get(batch.labels[place] as usize).cloned().unwrap_or_default();
        for cell in pictured(&batch, train.preprocessing(), title) {
            let GridCell { title, height, width, channels, pixels } = cell;
            let picture = RawImage { height, width, channels, pixels, deep: false };
            let (size, pixels) = small(&picture, SIDES.1);
            let jpeg = jpeg(&pixels, size)?;
            let size = (size.1 as u32, size.0 as u32);
            shots.push(Shot { label: title, size, jpeg, ..Shot::default() });
        }
    }
    Ok(shots)
}

/// A picture in RGB whose longer side has at most so many pixels, and its size. One that is much smaller has each of its pixels
/// several times, so that they stay sharp on the page.
fn small(picture: &RawImage, longest: usize) -> ((usize, usize), Vec<u8>) {
    let RawImage { height, width, channels, ref pixels, .. } = *picture;
    let times = longest / height.max(width).max(1);
    if times < 2 {
        return enlarged(picture, longest.min(height.max(width)));
    }
    let pixels = with_channels(pixels, channels, 3);
    let size = (height * times, width * times);
    let pixel = |place: usize| {
        let from = 3 * ((place / size.1 / times) * width + place % size.1 / times);
        [pixels[from], pixels[from + 1], pixels[from + 2]]
    };
    (size, (0..size.0 * size.1).flat_map(pixel).collect())
}

/// RGB pixels as JPEG in Base64.
fn jpeg(pixels: &[u8], (height, width): (usize, usize)) -> Result<String, RunError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    // Colours as fine as light and dark: pixels that were made large have sharp edges.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder
        .encode(pixels, width as u16, height as u16, ColorType::Rgb)
        .map_err(|error| RunError::Output(format!("a picture cannot be encoded: {error}")))?;
    Ok(in_base64(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_stay_sharp_and_large_ones_become_small() {
        let picture = RawImage { height: 1, width: 2, channels: 1, pixels: vec![0, 255], deep: false };
        let (size, pixels) = small(&picture, 5);
        assert_eq!(size, (2, 4));
        assert_eq!(pixels[..12], [0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
        let picture = RawImage { height: 4, width: 400, channels: 1, pixels: vec![9; 1600], deep: false };
        let (size, pixels) = small(&picture, 100);
        assert_eq!((size, pixels), ((1, 100), vec![9; 300]));
    }
}
