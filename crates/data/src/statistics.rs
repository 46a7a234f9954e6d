//! What the images of a dataset are like: sizes, proportions, colours.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::error::DataError;
use crate::loader::Dataset;

/// Figures of all images of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// How many images.
    pub images: usize,
    /// Width in pixels: the smallest, the median, the greatest.
    pub width: [usize; 3],
    /// Height, likewise.
    pub height: [usize; 3],
    /// Width divided by height, likewise.
    pub aspect: [f64; 3],
    /// Mean of each channel over all pixels, in units of 0–1: what `Normalize` of torchvision takes.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel, likewise.
    pub std: Vec<f64>,
    /// Images without colour: their channels are equal.
    pub grey: usize,
}

/// What one image adds.
#[derive(Default)]
struct Sums {
    pixels: u64,
    sum: [u64; 3],
    squares: [u64; 3],
    grey: usize,
    sizes: Vec<(usize, usize)>,
    channels: usize,
}

impl Sums {
    fn add(mut self, other: Self) -> Self {
        self.pixels += other.pixels;
        for channel in 0..3 {
            self.sum[channel] += other.sum[channel];
            self.squares[channel] += other.squares[channel];
        }
        self.grey += other.grey;
        self.sizes.extend(other.sizes);
        self.channels = self.channels.max(other.channels);
        self
    }
}

impl Statistics {
    /// Of all images, each decoded once. The sums are exact, so they do not depend on threads.
    ///
    /// # Errors
    /// If there are none, or one cannot be read.
    pub fn of(data: &Dataset) -> Result<Self, DataError> {
        let sums = (0..data.len())
            .into_par_iter()
            .map(|i| look(data, i))
            .try_reduce(Sums::default, |one, other| Ok(one.add(other)))?;
        if sums.sizes.is_empty() {
            return Err(DataError::Invalid("there are no images".to_owned()));
        }
        let of = |channel: usize| {
            let mean = sums.sum[channel] as f64 / sums.pixels as f64;
            let variance = (sums.squares[channel] as f64 / sums.pixels as f64 - mean * mean).max(0.0);
            (mean / 255.0, variance.sqrt() / 255.0)
        };
        let (mean, std) = (0..sums.channels).map(of).unzip();
        let width = spread(sums.sizes.iter().map(|&(_, width)| width), usize::cmp);
        let height = spread(sums.sizes.iter().map(|&(height, _)| height), usize::cmp);
        let aspects = sums.sizes.iter().map(|&(height, width)| width as f64 / height.max(1) as f64);
        let aspect = spread(aspects, f64::total_cmp);
        Ok(Self { images: sums.sizes.len(), width, height, aspect, mean, std, grey: sums.grey })
    }
}

fn look(data: &Dataset, i: usize) -> Result<Sums, DataError> {
    let image = data.image(i)?;
    let mut sums = Sums { channels: image.channels, ..Sums::default() };
    let mut is_grey = true;
    for pixel in image.pixels.chunks_exact(image.channels.max(1)) {
        for (channel, &value) in pixel.iter().enumerate().take(3) {
            sums.sum[channel] += u64::from(value);
            sums.squares[channel] += u64::from(value).pow(2);
        }
        is_grey &= pixel.iter().all(|&value| value == pixel[0]);
    }
    sums.pixels = (image.height * image.width) as u64;
    sums.grey = usize::from(is_grey);
    sums.sizes.push((image.height, image.width));
    Ok(sums)
}

/// The smallest, the median and the greatest of some numbers.
fn spread<T: Copy>(numbers: impl Iterator<Item = T>, order: impl Fn(&T, &T) -> Ordering) -> [T; 3] {
    let mut numbers: Vec<T> = numbers.collect();
    numbers.sort_unstable_by(order);
    [numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::Images;
    use std::sync::Arc;

    /// numpy: `x.mean((0, 1, 2)) / 255` and `x.std((0, 1, 2)) / 255` of these eight numbers a channel.
    #[test]
    fn mean_and_deviation_are_those_of_numpy() {
        let pixels: Vec<u8> = (0..8).flat_map(|n| [n * 10, 5, n]).collect();
        let images = Images::Memory { height: 2, width: 4, channels: 3, pixels: Arc::new(pixels) };
        let found = Statistics::of(&Dataset::new(vec!["a".into()], vec![0], images).unwrap()).unwrap();
        let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
        assert!(near(found.mean[0], 35.0 / 255.0) && near(found.std[0], 525_f64.sqrt() / 255.0), "{found:?}");
        assert!(near(found.mean[1], 5.0 / 255.0) && near(found.std[1], 0.0), "{found:?}");
        assert!(near(found.std[2], 5.25_f64.sqrt() / 255.0), "{found:?}");
        assert_eq!((found.width, found.height, found.aspect, found.grey), ([4; 3], [2; 3], [2.0; 3], 0));
    }
}
