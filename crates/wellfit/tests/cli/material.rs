//! Small data: folders of pictures that are easy to tell apart, IDX files, weights.

use crate::bench::Bench;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use image::{ImageFormat, Rgb, RgbImage};
use std::io::{Cursor, Write as _};
use wellfit::models::{Network, Shape, build};
use wellfit::rng::{Rng, Stream};
use wellfit::weights::write_safetensors;

/// Side of the pictures, in pixels.
const SIDE: u32 = 16;

/// Enough for pictures of this size: small network, small images.
pub const MLP: &str = "--model mlp --image-size 16";
/// A network with BatchNorm that is fast.
pub const RESNET: &str = "--model resnet20 --image-size 16";

/// A noisy PNG whose main colour tells the class; `number` decides the noise.
pub fn picture(class: usize, number: u32) -> Vec<u8> {
    let mut rng = Rng::new(7, Stream::Noise, class as u32, number);
    let image = RgbImage::from_fn(SIDE, SIDE, |_, _| {
        Rgb(std::array::from_fn(|channel| {
            let level = if channel == class % 3 { 180.0 } else { 60.0 };
            (level + 40.0 * rng.normal()) as u8
        }))
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The start of a PNG of that size; no reader needs more to refuse it.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(0, 0);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file with that magic number, those sizes and those bytes.
pub fn idx(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let header = [magic].into_iter().chain(sizes.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain(data.iter().copied()).collect()
}

/// Grey 8 × 8 images of ten classes: row `label` is bright (rows 0 and 1 for 8 and 9, with a column).
fn idx_pixels(labels: &[u8], set: u32) -> Vec<u8> {
    let mut rng = Rng::new(7, Stream::Noise, 100, set);
    let mut pixels = Vec::new();
    for &label in labels {
        for (y, x) in (0..8).flat_map(|y| (0..8).map(move |x| (y, x))) {
            let bright = y == label % 8 || (label >= 8 && x == 7);
            let level = if bright { 200.0 } else { 40.0 };
            pixels.push((level + 20.0 * rng.normal()) as u8);
        }
    }
    pixels
}

pub const IMAGES: u32 = 0x0803;
pub const LABELS: u32 = 0x0801;

impl Bench {
    /// `folder/<class>/<n>.png` for each class, numbered from `first`.
    pub fn pictures(&self, folder: &str, classes: &[&str], numbers: std::ops::Range<u32>) {
        for (class, name) in classes.iter().enumerate() {
            for number in numbers.clone() {
                self.write(&format!("{folder}/{name}/{number}.png"), picture(class, number));
            }
        }
    }

    /// Two classes of eight pictures in `animals/`.
    pub fn animals(&self) {
        self.pictures("animals", &["cat", "dog"], 0..8);
    }

    /// MNIST's four files in a folder: so many images to train and to test on, of ten classes.
    pub fn digits(&self, folder: &str, train: usize, test: usize) {
        for (set, (part, count)) in (0..).zip([("train", train), ("t10k", test)]) {
            let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
            let images = idx(IMAGES, &[count as u32, 8, 8], &idx_pixels(&labels, set));
            self.write(&format!("{folder}/{part}-images-idx3-ubyte.gz"), gzip(&images));
            self.write(&format!("{folder}/{part}-labels-idx1-ubyte"), idx(LABELS, &[count as u32], &labels));
        }
    }

    /// Fresh weights of a network for 16 × 16 colour images.
    pub fn weights(&self, file: &str, model: &str, classes: usize) -> Network {
        let mut network = build(model, Shape::image(16, 16, 3), classes).unwrap();
        network.initialise(3);
        write_safetensors(&self.path(file), &network.state()).unwrap();
        network
    }
}
