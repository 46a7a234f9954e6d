//! SHA-256 and hexadecimal digits.

use crate::file;
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;

/// The SHA-256 of `bytes` as 64 lower-case digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of a file as 64 lower-case digits, whatever its length.
///
/// # Errors
/// If it cannot be read, or is no regular file.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    sha256_of(file::open(path)?)
}

/// The SHA-256 of all that can be read of something, as 64 lower-case digits.
///
/// # Errors
/// If it cannot be read.
pub fn sha256_of(mut bytes: impl io::Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut bytes, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// Take in `bytes` with their length, so that no two sequences of them look alike.
pub fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Two lower-case digits a byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn the_digest_is_that_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(sha256_file(&path).unwrap(), sha256(b"abc"));
        assert!(sha256_file(dir.path()).is_err());
    }

    #[test]
    fn where_a_sequence_is_cut_changes_its_hash() {
        let of = |parts: [&[u8]; 2]| {
            let mut hash = Sha256::new();
            parts.into_iter().for_each(|part| add(&mut hash, part));
            hash.finalize()
        };
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
    }
}
