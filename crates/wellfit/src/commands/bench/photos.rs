//! JPEG files to decode.

use crate::error::CliError;
use jpeg_encoder::{ColorType, Encoder};
use std::path::Path;
use wellfit::base::atomic;
use wellfit::rng::{Rng, Stream};

/// The usual size of ImageNet's pictures.
pub const WIDTH: u16 = 500;
/// See [`WIDTH`].
pub const HEIGHT: u16 = 375;
/// Pillow's default is 75; cameras save more.
const QUALITY: u8 = 90;

/// Write `count` pictures into two classes below `folder`.
pub fn write(folder: &Path, count: u32) -> Result<(), CliError> {
    for number in 0..count {
        let class = folder.join(["a", "b"][number as usize % 2]);
        std::fs::create_dir_all(&class).map_err(CliError::write(class.clone()))?;
        let path = class.join(format!("{number:04}.jpg"));
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, QUALITY)
            .encode(&pixels(number), WIDTH, HEIGHT, ColorType::Rgb)
            .map_err(|cause| CliError::Output(format!("cannot make a JPEG: {cause}")))?;
        atomic::replace(&path, &bytes).map_err(CliError::write(path))?;
    }
    Ok(())
}

/// Waves of each colour with noise on them: smooth areas and detail, as in a photograph.
fn pixels(number: u32) -> Vec<u8> {
    let mut rng = Rng::new(0, Stream::Noise, 0, number);
    let waves: [[f32; 3]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| rng.uniform_in(0.005, 0.08)));
    let mut pixels = Vec::with_capacity(3 * usize::from(WIDTH) * usize::from(HEIGHT));
    for (y, x) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (y as f32, x as f32))) {
        let grain = rng.uniform_in(-12.0, 12.0);
        for [across, down, slant] in waves {
            let wave = libm::sinf(across * x) + libm::sinf(down * y) + libm::sinf(slant * (x + y));
            pixels.push((128.0 + 38.0 * wave + grain) as u8);
        }
    }
    pixels
}
