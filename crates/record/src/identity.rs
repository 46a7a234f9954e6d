//! Which run it is, whatever its directory is called: a random id, and a number that orders the runs beside each other.
//! They are the first lines of `run.toml`, so that a glance tells them.

use crate::error::{At, Result};
use crate::run::{FORMAT, RUN_TOML};
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use wellfit_base::Dir;

/// The first lines of `run.toml` are shorter.
const HEAD: u64 = 256;

/// What begins every `run.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Identified {
    /// 128 random bits as 32 digits; none in a run of a version that had no ids.
    pub(crate) id: Option<String>,
    /// Later runs of a folder have larger numbers, whatever the clock says; 0 in a run of before.
    #[serde(default)]
    pub(crate) sequence: u64,
}

impl Identified {
    /// The lines of `run.toml` that say so, with its version.
    pub(crate) fn head(&self) -> String {
        let mut lines = format!("format = {FORMAT}\n");
        if let Some(id) = &self.id {
            lines += &format!("id = \"{id}\"\nsequence = {}\n", self.sequence);
        }
        lines
    }

    /// What the first lines of the `run.toml` in a directory say; nothing where they are others.
    pub(crate) fn glance(dir: &Dir) -> Option<Self> {
        let mut head = Vec::new();
        dir.open_file(RUN_TOML).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        let mut lines = head.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        if lines.next()? != format!("format = {FORMAT}") {
            return None;
        }
        let value = |line: Option<&str>, key: &str| {
            Some(line?.strip_prefix(key)?.strip_prefix(" = ")?.trim_matches('"').to_owned())
        };
        let id = value(lines.next(), "id");
        let sequence = value(lines.next(), "sequence").filter(|_| id.is_some());
        Some(Self { id, sequence: sequence.and_then(|number| number.parse().ok()).unwrap_or(0) })
    }
}

/// Whether the `run.toml` in a directory is that of the run with that id.
pub(crate) fn has_id(dir: &Dir, id: Option<&str>) -> bool {
    let glanced = Identified::glance(dir).is_some_and(|found| found.id.as_deref() == id);
    // Someone may have put a comment in front.
    let read = || crate::run::identified(dir).is_ok_and(|found| found.id.as_deref() == id);
    glanced || read()
}

/// The number after those of all runs in a folder. One that cannot be read may have had the next.
///
/// # Errors
/// If the folder cannot be read.
pub(crate) fn next_sequence(folder: &Path) -> Result<u64> {
    let names = Dir::open(folder).and_then(|dir| Ok((dir.names()?, dir)));
    let (names, folder) = names.at("read", folder)?;
    let (mut largest, mut unread) = (0, 0);
    for run in names.into_iter().filter_map(|name| folder.open_dir(name).ok()) {
        match Identified::glance(&run) {
            Some(found) => largest = found.sequence.max(largest),
            None => unread += u64::from(run.is_file(RUN_TOML).unwrap_or(true)),
        }
    }
    Ok(largest.saturating_add(unread).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_beyond_those_that_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let next = || next_sequence(root.path()).unwrap();
        let put = |name: &str, text: &str| {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join(RUN_TOML), text).unwrap();
        };
        assert_eq!(next(), 1);
        let third = Identified { id: Some("a".to_owned()), sequence: 3 };
        put("third", &third.head());
        std::fs::create_dir(root.path().join("no run")).unwrap();
        assert_eq!(next(), 4);
        put("damaged", "\0\0\0");
        assert_eq!(next(), 5);
    }
}
