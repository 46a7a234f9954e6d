//! What is kept of each image to compare it: its difference hash, and a few pixels.

use rayon::prelude::*;
use wellfit_images::{Depth, Interpolation, resize, with_channels};

use crate::error::DataError;
use crate::loader::{Dataset, PixelHash};

/// By how many of 255 levels a pixel must be lighter than its neighbour to set a bit of the hash. dHash has 0, which
/// makes the bits of an even background a matter of the noise that a JPEG file brings.
pub const MARGIN: u8 = 8;
/// Side of the small image, in pixels.
const SIDE: usize = 10;
/// Numbers of a small image: colour, and zeros up to a multiple of sixteen.
pub(super) const ROW: usize = (SIDE * SIDE * 3).next_multiple_of(16);
/// Below this standard deviation of the small image, in levels, an image is plain, and only copies are told.
const PLAIN: f64 = 3.0;
/// So many images have a mean that is not one of them. Of fewer none is taken away.
const MANY: usize = 100;
/// An image that is this near to the mean of all, of length 1, has nothing of its own.
const NOTHING_OWN: f64 = 0.05;
/// Images that are decoded before progress is told.
const TOGETHER: usize = 512;

/// What is kept of an image.
#[derive(Debug, Clone)]
pub(super) struct Print {
    pub pixels: PixelHash,
    /// Height and width.
    pub size: (usize, usize),
    pub hash: u64,
    pub mirrored: u64,
    /// How far the mean of each channel is from the mean of all, in levels: 0 for grey.
    pub colour: [f64; 3],
    /// `[SIDE, SIDE, 3]`, each channel less its mean, of length 1; `None` for a plain image.
    row: Option<Box<[f32]>>,
}

/// The prints of all images of a part, in its order.
pub(super) fn of_part(data: &Dataset, tell: &dyn Fn(usize)) -> Result<Vec<Print>, DataError> {
    let mut prints = Vec::with_capacity(data.len());
    while prints.len() < data.len() {
        let last = data.len().min(prints.len() + TOGETHER);
        let block: Result<Vec<Print>, DataError> =
            (prints.len()..last).into_par_iter().map(|i| Print::of(data, i)).collect();
        prints.extend(block?);
        tell(prints.len());
    }
    Ok(prints)
}

impl Print {
    fn of(data: &Dataset, i: usize) -> Result<Self, DataError> {
        let mut image = data.image_as(i, Depth::Clip)?;
        if image.deep {
            image = data.image_as(i, Depth::Scale)?;
        }
        let (size, channels) = ((image.height, image.width), image.channels);
        let small = |to| resize(&image.pixels, size, channels, to, Interpolation::Bilinear);
        let nine = small((8, 9));
        let grey = with_channels(&nine, channels, 1);
        let ten = small((SIDE, SIDE));
        let ten = with_channels(&ten, channels, 3);
        let means = means(&ten);
        let grey_level = means.iter().sum::<f64>() / 3.0;
        let mirrored: Vec<u8> = grey.chunks_exact(9).flat_map(|line| line.iter().rev()).copied().collect();
        Ok(Self {
            pixels: data.hash_of_pixels(i)?,
            size,
            hash: hash(&grey),
            mirrored: hash(&mirrored),
            colour: means.map(|mean| mean - grey_level),
            row: unit(&ten, means),
        })
    }
}

/// A bit for each pixel and its right neighbour, of `[8, 9]`.
fn hash(grey: &[u8]) -> u64 {
    let bits = grey.chunks_exact(9).flat_map(|line| line.windows(2));
    bits.fold(0, |hash, pair| hash << 1 | u64::from(pair[1] > pair[0].saturating_add(MARGIN)))
}

/// The mean of each channel of RGB pixels.
fn means(pixels: &[u8]) -> [f64; 3] {
    let sum = |channel| pixels.iter().skip(channel).step_by(3).map(|&level| f64::from(level)).sum::<f64>();
    std::array::from_fn(sum).map(|sum: f64| sum * 3.0 / pixels.len() as f64)
}

/// The same pixels, each channel less its mean, of length 1; `None` if they hardly differ.
fn unit(pixels: &[u8], means: [f64; 3]) -> Option<Box<[f32]>> {
    let own: Vec<f64> =
        pixels.iter().zip(means.iter().cycle()).map(|(&level, mean)| f64::from(level) - mean).collect();
    let length = own.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length >= PLAIN * (own.len() as f64).sqrt()).then(|| padded(own.iter().map(|x| (x / length) as f32)))
}

fn padded(numbers: impl Iterator<Item = f32>) -> Box<[f32]> {
    numbers.chain(std::iter::repeat(0.0)).take(ROW).collect()
}

/// The small images less what all have in common.
#[derive(Debug)]
pub(super) struct Rows {
    /// `None` for an image of which only copies are looked for.
    rows: Vec<Option<Box<[f32]>>>,
    mean: Box<[f32]>,
}

impl Rows {
    /// Of these prints, in their order.
    pub fn of(prints: &[&Print]) -> Self {
        let mut sum = [0.0_f64; ROW];
        let mut count = 0_usize;
        for row in prints.iter().filter_map(|print| print.row.as_ref()) {
            count += 1;
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        let share = if count < MANY { 0.0 } else { 1.0 / count as f64 };
        let mean = padded(sum.iter().map(|sum| (sum * share) as f32));
        let of = |print: &&Print| less(print.row.as_deref()?, &mean);
        let rows = prints.par_iter().map(of).collect();
        Self { rows, mean }
    }

    /// The image at place `i`.
    pub fn get(&self, i: usize) -> Option<&[f32]> {
        self.rows[i].as_deref()
    }

    /// The mirrored image of a print.
    pub fn mirrored(&self, print: &Print) -> Option<Box<[f32]>> {
        let row = print.row.as_deref()?;
        let pixel = |y: usize, x: usize| row[(y * SIDE + SIDE - 1 - x) * 3..][..3].iter().copied();
        let flipped = padded((0..SIDE * SIDE).flat_map(|at| pixel(at / SIDE, at % SIDE)));
        less(&flipped, &self.mean)
    }
}

/// `row - mean`, of length 1.
fn less(row: &[f32], mean: &[f32]) -> Option<Box<[f32]>> {
    let own = |(x, mean): (&f32, &f32)| f64::from(*x) - f64::from(*mean);
    let length = row.iter().zip(mean).map(own).map(|x| x * x).sum::<f64>().sqrt();
    (length >= NOTHING_OWN).then(|| row.iter().zip(mean).map(|pair| (own(pair) / length) as f32).collect())
}
