//! Options in one text, such as `patience=5,mode=min`.

use std::str::FromStr;

use crate::{Mode, PolicyError};

/// One option of a policy's configuration `C`: its name, and what reads a value into it. It is also given the name that
/// the user wrote, for the error message.
pub(crate) type Key<C> = (&'static str, fn(&mut C, &str, &str) -> Result<(), PolicyError>);

/// A [`Key`] for each of these fields, named like the field.
macro_rules! keys {
    ($($field:ident),* $(,)?) => {
        &[$((stringify!($field), |config, key, value| {
            $crate::options::assign(&mut config.$field, key, value)
        })),*]
    };
}
pub(crate) use keys;

/// Reads `key=value,…` into `config`. `aliases` are other names of some keys: (alias, key).
///
/// # Errors
/// A part without `=`, a key that is unknown or given twice, a value that is not of the key's kind.
pub(crate) fn read<C>(
    config: &mut C,
    text: &str,
    keys: &[Key<C>],
    aliases: &[(&str, &str)],
) -> Result<(), PolicyError> {
    let mut seen = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let syntax = |reason| PolicyError::Syntax { part: part.to_owned(), reason };
        let (typed, value) = part.split_once('=').ok_or(syntax("expected key=value"))?;
        let (typed, value) = (typed.trim(), value.trim());
        let name = aliases.iter().find(|(alias, _)| *alias == typed).map_or(typed, |(_, key)| *key);
        if seen.contains(&name) {
            return Err(syntax("this option was given before"));
        }
        let (_, set) = keys.iter().find(|(key, _)| *key == name).ok_or_else(|| {
            let known: Vec<&str> =
                keys.iter().map(|(key, _)| *key).chain(aliases.iter().map(|(alias, _)| *alias)).collect();
            PolicyError::UnknownKey { key: typed.to_owned(), known: known.join(", ") }
        })?;
        set(config, typed, value)?;
        seen.push(name);
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
