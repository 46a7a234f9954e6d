//! Fingerprints of single images: which of them two datasets share, whatever the files are called.

use rayon::prelude::*;

use super::dataset::Dataset;
use super::pixel_hash::{PixelHash, memory_hash, pixel_hash};
use crate::error::DataError;

impl Dataset {
    /// Of each image a number that says whether it is the same picture as another: the first 64 bits of its
    /// [`pixel_hash`](Self::pixel_hash), or of what that would be.
    ///
    /// A copy has the same number, under any name and in any place; so has what a link leads to, and an image that was
    /// saved again without loss. Of a million images, two different ones share a number with a probability of 3e-8.
    ///
    /// Of data that were checked when they were opened no file is read again. They are computed once.
    ///
    /// # Errors
    /// If a file that was not checked cannot be read.
    pub fn prints(&self) -> Result<Vec<u64>, DataError> {
        if let Some(known) = self.prints.get() {
            return Ok(known.clone());
        }
        let print = |i| self.hash_of_pixels(i).map(|hash| u64::from_be_bytes(first_half(hash)));
        let prints: Vec<u64> = (0..self.len()).into_par_iter().map(print).collect::<Result<_, _>>()?;
        // Whoever was faster found the same.
        Ok(self.prints.get_or_init(|| prints).clone())
    }

    /// The hash of its pixels, read again where the file was not checked.
    pub(crate) fn hash_of_pixels(&self, i: usize) -> Result<PixelHash, DataError> {
        if let Some(hash) = self.pixel_hash(i) {
            return Ok(hash);
        }
        match (self.memory(i), self.native_size()) {
            (Some(pixels), Some((_, width, channels))) => Ok(memory_hash(width, channels, pixels)),
            _ => Ok(pixel_hash(|depth| self.decoded(i, depth))?),
        }
    }
}

fn first_half(hash: PixelHash) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = hash;
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::{Images, PixelHashes};
    use std::path::PathBuf;
    use std::sync::Arc;

    const GOLDEN: u64 = 0x8a44_1742_e6ee_30bd;

    fn files(paths: &[PathBuf]) -> Dataset {
        let images = Images::Files(Arc::new(paths.to_vec()));
        Dataset::new(vec!["x".into()], vec![0; paths.len()], images).unwrap()
    }

    /// `sha256` of the width 1 as eight bytes and of the pixels (5, 5, 5) and (6, 6, 6) begins with 8a441742 e6ee30bd.
    #[test]
    fn the_pixels_decide_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a.pgm", "the same in colour.ppm", "b.pgm"].map(|name| dir.path().join(name));
        let contents: [&[u8]; 3] =
            [b"P5 1 2 255\n\x05\x06", b"P6 1 2 255\n\x05\x05\x05\x06\x06\x06", b"P5 2 1 255\n\x05\x06"];
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        let prints = files(&paths).prints().unwrap();
        assert_eq!(prints[..2], [GOLDEN; 2]);
        assert_ne!(prints[2], GOLDEN);
        let gone = files(&[dir.path().join("gone.png")]).prints().unwrap_err().to_string();
        assert!(gone.contains("gone.png"), "{gone}");
    }

    #[test]
    fn what_was_checked_is_not_read_again() {
        let gone = PathBuf::from("gone.png");
        let hash = [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9];
        let known = PixelHashes::from([(gone.clone(), hash)]);
        let data = files(&[gone]).with_hashes(Arc::new(known));
        assert_eq!(data.subset(&[0]).prints().unwrap(), [0x0102_0304_0506_0708]);
    }

    #[test]
    fn images_in_memory_are_known_by_size_and_pixels() {
        let of = |height, width, pixels: [u8; 8]| {
            let images = Images::Memory { height, width, channels: 1, pixels: Arc::new(pixels.to_vec()) };
            let count = 8 / (height * width);
            Dataset::new(vec!["x".into()], vec![0; count], images).unwrap().prints().unwrap()
        };
        let [first, second] = of(2, 2, [1, 2, 3, 4, 1, 2, 3, 5])[..] else { panic!("two images") };
        assert_ne!(first, second);
        assert_eq!(of(2, 2, [1, 2, 3, 5, 1, 2, 3, 4]), [second, first]);
        assert!(!of(1, 4, [1, 2, 3, 4, 1, 2, 3, 5]).contains(&first));
        assert_eq!(of(2, 1, [5, 6, 0, 0, 0, 0, 0, 0])[0], GOLDEN, "as in a file");
    }
}
