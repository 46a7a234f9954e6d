//! From settings and training images to what is done to each image.

use crate::error::RunError;
use crate::options::{RunSpec, Scaling};
use wellfit_data::{Dataset, Transform};

/// At most so many images are looked at: more change the third decimal.
const MOST_IMAGES: usize = 10_000;

/// What is done to the images of a run.
pub(crate) fn transform(spec: &RunSpec, train: &Dataset) -> Result<Transform, RunError> {
    let size = (spec.image_size, spec.image_size);
    let (size, channels) = match train.native_size() {
        None => (size, 3),
        Some((height, width, channels)) => {
            // torchvision's ResNets read colour; the small networks read what the data have.
            let small = spec.model == "resnet20" || spec.model.starts_with("mlp");
            let own = spec.image_size == height.max(width);
            (if own { (height, width) } else { size }, if small { channels } else { 3 })
        }
    };
    let (mean, std) = scaling(spec.scaling, channels, train)?;
    Ok(Transform { size, channels, hflip: spec.hflip, vflip: spec.vflip, mean, std })
}

/// What is subtracted from each channel and what it is divided by, in units of 0–1.
fn scaling(by: Scaling, channels: usize, train: &Dataset) -> Result<(Vec<f32>, Vec<f32>), RunError> {
    let same = |(mean, std): (f32, f32)| (vec![mean; channels], vec![std; channels]);
    Ok(match by {
        Scaling::ImageNet => {
            let Transform { mean, std, .. } = Transform::imagenet((1, 1));
            let average = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
            if channels == mean.len() { (mean, std) } else { same((average(&mean), average(&std))) }
        }
        Scaling::ZScore => same(mean_and_deviation(train)?),
        Scaling::MinMax => same(range(train)?),
    })
}

/// Mean and standard deviation of all pixels, in units of 0–1, for one channel and for RGB alike.
fn mean_and_deviation(train: &Dataset) -> Result<(f32, f32), RunError> {
    let (mut sum, mut squares, mut count) = (0_u64, 0_u64, 0_u64);
    each_image(train, |pixels| {
        for &pixel in pixels {
            sum += u64::from(pixel);
            squares += u64::from(pixel).pow(2);
            count += 1;
        }
    })?;
    let mean = sum as f64 / count as f64;
    let variance = squares as f64 / count as f64 - mean * mean;
    // A constant dataset has nothing to scale.
    let deviation = if variance > 0.0 { variance.sqrt() } else { 255.0 };
    Ok(((mean / 255.0) as f32, (deviation / 255.0) as f32))
}

/// The least pixel and the distance to the greatest, in units of 0–1.
fn range(train: &Dataset) -> Result<(f32, f32), RunError> {
    let (mut least, mut greatest) = (u8::MAX, u8::MIN);
    each_image(train, |pixels| {
        for &pixel in pixels {
            (least, greatest) = (least.min(pixel), greatest.max(pixel));
        }
    })?;
    let distance = if greatest > least { greatest - least } else { u8::MAX };
    Ok((f32::from(least.min(greatest)) / 255.0, f32::from(distance) / 255.0))
}

fn each_image(train: &Dataset, mut look: impl FnMut(&[u8])) -> Result<(), RunError> {
    let step = train.len().div_ceil(MOST_IMAGES);
    for place in (0..train.len()).step_by(step) {
        look(&train.image(place)?.pixels);
    }
    Ok(())
}
