//! Fingerprints of single images: which of them two datasets share, whatever the files are called.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use crate::error::DataError;

impl Dataset {
    /// Of each image a number that says whether it is the same as another: the first 64 bits of the SHA-256 of its file's
    /// content, or of its size and pixels where it is in memory.
    ///
    /// A copy has the same number, under any name and in any place; so has what a link leads to. An image that was
    /// encoded again has another one, even with the same pixels. Of a million images, two different ones share a number
    /// with a probability of 3e-8.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn prints(&self) -> Result<Vec<u64>, DataError> {
        (0..self.len()).into_par_iter().map(|i| self.print(i)).collect()
    }

    fn print(&self, i: usize) -> Result<u64, DataError> {
        let mut hash = Sha256::new();
        match self.path(i) {
            Some(path) => hash.update(self.read(path)?),
            None => {
                hash.update(format!("{:?} ", self.native_size()));
                hash.update(self.memory(i).unwrap_or_default());
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        Ok(digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::Images;
    use std::sync::Arc;

    #[test]
    fn the_content_decides_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["a.png", "copy of a.jpg", "b.png"].map(|name| dir.path().join(name));
        for (path, content) in files.iter().zip(["abc", "abc", "abd"]) {
            std::fs::write(path, content).unwrap();
        }
        let of = |paths: Vec<std::path::PathBuf>| {
            let labels = vec![0; paths.len()];
            Dataset::new(vec!["x".into()], labels, Images::Files(Arc::new(paths))).unwrap()
        };
        // FIPS 180-2's "abc" is ba7816bf 8f01cfea ….
        let prints = of(files.to_vec()).prints().unwrap();
        assert_eq!(prints[..2], [0xba78_16bf_8f01_cfea; 2]);
        assert_ne!(prints[2], prints[0]);
        let gone = of(vec![dir.path().join("gone.png")]).prints().unwrap_err().to_string();
        assert!(gone.contains("gone.png"), "{gone}");
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
    }
}
