//! Decoding every image once: whether it is whole, and what its pixels are.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use wellfit_images::decode_file_as;

use super::checked::Checked;
use crate::loader::{Pack, PixelHash, PixelHashes, pixel_hash};

/// A file that cannot be used as an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicious {
    /// The file.
    pub path: PathBuf,
    /// Why, as a sentence.
    pub reason: String,
}

/// Files that are decoded between two reports of progress.
const AT_A_TIME: usize = 64;

/// Decode every file, on all cores, and return those that fail, in the order of `files`.
///
/// Finds empty and truncated files, files that are no image at all, formats and variants that are not
/// supported, and pictures of more than 50 megapixels.
#[must_use]
pub fn check_files(files: &[(PathBuf, u32)]) -> Vec<Suspicious> {
    check(files.iter(), None, &Checked::default(), &mut |_| ()).0
}

/// The files that cannot be used, and the pixels of the others. With a `pack` they are parts of larger files. What is
/// known of a file is not looked for again; `progress` is told how many are done.
pub(crate) fn check<'a>(
    files: impl IntoIterator<Item = &'a (PathBuf, u32)>,
    pack: Option<&Pack>,
    checked: &Checked,
    progress: &mut dyn FnMut(usize),
) -> (Vec<Suspicious>, PixelHashes) {
    let files: Vec<&Path> = files.into_iter().map(|(path, _)| path.as_path()).collect();
    let mut found: Vec<Result<PixelHash, String>> = Vec::with_capacity(files.len());
    for files in files.chunks(AT_A_TIME) {
        found.par_extend(files.par_iter().map(|path| checked.look(path, |path| look_at(path, pack))));
        progress(found.len());
    }
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
fn look_at(path: &Path, pack: Option<&Pack>) -> Result<PixelHash, String> {
    let decode = |depth| pack.map_or_else(|| decode_file_as(path, depth), |pack| pack.decode_as(path, depth));
    pixel_hash(decode).map_err(|error| error.reason())
}
