//! The types that a setting may have.

use std::ffi::OsStr;
use std::path::PathBuf;

/// What the values of a setting are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On or off; a command line may leave the value out.
    Switch,
    /// A number, which may be negative.
    Number,
    /// Any text.
    Text,
    /// A file or a folder.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A type that a setting may have.
pub trait Setting: Sized {
    /// What its values are like.
    const KIND: Kind;

    /// The value that `text` means.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn parse(text: &OsStr) -> Result<Self, String>;

    /// The value as text; `None` if there is none.
    fn show(&self) -> Option<String>;
}

/// The text, which must be Unicode.
pub(super) fn unicode(text: &OsStr) -> Result<&str, String> {
    text.to_str().ok_or_else(|| "it is not Unicode".to_owned())
}

macro_rules! parsed {
    ($($type:ty: $kind:ident as $format:literal),* $(,)?) => { $(
        impl Setting for $type {
            const KIND: Kind = Kind::$kind;

            fn parse(text: &OsStr) -> Result<Self, String> {
                unicode(text)?.parse().map_err(|error| format!("{error}"))
            }

            fn show(&self) -> Option<String> {
                Some(format!($format, self))
            }
        }
    )* };
}

parsed! { bool: Switch as "{}", u32: Number as "{}", u64: Number as "{}", usize: Number as "{}", String: Text as "{}" }

impl Setting for f64 {
    const KIND: Kind = Kind::Number;

    fn parse(text: &OsStr) -> Result<Self, String> {
        unicode(text)?.parse().map_err(|error| format!("{error}"))
    }

    /// 0.000001 as 1e-6, 1.0 as 1.
    fn show(&self) -> Option<String> {
        let text = format!("{self:?}");
        Some(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
    }
}

impl Setting for PathBuf {
    const KIND: Kind = Kind::Path;

    fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(text.into())
    }

    fn show(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;

    fn parse(text: &OsStr) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}
