//! What is subtracted from pixels and what they are divided by.

pub mod scaler;

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use wellfit_images::Depth;

use crate::error::DataError;
use crate::loader::Dataset;
use crate::preprocessing::{IMAGENET_MEAN, IMAGENET_STD};
use scaler::{MinMaxScaler, StandardScaler};

/// How pixels are scaled: where the mean and the standard deviation of a
/// [`Preprocessing`](crate::Preprocessing) come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// The statistics of ImageNet, which weights trained on it expect. Grey has the mean over the three channels.
    ImageNet,
    /// The training set's own: its pixels get mean 0 and variance 1, all channels alike.
    ZScore,
    /// The training set's least and greatest level become 0 and 1, all channels alike. Where those are 0 and 255 this
    /// is torchvision's `ToTensor` alone.
    MinMax,
    /// (level − 127) / 128 for levels from 0 to 255, which EfficientNet-Lite's weights expect (tensorflow/tpu,
    /// `efficientnet/lite/efficientnet_lite_builder.py`).
    Lite,
}

impl Scaling {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ImageNet, Self::ZScore, Self::MinMax, Self::Lite];

    /// The mean and the standard deviation of each of `channels`, in units of 0–1, from the training images, decoded
    /// at that `depth`.
    ///
    /// # Errors
    /// If an image cannot be read, or there is none to learn from.
    pub fn statistics(
        self,
        train: &Dataset,
        channels: usize,
        depth: Depth,
    ) -> Result<(Vec<f32>, Vec<f32>), DataError> {
        let (mean, std) = match self {
            Self::ImageNet if channels == 3 => return Ok((IMAGENET_MEAN.to_vec(), IMAGENET_STD.to_vec())),
            Self::ImageNet => (average(IMAGENET_MEAN), average(IMAGENET_STD)),
            Self::Lite => (127.0 / 255.0, 128.0 / 255.0),
            Self::ZScore => pixel_statistics(train, depth)?,
            Self::MinMax => {
                let scaler = MinMaxScaler::of_images(train, depth)?;
                (scaler.min[0] as f32, scaler.scale[0] as f32)
            }
        };
        Ok((vec![mean; channels], vec![std; channels]))
    }

    fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "imagenet",
            Self::ZScore => "zscore",
            Self::MinMax => "minmax",
            Self::Lite => "lite",
        }
    }
}

fn average(channels: [f32; 3]) -> f32 {
    channels.iter().sum::<f32>() / 3.0
}

impl Display for Scaling {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scaling {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        let found = Self::ALL.into_iter().find(|scaling| scaling.name() == name);
        found.ok_or_else(|| {
            DataError::Invalid(format!("‘{name}’ is no scaling: there are imagenet, zscore, minmax and lite"))
        })
    }
}

/// Mean and standard deviation of all pixels, in units of 0–1, for one channel and for RGB alike. Of at most
/// 10,000 images: more change the third decimal.
///
/// # Errors
/// If an image cannot be read, or there is none.
pub fn pixel_statistics(train: &Dataset, depth: Depth) -> Result<(f32, f32), DataError> {
    let scaler = StandardScaler::of_images(train, depth)?;
    Ok((scaler.mean[0] as f32, scaler.scale[0] as f32))
}

/// The most images that a scaler learns from.
const MOST_IMAGES: usize = 10_000;

/// Show `look` the pixels of up to 10,000 images, evenly spread over the dataset.
fn for_each_image(train: &Dataset, depth: Depth, mut look: impl FnMut(&[u8])) -> Result<(), DataError> {
    if train.is_empty() {
        return Err(DataError::Invalid("a scaler cannot learn from no data".into()));
    }
    for place in (0..train.len()).step_by(train.len().div_ceil(MOST_IMAGES)) {
        look(&train.image_as(place, depth)?.pixels);
    }
    Ok(())
}

impl StandardScaler {
    /// The statistics of all pixels of up to 10,000 images as one feature, in units of 0–1. The sums are exact.
    ///
    /// # Errors
    /// If an image cannot be read, or there is none.
    pub fn of_images(train: &Dataset, depth: Depth) -> Result<Self, DataError> {
        let (mut sum, mut squares, mut count) = (0_u64, 0_u64, 0_u64);
        for_each_image(train, depth, |pixels| {
            for &pixel in pixels {
                sum += u64::from(pixel);
                squares += u64::from(pixel).pow(2);
            }
            count += pixels.len() as u64;
        })?;
        let mean = sum as f64 / count as f64;
        let variance = squares as f64 / count as f64 - mean * mean;
        // A constant dataset has nothing to scale.
        let deviation = if variance > 0.0 { variance.sqrt() } else { 255.0 };
        Ok(Self { mean: vec![mean / 255.0], scale: vec![deviation / 255.0] })
    }
}

impl MinMaxScaler {
    /// The range of all pixels of up to 10,000 images as one feature, in units of 0–1.
    ///
    /// # Errors
    /// If an image cannot be read, or there is none.
    pub fn of_images(train: &Dataset, depth: Depth) -> Result<Self, DataError> {
        let (mut least, mut greatest) = (u8::MAX, u8::MIN);
        for_each_image(train, depth, |pixels| {
            least = pixels.iter().fold(least, |least, &pixel| least.min(pixel));
            greatest = pixels.iter().fold(greatest, |greatest, &pixel| greatest.max(pixel));
        })?;
        let range = if greatest > least { greatest - least } else { 255 };
        Ok(Self { min: vec![f64::from(least) / 255.0], scale: vec![f64::from(range) / 255.0] })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loader::Images;

    fn images(pixels: Vec<u8>) -> Dataset {
        let labels = vec![0; pixels.len() / 2];
        let images = Images::Memory { height: 1, width: 2, channels: 1, pixels: Arc::new(pixels) };
        Dataset::new(vec!["a".into(), "b".into()], labels, images).unwrap()
    }

    #[test]
    fn each_scaling_has_its_statistics() {
        let train = images(vec![51, 51, 51, 255]);
        let of = |scaling: Scaling, channels| scaling.statistics(&train, channels, Depth::Clip).unwrap();
        assert_eq!(of(Scaling::ImageNet, 3), (IMAGENET_MEAN.to_vec(), IMAGENET_STD.to_vec()));
        let (mean, std) = of(Scaling::ImageNet, 1);
        assert!((mean[0] - 0.449).abs() < 1e-6 && (std[0] - 0.226).abs() < 1e-6, "{mean:?} {std:?}");
        // Mean 102, variance 51² · 3.
        let (mean, std) = of(Scaling::ZScore, 3);
        let root = (3.0_f64.sqrt() / 5.0) as f32;
        assert_eq!(mean, [0.4; 3]);
        assert!(std.iter().all(|std| (std - root).abs() < 1e-7), "{std:?}");
        assert_eq!(of(Scaling::MinMax, 1), (vec![0.2], vec![0.8]));
    }

    #[test]
    fn a_constant_set_is_not_divided_by_zero() {
        let train = images(vec![51; 4]);
        for scaling in [Scaling::ZScore, Scaling::MinMax] {
            assert_eq!(
                scaling.statistics(&train, 1, Depth::Clip).unwrap(),
                (vec![0.2], vec![1.0]),
                "{scaling}"
            );
        }
        assert!(Scaling::ZScore.statistics(&train.subset(&[]), 1, Depth::Clip).is_err());
    }

    #[test]
    fn names_are_read_and_written() {
        for scaling in Scaling::ALL {
            assert_eq!(scaling.to_string().parse::<Scaling>().unwrap(), scaling);
        }
        assert!("robust".parse::<Scaling>().unwrap_err().to_string().contains("‘robust’"));
    }
}
