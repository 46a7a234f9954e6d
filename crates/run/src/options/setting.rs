//! The types that a setting may have.

use std::ffi::OsStr;
use std::path::PathBuf;
use wellfit_base::Shown;

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
    ($($type:ty: $kind:ident or $wanted:expr),* $(,)?) => { $(
        impl Setting for $type {
            const KIND: Kind = Kind::$kind;

            fn parse(text: &OsStr) -> Result<Self, String> {
                unicode(text)?.parse().map_err(|_| $wanted)
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )* };
}

/// For types whose errors are words for the user already.
macro_rules! worded {
    ($type:ty: $kind:expr) => {
        impl Setting for $type {
            const KIND: Kind = $kind;

            fn parse(text: &OsStr) -> Result<Self, String> {
                unicode(text)?.parse().map_err(|error| format!("{error}"))
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    };
}
pub(super) use worded;

parsed! {
    bool: Switch or "give true or false".to_owned(),
    u32: Number or whole(u32::MAX),
    u64: Number or whole(u64::MAX),
    usize: Number or whole(usize::MAX),
    String: Text or String::new(), // which never fails
}

fn whole(most: impl std::fmt::Display) -> String {
    format!("give a whole number from 0 to {most}")
}

impl Setting for f64 {
    const KIND: Kind = Kind::Number;

    fn parse(text: &OsStr) -> Result<Self, String> {
        let text = unicode(text)?;
        text.parse().map_err(|_| match text.replacen(',', ".", 1) {
            pointed if pointed != text && pointed.parse::<Self>().is_ok() => {
                format!("write the number with a point: {pointed}")
            }
            _ => "give a number, such as 0.001".to_owned(),
        })
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
        Some(self.shown().to_string())
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
