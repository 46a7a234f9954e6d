//! Random numbers of the system, for names that nobody can guess and no two processes share.

use crate::hash::hex;
use std::ffi::OsStr;
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

/// What is written under a name that nobody can guess, until it is whole. One that is found belongs to nobody any more.
const TEMPORARY: (&str, &str) = (".wellfit-", ".tmp");

/// A new name for something that is not whole yet.
///
/// # Errors
/// As [`random`].
pub fn temporary_name() -> io::Result<String> {
    Ok(format!("{}{}{}", TEMPORARY.0, random()?, TEMPORARY.1))
}

/// Whether [`temporary_name`] may have made the name.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY.0)?.strip_suffix(TEMPORARY.1));
    middle.is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal() {
        let [one, other] = [random().unwrap(), random().unwrap()];
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(is_temporary(temporary_name().unwrap().as_ref()));
        for other in [".wellfit-.tmp", ".wellfit-incoming", "model.tmp", ".wellfit-a1b2c3.tmp"] {
            assert!(!is_temporary(other.as_ref()), "{other}");
        }
    }
}
