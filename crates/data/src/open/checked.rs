//! Files that were found to be whole, so that the next run need not decode them only to see that.
//!
//! One file holds them all: for each image a key of 32 bytes and what decoding it gave (16 bytes), then a SHA-256 of all
//! that. The key covers the file's path, length, time of change and number on its disk, and the version of Wellfit; so
//! a file that was changed or replaced is looked at again. A list that is damaged counts as empty.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wellfit_base::{atomic, file};

use crate::cache::Key;
use crate::loader::PixelHash;

/// What is remembered of an image.
pub type Mark = PixelHash;

/// What a record takes.
const RECORD: usize = 32 + 16;
/// The sum at the end.
const SUM: usize = 32;
/// The most images that are remembered; those of other runs go first.
const MOST: usize = 2_000_000;
/// A file changed as recently as this may change again without its time showing it.
const RESTLESS: Duration = Duration::from_secs(2);

/// Images that were found to be whole.
#[derive(Debug, Default)]
pub struct Checked {
    path: Option<PathBuf>,
    known: HashMap<[u8; 32], Mark>,
    /// Those of this run.
    used: Mutex<HashMap<[u8; 32], Mark>>,
}

impl Checked {
    /// The list in the file `path`; without one, nothing is remembered.
    #[must_use]
    pub fn open(path: Option<&Path>) -> Self {
        let most = (MOST * RECORD + SUM) as u64;
        let bytes = path.and_then(|path| file::read(path, most).ok()).unwrap_or_default();
        Self { path: path.map(Path::to_owned), known: records(&bytes), used: Mutex::default() }
    }

    /// What `look` says of a file; if it is known to be whole, what it said before.
    ///
    /// # Errors
    /// Those of `look`, which are not remembered.
    pub fn look<E>(&self, file: &Path, look: impl FnOnce(&Path) -> Result<Mark, E>) -> Result<Mark, E> {
        let key = self.path.as_ref().and_then(|_| key(file));
        let known = key.and_then(|key| self.known.get(&key).copied());
        let mark = known.map_or_else(|| look(file), Ok)?;
        if let Some(key) = key {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(key, mark);
        }
        Ok(mark)
    }

    /// Remember what was found. If it cannot be written, nothing is lost but time.
    pub fn save(self) {
        let mut used = self.used.into_inner().unwrap_or_else(PoisonError::into_inner);
        let news = used.keys().any(|key| !self.known.contains_key(key));
        let Some(path) = self.path.filter(|_| news) else { return };
        let room = MOST.saturating_sub(used.len());
        let others: Vec<_> =
            self.known.into_iter().filter(|(key, _)| !used.contains_key(key)).take(room).collect();
        used.extend(others);
        let mut bytes = Vec::with_capacity(used.len() * RECORD + SUM);
        for (key, mark) in &used {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(mark);
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let _ = folder.and_then(|()| atomic::replace(&path, &bytes));
    }
}

fn records(bytes: &[u8]) -> HashMap<[u8; 32], Mark> {
    let Some((list, sum)) = bytes.len().checked_sub(SUM).map(|length| bytes.split_at(length)) else {
        return HashMap::new();
    };
    if !list.len().is_multiple_of(RECORD) || Sha256::digest(list).as_slice() != sum {
        return HashMap::new();
    }
    let record = |record: &[u8]| Some((record[..32].try_into().ok()?, record[32..].try_into().ok()?));
    list.chunks_exact(RECORD).filter_map(record).collect()
}

/// What tells a file and its content; none if it cannot be told, or may still be written to.
fn key(file: &Path) -> Option<[u8; 32]> {
    let metadata = fs::metadata(file).ok()?;
    let changed = metadata.modified().ok()?;
    if SystemTime::now().duration_since(changed).is_ok_and(|age| age < RESTLESS) {
        return None;
    }
    let path = std::path::absolute(file).ok()?;
    let since = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let parts: [&[u8]; 5] = [
        concat!("checked 4 ", env!("CARGO_PKG_VERSION")).as_bytes(),
        path.as_os_str().as_encoded_bytes(),
        &metadata.len().to_le_bytes(),
        &since.as_nanos().to_le_bytes(),
        &place(&metadata),
    ];
    Some(*Key::of(&parts).bytes())
}

/// The disk and the number of the file on it.
#[cfg(unix)]
fn place(metadata: &Metadata) -> Vec<u8> {
    use std::os::unix::fs::MetadataExt;
    let numbers = [metadata.dev(), metadata.ino(), metadata.ctime() as u64, metadata.ctime_nsec() as u64];
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[cfg(not(unix))]
fn place(_: &Metadata) -> Vec<u8> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A file that was changed an hour ago.
    fn old(path: &Path, content: &str) {
        fs::write(path, content).unwrap();
        let before = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
    }

    #[test]
    fn a_whole_file_is_looked_at_once_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let (list, image) = (dir.path().join("cache/checked"), dir.path().join("a.png"));
        let looks = Cell::new(0);
        let look = |mark: u8| {
            let checked = Checked::open(Some(&list));
            let found = checked.look(&image, |_| {
                looks.set(looks.get() + 1);
                Ok::<Mark, ()>([mark; 16])
            });
            checked.save();
            (found.unwrap()[0], looks.get())
        };
        old(&image, "one");
        assert_eq!([look(1), look(2)], [(1, 1), (1, 1)], "remembered");
        old(&image, "longer");
        assert_eq!([look(3), look(4)], [(3, 2), (3, 2)], "looked at again");
        fs::write(&image, "just now").unwrap();
        assert_eq!([look(5), look(6)], [(5, 3), (6, 4)], "it may still be written to");
        old(&image, "longer");
        let mut bytes = fs::read(&list).unwrap();
        bytes[5] ^= 1;
        fs::write(&list, bytes).unwrap();
        assert_eq!(look(7), (7, 5), "a damaged list is none");
    }

    #[test]
    fn errors_are_not_remembered_and_without_a_list_nothing_is() {
        let dir = tempfile::tempdir().unwrap();
        let (list, image) = (dir.path().join("checked"), dir.path().join("a.png"));
        old(&image, "bad");
        let checked = Checked::open(Some(&list));
        assert_eq!(checked.look(&image, |_| Err("bad")), Err("bad"));
        checked.save();
        assert!(!list.exists());
        let nowhere = Checked::open(None);
        assert_eq!(nowhere.look(&image, |_| Ok::<Mark, ()>([1; 16])), Ok([1; 16]));
        nowhere.save();
    }

    #[test]
    fn the_files_of_other_runs_stay_known() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("checked");
        for name in ["a", "b"] {
            old(&dir.path().join(name), name);
            let checked = Checked::open(Some(&list));
            checked.look(&dir.path().join(name), |_| Ok::<Mark, ()>([7; 16])).unwrap();
            checked.save();
        }
        let checked = Checked::open(Some(&list));
        for name in ["a", "b"] {
            assert_eq!(checked.look(&dir.path().join(name), |_| Err(())), Ok([7; 16]), "{name}");
        }
    }
}
