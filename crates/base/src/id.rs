//! Random numbers of the system, for names that nobody can guess and no two processes share.

use crate::hash::hex;
use std::io;

/// 128 random bits as 32 lower-case digits.
///
/// # Errors
/// If the system gives none.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal() {
        let [one, other] = [random().unwrap(), random().unwrap()];
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
