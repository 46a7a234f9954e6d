//! Decoding every image once: whether it is whole, and what its pixels are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use wellfit_images::{RawImage, decode_file};

/// A file that cannot be used as an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicious {
    /// The file.
    pub path: PathBuf,
    /// Why, as a sentence.
    pub reason: String,
}

/// The first half of the SHA-256 of an image's size and pixels: equal for copies, even in another format without loss.
pub type PixelHash = [u8; 16];

/// The hash of each image that was decoded.
pub type PixelHashes = HashMap<PathBuf, PixelHash>;

/// Decode every file, on all cores, and return those that fail, in the order of `files`.
///
/// Finds empty and truncated files, files that are no image at all, formats and variants that are not
/// supported, and pictures of more than 50 megapixels.
#[must_use]
pub fn check_files(files: &[(PathBuf, u32)]) -> Vec<Suspicious> {
    check(files.iter()).0
}

/// The files that cannot be used, and the pixels of the others.
pub(crate) fn check<'a>(
    files: impl IntoIterator<Item = &'a (PathBuf, u32)>,
) -> (Vec<Suspicious>, PixelHashes) {
    let files: Vec<&Path> = files.into_iter().map(|(path, _)| path.as_path()).collect();
    let found: Vec<Result<PixelHash, String>> = files.par_iter().map(|path| look_at(path)).collect();
    let (mut bad, mut hashes) = (Vec::new(), PixelHashes::with_capacity(files.len()));
    for (path, found) in files.into_iter().zip(found) {
        let path = path.to_path_buf();
        match found {
            Ok(hash) => drop(hashes.insert(path, hash)),
            Err(reason) => bad.push(Suspicious { path, reason }),
        }
    }
    (bad, hashes)
}

/// What the pixels of a file are, or what is wrong with it.
fn look_at(path: &Path) -> Result<PixelHash, String> {
    decode_file(path).map(|image| pixel_hash(&image)).map_err(|error| error.reason())
}

fn pixel_hash(image: &RawImage) -> PixelHash {
    let mut hash = Sha256::new();
    hash.update((image.width as u64).to_le_bytes());
    hash.update(&image.pixels);
    let mut half = PixelHash::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}
