//! Small steps that every use of SHA-256 here shares.

use sha2::{Digest, Sha256};

/// Take in `bytes` with their length, so that no two sequences of them look alike.
pub(crate) fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Two lower-case digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
