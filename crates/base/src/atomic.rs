//! Writing a file as a whole or not at all.

use crate::dir::{Dir, Kind};
use crate::id::{is_temporary, temporary_name};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The file by which a run's directory is locked.
pub(crate) const RUN_LOCK: &str = ".lock";
/// How often a file is written again that another process took for abandoned.
const ATTEMPTS: u32 = 10;

/// Put `bytes` at `path` in one step: a temporary file beside it, synced to the disk, then renamed. Readers see the
/// old file or the whole new one; a crash leaves one of the two. A temporary file that it leaves, too, is removed by the
/// next call for the same folder.
///
/// # Errors
/// If the file cannot be written; the old one is then untouched and nothing else is left behind.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (dir, name) = opened(path)?;
    remove_abandoned(&dir);
    put(&dir, name, bytes)
}

/// The same for one of many files in a folder, where looking for what a crash left would take long.
///
/// # Errors
/// As [`replace`].
pub fn replace_one_of_many(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (dir, name) = opened(path)?;
    put(&dir, name, bytes)
}

fn opened(path: &Path) -> io::Result<(Dir, &OsStr)> {
    let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not a file name"))?;
    Ok((Dir::open(parent(path))?, name))
}

fn put(dir: &Dir, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let mut attempts = 1..=ATTEMPTS;
    loop {
        let temporary = temporary_name()?;
        let file = dir.create_file(&temporary)?;
        // Until it is locked, another process may take it for abandoned; where files have no locks, none does.
        let _ = file.try_lock();
        match fill(&file, bytes).and_then(|()| dir.rename(&temporary, (dir, name))) {
            Ok(()) => return dir.sync(),
            Err(error) if error.kind() == ErrorKind::NotFound && attempts.next().is_some() => {}
            Err(error) => {
                let _ = dir.remove(&temporary);
                return Err(error);
            }
        }
    }
}

fn fill(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Remove the temporary files of processes that ended early: no living one has their locks. Those of a run that is being
/// written are its owner's.
fn remove_abandoned(dir: &Dir) {
    let is_lost = |name: &OsStr| is_temporary(name) && matches!(dir.kind(name), Ok(Some(Kind::File)));
    let mut lost = dir.names().unwrap_or_default();
    lost.retain(|name| is_lost(name));
    if lost.is_empty() {
        return;
    }
    let run = dir.open_file(RUN_LOCK);
    if run.as_ref().is_ok_and(|lock| lock.try_lock().is_err()) {
        return;
    }
    for name in lost {
        if dir.open_file(&name).is_ok_and(|file| file.try_lock().is_ok()) {
            // What cannot be removed costs space only.
            let _ = dir.remove(&name);
        }
    }
}

/// The directory that a path's last name is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A rename must survive a crash too.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    Dir::open(directory)?.sync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.png");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        replace(&directory.path().join("no/such/a.png"), b"x").unwrap_err();
        let occupied = directory.path().join("b.png");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("inside"), b"").unwrap();
        replace(&occupied, b"x").unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the temporary file is gone");
        assert!(replace(Path::new("/"), b"x").unwrap_err().to_string().contains("not a file name"));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_killed_process_left_goes_and_what_a_living_one_writes_stays() {
        let root = tempfile::tempdir().unwrap();
        let dir = Dir::open(root.path()).unwrap();
        let begun = || {
            let name = temporary_name().unwrap();
            (dir.create_file(&name).unwrap(), name)
        };
        let (abandoned, (living, named)) = (begun().1, begun());
        living.try_lock().unwrap();
        fs::write(root.path().join(".wellfit-mine.tmp"), "").unwrap();
        let left = |name: &str| root.path().join(name).exists();
        replace_one_of_many(&root.path().join("a.png"), b"one").unwrap();
        assert!(left(&abandoned));
        replace(&root.path().join("a.png"), b"two").unwrap();
        assert_eq!([&*abandoned, &*named, ".wellfit-mine.tmp"].map(left), [false, true, true]);
        // In a run's directory only while nobody writes to the run.
        let abandoned = begun().1;
        let run = dir.create_file(RUN_LOCK).unwrap();
        run.try_lock().unwrap();
        replace(&root.path().join("a.png"), b"three").unwrap();
        assert!(left(&abandoned));
        drop(run);
        replace(&root.path().join("a.png"), b"four").unwrap();
        assert!(!left(&abandoned));
    }
}
