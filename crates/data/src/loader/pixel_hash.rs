//! What two images with the same pixels have in common, whatever their files are.

use std::collections::HashMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use wellfit_images::{Depth, ImageError, RawImage};

/// The first half of the SHA-256 of an image's size and pixels, grey as RGB: equal for copies, even in another format
/// without loss. Its last bit says whether the file has grey numbers of more than 8 bits.
pub type PixelHash = [u8; 16];

/// The hash of each image that was decoded.
pub type PixelHashes = HashMap<PathBuf, PixelHash>;

/// Whether an image is of grey numbers that do not fit a byte, see [`RawImage::deep`].
pub(crate) fn is_deep(hash: &PixelHash) -> bool {
    hash[15] & 1 == 1
}

/// The hash of the image that `decode` gives.
pub(crate) fn pixel_hash(
    decode: impl Fn(Depth) -> Result<RawImage, ImageError>,
) -> Result<PixelHash, ImageError> {
    let image = decode(Depth::Clip)?;
    // Two that are all white where cut off are no copies.
    let scaled = if image.deep { decode(Depth::Scale)?.pixels } else { Vec::new() };
    let mut hash = hash_of(image.width, image.channels, &image.pixels, &scaled);
    hash[15] |= u8::from(image.deep);
    Ok(hash)
}

/// The hash of an image in memory: of `width` pixels a row, each of 1 or 3 `channels`.
pub(crate) fn memory_hash(width: usize, channels: usize, pixels: &[u8]) -> PixelHash {
    hash_of(width, channels, pixels, &[])
}

fn hash_of(width: usize, channels: usize, pixels: &[u8], scaled: &[u8]) -> PixelHash {
    let mut hash = Sha256::new();
    hash.update((width as u64).to_le_bytes());
    if channels == 1 {
        hash.update(pixels.iter().flat_map(|&level| [level; 3]).collect::<Vec<u8>>());
    } else {
        hash.update(pixels);
    }
    hash.update(scaled);
    let mut half = PixelHash::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half[15] &= !1;
    half
}
