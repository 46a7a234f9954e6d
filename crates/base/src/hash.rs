//! SHA-256 and hexadecimal digits.

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` as 64 lower-case digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
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
    fn where_a_sequence_is_cut_changes_its_hash() {
        let of = |parts: [&[u8]; 2]| {
            let mut hash = Sha256::new();
            parts.into_iter().for_each(|part| add(&mut hash, part));
            hash.finalize()
        };
        assert_ne!(of([b"ab", b"c"]), of([b"a", b"bc"]));
    }
}
