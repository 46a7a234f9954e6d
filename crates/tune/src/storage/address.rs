//! Where a study is.

use super::StorageError;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use wellfit_base::Shown;

/// Where a study is, as Optuna names it.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A journal: `journal:///study.log`.
    Journal(PathBuf),
    /// An SQLite database: `sqlite:///study.db`.
    Sqlite(PathBuf),
    /// A PostgreSQL database: `postgresql://user:password@host:5432/name`.
    Postgres(String),
}

impl FromStr for Address {
    type Err = String;

    /// `journal:///file` is a path from here, `journal:////file` one from the root, as SQLAlchemy has it.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("give journal:///FILE, sqlite:///FILE or postgresql://USER@HOST/DATABASE".to_owned());
        };
        let file = || match rest.strip_prefix('/') {
            Some(path) if !path.is_empty() && !path.ends_with('/') => Ok(PathBuf::from(path)),
            _ => Err(format!("give a file: {scheme}:///FILE, or {scheme}:////FILE from the root")),
        };
        // SQLAlchemy names a driver behind a plus sign.
        match scheme.split('+').next().unwrap_or_default() {
            "journal" => file().map(Self::Journal),
            "sqlite" => file().map(Self::Sqlite),
            "postgresql" | "postgres" => Ok(Self::Postgres(format!("postgresql://{rest}"))),
            _ => Err(format!("there is no storage `{scheme}`; known are journal, sqlite, postgresql")),
        }
    }
}

/// Without a password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(path) => write!(f, "journal:///{}", path.shown()),
            Self::Sqlite(path) => write!(f, "sqlite:///{}", path.shown()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Address {
    /// What is said where a program was built without this kind.
    #[allow(dead_code, reason = "not used with all features")]
    pub(super) fn not_built(&self) -> StorageError {
        let feature = if matches!(self, Self::Postgres(_)) { "postgres" } else { "sqlite" };
        StorageError {
            storage: self.to_string(),
            problem: format!(
                "this program was built without it: cargo install --features {feature}, or take journal:///study.log"
            ),
        }
    }
}

/// A database's address without what is secret: the password before the host, and whatever stands behind a question mark.
fn without_password(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return "postgresql".to_owned() };
    // A password may hold an @ of its own.
    match rest.rsplit_once('@') {
        None => plain.to_owned(),
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_optuna() {
        for (text, expected) in [
            ("journal:///study.log", Address::Journal("study.log".into())),
            ("journal:////tmp/study.log", Address::Journal("/tmp/study.log".into())),
            ("sqlite:///a/study.db", Address::Sqlite("a/study.db".into())),
            ("postgresql+psycopg2://me@host/db", Address::Postgres("postgresql://me@host/db".into())),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for bad in ["study.log", "mysql://x/y", "sqlite://", "sqlite:///", "journal://study.log"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("postgresql://me:secret@host:5432/db", "postgresql://me@host:5432/db"),
            ("postgresql://me:se@cret@host/db", "postgresql://me@host/db"),
            ("postgresql://host/db?user=me&password=secret", "postgresql://host/db"),
            ("postgresql://me@host/db", "postgresql://me@host/db"),
        ] {
            let address: Address = url.parse().unwrap();
            assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }
}
