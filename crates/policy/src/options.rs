//! Option strings such as `patience=5,mode=min`, for the command line.

use std::str::FromStr;

use crate::{Mode, PolicyError};

/// Reads `key=value,…`, handing each pair to `set`, which returns `false` for a key it does not know.
///
/// # Errors
/// A part without `=`, a key given twice, a key not among `known`, or whatever `set` returns.
pub(crate) fn read(
    text: &str,
    known: &[&str],
    mut set: impl FnMut(&str, &str) -> Result<bool, PolicyError>,
) -> Result<(), PolicyError> {
    let mut seen = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let syntax = |reason| PolicyError::Syntax { part: part.to_owned(), reason };
        let (key, value) = part.split_once('=').ok_or(syntax("expected key=value"))?;
        let (key, value) = (key.trim(), value.trim());
        if seen.contains(&key) {
            return Err(syntax("this option was given before"));
        }
        if !set(key, value)? {
            return Err(PolicyError::UnknownKey { key: key.to_owned(), known: known.join(", ") });
        }
        seen.push(key);
    }
    Ok(())
}

/// A value an option string can hold.
pub(crate) trait OptionValue: Sized {
    /// What to write, for the error message.
    const EXPECTED: &'static str;
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! parsed {
    ($($kind:ty: $expected:literal),*) => {$(
        impl OptionValue for $kind {
            const EXPECTED: &'static str = $expected;
            fn from_text(text: &str) -> Option<Self> {
                Self::from_str(text).ok()
            }
        }
    )*};
}
parsed!(u32: "a whole number, 0 or more", f64: "a number", bool: "true or false");

impl OptionValue for Mode {
    const EXPECTED: &'static str = "min or max";
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            _ => None,
        }
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_text(text: &str) -> Option<Self> {
        if text == "none" { Some(None) } else { T::from_text(text).map(Some) }
    }
}

/// Reads `value` into `target`.
///
/// # Errors
/// [`PolicyError::Invalid`] naming `key`.
pub(crate) fn assign<T: OptionValue>(target: &mut T, key: &str, value: &str) -> Result<(), PolicyError> {
    *target = T::from_text(value).ok_or_else(|| PolicyError::Invalid {
        key: key.to_owned(),
        value: value.to_owned(),
        expected: T::EXPECTED,
    })?;
    Ok(())
}
